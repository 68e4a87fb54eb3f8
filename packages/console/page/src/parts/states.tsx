import type { ReactNode } from 'react'
import type { Asked } from '../lib/use-asked.ts'

export function Empty({
  title,
  children,
}: {
  readonly title: string
  readonly children?: ReactNode
}): ReactNode {
  return (
    <div className="state">
      <strong>{title}</strong>
      {children}
    </div>
  )
}

/** Shows what was asked once it is there; meanwhile that it is coming, or why it is not. */
export function Loaded<Answer>({
  asked,
  children,
}: {
  readonly asked: Asked<Answer>
  readonly children: (value: Answer) => ReactNode
}): ReactNode {
  const { value, error, again } = asked
  if (value === undefined && error === undefined)
    return (
      <div className="state" role="status">
        Loading…
      </div>
    )
  return (
    <>
      {error !== undefined && (
        <div className="notice bad row spread" role="alert">
          <span>{error.message}</span>
          <button type="button" className="button small" onClick={again}>
            Try again
          </button>
        </div>
      )}
      {value !== undefined && children(value)}
    </>
  )
}
