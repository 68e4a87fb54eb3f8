import { type ReactNode, useState } from 'react'
import { ownKey } from '../lib/own-key.ts'
import { to } from '../lib/route.ts'
import { useMay } from '../lib/session.ts'
import { type Attempt, refusedOf, useAttacks } from '../lib/tried-attacks.ts'

const ATTACKS = [
  {
    name: 'sql-injection',
    title: 'SQL injection',
    text: 'A search that also asks for every password hash.',
  },
  {
    name: 'path-traversal',
    title: 'Path traversal',
    text: 'A download that climbs out of its folder to /etc/passwd.',
  },
  {
    name: 'password-guessing',
    title: 'Password guessing',
    text: 'Eight guesses at one account, one after another.',
  },
] as const

const HIDDEN = ownKey('first-minute')

/**
 * Three attacks to run against the gateway from here, and where to look then. It can be folded away.
 * @param isNew whether the gateway has seen little yet: then it is open
 */
export function FirstMinute({ isNew }: { readonly isNew: boolean }): ReactNode {
  const may = useMay('operator')
  const [isOpen, setOpen] = useState(() => isNew && localStorage.getItem(HIDDEN) === null)
  const { attempts, run } = useAttacks()
  if (!may) return null
  if (!isOpen)
    return (
      <p>
        <button type="button" className="button small" onClick={() => setOpen(true)}>
          Test the protection…
        </button>
      </p>
    )
  return (
    <section className="card" aria-labelledby="first-minute">
      <div className="row spread">
        <h2 id="first-minute">Test the protection</h2>
        <button
          type="button"
          className="button small quiet"
          onClick={() => {
            localStorage.setItem(HIDDEN, 'yes')
            setOpen(false)
          }}
        >
          Hide
        </button>
      </div>
      <p className="muted small">
        Run an attack: it appears above. See why it was refused, let it pass, and run it again.
      </p>
      <ul className="attacks">
        {ATTACKS.map(({ name, title, text }) => {
          const attempt = attempts[name]
          return (
            <li key={name}>
              <div className="row spread">
                <b>{title}</b>
                <button
                  type="button"
                  className="button small"
                  disabled={attempt?.kind === 'sending'}
                  aria-label={`Run ${title}`}
                  onClick={() => void run(name)}
                >
                  {attempt?.kind === 'done' ? 'Run again' : 'Run'}
                </button>
              </div>
              <p className="muted small">{text}</p>
              <p className="small row" role="status">
                {attempt !== undefined && <Outcome attempt={attempt} />}
              </p>
            </li>
          )
        })}
      </ul>
    </section>
  )
}

function Outcome({ attempt }: { readonly attempt: Attempt }): ReactNode {
  if (attempt.kind === 'sending') return 'Sending…'
  if (attempt.kind === 'failed') return attempt.message
  const { tried, wasRefused } = attempt
  const { statuses, requests } = tried
  const refused = refusedOf(tried)
  const last = requests.at(-1)
  const codes = <span className="mono muted">{[...new Set(statuses)].join(', ')}</span>
  if (refused === 0)
    return (
      <>
        <span className={wasRefused ? 'badge allow' : 'badge'}>
          {wasRefused ? 'now passes' : 'not refused'}
        </span>
        {codes}
      </>
    )
  return (
    <>
      <span className="badge deny">
        {statuses.length === 1 ? 'refused' : `${refused} of ${statuses.length} refused`}
      </span>
      {codes}
      {last !== undefined && <a href={to('why', last)}>See why</a>}
    </>
  )
}
