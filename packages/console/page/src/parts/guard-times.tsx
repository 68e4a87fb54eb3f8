import type { ReactNode } from 'react'
import { milliseconds } from '../lib/format.ts'
import type { GuardTime } from '../lib/types.ts'

const WORDS: Readonly<Record<string, string>> = {
  forwarding: 'proxy headers',
  remediation: 'bans',
  protocol: 'HTTP itself',
  throttle: 'limits',
  login: 'login defence',
  inspect: 'attacks',
  csrf: 'other sites',
  parameters: 'parameters',
  clients: 'block lists',
  access: 'who may do this',
  identify: 'who acts',
}

/** The guards that were asked, in their order, with the time each took; the one that refused is the last. */
export function GuardTimes({
  guards,
  refusing,
}: {
  readonly guards: readonly GuardTime[]
  readonly refusing: string | undefined
}): ReactNode {
  const most = Math.max(0.001, ...guards.map(({ ms }) => ms))
  const total = guards.reduce((sum, { ms }) => sum + ms, 0)
  return (
    <>
      <ol className="guards">
        {guards.map(({ guard, ms }, i) => {
          const isRefusing =
            guard === refusing && i === guards.findLastIndex(other => other.guard === refusing)
          return (
            <li
              key={`${guard} ${guards.slice(0, i).filter(other => other.guard === guard).length}`}
              className={isRefusing ? 'refusing' : ''}
            >
              <span className="mono">{guard}</span>
              <span className="muted small cut">{WORDS[guard] ?? ''}</span>
              <span className="track">
                <span style={{ width: `${Math.max(1, (ms / most) * 100)}%` }} />
              </span>
              <span className="number small">{milliseconds(ms)}</span>
              <span className={isRefusing ? 'badge deny' : 'badge allow'}>
                {isRefusing ? 'refused' : 'passed'}
              </span>
            </li>
          )
        })}
      </ol>
      <p className="muted small">{milliseconds(total)} in all.</p>
    </>
  )
}
