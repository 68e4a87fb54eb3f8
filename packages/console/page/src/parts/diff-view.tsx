import type { ReactNode } from 'react'
import type { DiffLine } from '../lib/types.ts'

const SIGNS = { same: ' ', added: '+', removed: '−' } as const

/** Changed lines of a file, with a little around them. */
export function DiffView({
  title,
  diff,
}: {
  readonly title: string
  readonly diff: readonly DiffLine[]
}): ReactNode {
  let line = 0
  return (
    <figure className="diff">
      <figcaption className="mono small muted wrap">{title}</figcaption>
      <pre>
        {diff.map(({ kind, text }) => {
          line++
          return (
            <span key={line} className={kind}>
              {SIGNS[kind]} {text}
              {'\n'}
            </span>
          )
        })}
      </pre>
    </figure>
  )
}
