import { type ReactNode, useState } from 'react'
import { ApiError, ask } from '../lib/api.ts'
import { to } from '../lib/route.ts'
import { useMay } from '../lib/session.ts'

interface Tried {
  readonly statuses: readonly number[]
  readonly requests: readonly string[]
}

const ATTACKS = [
  {
    name: 'sql-injection',
    title: 'SQL injection',
    text: 'A search that asks for every password hash as well.',
  },
  {
    name: 'path-traversal',
    title: 'Path traversal',
    text: 'A download that climbs out of its folder to /etc/passwd.',
  },
  {
    name: 'password-guessing',
    title: 'Password guessing',
    text: 'Eight guesses at one account, one after the other.',
  },
] as const

/** Three attacks to run against the gateway from here, and where to look then. */
export function FirstMinute(): ReactNode {
  const may = useMay('operator')
  const [results, setResults] = useState<Readonly<Record<string, Tried | string>>>({})
  const run = async (name: string): Promise<void> => {
    setResults(before => ({ ...before, [name]: 'Sending…' }))
    const result = await ask<Tried>(`/attacks/${name}`, { method: 'POST' }).catch((error: unknown) =>
      error instanceof ApiError ? error.message : 'This failed.',
    )
    setResults(before => ({ ...before, [name]: result }))
  }
  if (!may) return null
  return (
    <section className="card" aria-labelledby="first-minute">
      <h2 id="first-minute">Test the protection</h2>
      <ul className="attacks">
        {ATTACKS.map(({ name, title, text }) => {
          const result = results[name]
          return (
            <li key={name}>
              <div className="row spread">
                <b>{title}</b>
                <button
                  type="button"
                  className="button small"
                  disabled={result === 'Sending…'}
                  aria-label={`Run ${title}`}
                  onClick={() => void run(name)}
                >
                  Run
                </button>
              </div>
              <p className="muted small">{text}</p>
              <p className="small" role="status">
                {typeof result === 'string' ? result : result === undefined ? '' : <Outcome {...result} />}
              </p>
            </li>
          )
        })}
      </ul>
    </section>
  )
}

function Outcome({ statuses, requests }: Tried): ReactNode {
  const refused = statuses.filter(status => status === 403 || status === 429).length
  const last = requests.at(-1)
  return (
    <>
      <span className={refused > 0 ? 'badge deny' : 'badge'}>
        {refused === 0
          ? 'not refused'
          : statuses.length === 1
            ? 'refused'
            : `${refused} of ${statuses.length} refused`}
      </span>{' '}
      <span className="mono muted">{[...new Set(statuses)].join(', ')}</span>{' '}
      {last !== undefined && refused > 0 && <a href={to('why', last)}>See why</a>}
    </>
  )
}
