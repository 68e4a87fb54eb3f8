import type { ReactNode } from 'react'

/** A key beside what it does, for people who look: what it does is said by the control itself. */
export function Key({ children }: { readonly children: ReactNode }): ReactNode {
  return (
    <span className="key" aria-hidden="true">
      {children}
    </span>
  )
}
