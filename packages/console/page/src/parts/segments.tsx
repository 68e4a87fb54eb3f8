import type { ReactNode } from 'react'

/** One of a few, chosen by a press. */
export function Segments<Value extends string>({
  label,
  values,
  value,
  onChange,
}: {
  readonly label: string
  /** Value and title. */
  readonly values: readonly (readonly [Value, string])[]
  readonly value: Value
  readonly onChange: (value: Value) => void
}): ReactNode {
  return (
    <fieldset className="segments">
      <legend className="visually-hidden">{label}</legend>
      {values.map(([own, title]) => (
        <button key={own} type="button" aria-pressed={own === value} onClick={() => onChange(own)}>
          {title}
        </button>
      ))}
    </fieldset>
  )
}
