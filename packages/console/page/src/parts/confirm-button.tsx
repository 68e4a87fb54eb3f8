import { type ReactNode, useEffect, useState } from 'react'

const ASKS_MS = 4_000

/** A button for what cannot be taken back: the second press within four seconds does it. */
export function ConfirmButton({
  label,
  children,
  onConfirm,
}: {
  /** What it does and to whom, for whoever cannot see the row. */
  readonly label: string
  readonly children: string
  readonly onConfirm: () => void
}): ReactNode {
  const [isAsking, setAsking] = useState(false)
  useEffect(() => {
    if (!isAsking) return
    const timer = setTimeout(() => setAsking(false), ASKS_MS)
    return () => clearTimeout(timer)
  }, [isAsking])
  return (
    <button
      type="button"
      className={isAsking ? 'button small danger' : 'button small'}
      aria-label={isAsking ? `Really: ${label}` : label}
      onClick={() => {
        setAsking(!isAsking)
        if (isAsking) onConfirm()
      }}
      onBlur={() => setAsking(false)}
    >
      {isAsking ? 'Really?' : children}
    </button>
  )
}
