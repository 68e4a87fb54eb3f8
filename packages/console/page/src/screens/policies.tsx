import { type ReactNode, useState } from 'react'
import { ask } from '../lib/api.ts'
import { useMay } from '../lib/session.ts'
import { useAct } from '../lib/use-act.ts'
import { useAsked } from '../lib/use-asked.ts'
import { Problem } from '../parts/problem.tsx'
import { Empty, Loaded } from '../parts/states.tsx'
import { Table } from '../parts/table.tsx'

type Answer = 'always' | 'sometimes' | 'never'

interface Policies {
  readonly engine: 'postern' | 'other' | 'none'
  readonly acts: readonly {
    readonly action: string
    readonly type: string
    readonly needs: readonly string[]
    readonly unless: readonly string[]
  }[]
  readonly callers: readonly { readonly caller: string; readonly answers: readonly Answer[] }[]
  readonly routes: readonly { readonly route: string; readonly needs: readonly string[] }[]
}

interface Difference {
  readonly added: readonly string[]
  readonly removed: readonly string[]
  readonly changed: readonly string[]
  readonly access: readonly {
    readonly question: string
    readonly change: 'gains' | 'loses'
    readonly before: string
    readonly after: string
  }[]
  readonly asked: number
}

const SIGNS: Readonly<Record<Answer, string>> = { always: '●', sometimes: '◐', never: '·' }

/** Who can do what. */
export function PoliciesScreen(): ReactNode {
  const asked = useAsked<Policies>('/policies')
  return (
    <div className="stack">
      <h1>Policies</h1>
      <Loaded asked={asked}>
        {policies => (
          <>
            <Matrix {...policies} />
            {policies.engine === 'postern' && <FileDifference />}
            <Routes routes={policies.routes} />
          </>
        )}
      </Loaded>
    </div>
  )
}

function Matrix({ engine, acts, callers }: Policies): ReactNode {
  if (engine !== 'postern')
    return (
      <Empty title={engine === 'none' ? 'No policies are configured' : 'These policies cannot be shown'}>
        <span>
          {engine === 'none' ? (
            <>
              <code>policies</code> in the configuration names the file that holds them.
            </>
          ) : (
            'They belong to another policy engine. Ask it who can do what.'
          )}
        </span>
      </Empty>
    )
  return (
    <section className="card">
      <h2>Who can do what</h2>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard. */}
      <section className="scroll" aria-label="Matrix of callers and acts" tabIndex={0}>
        <table className="matrix">
          <thead>
            <tr>
              <th scope="col">Caller</th>
              {acts.map(({ action, type, needs, unless }) => (
                <th
                  key={`${action} ${type}`}
                  scope="col"
                  title={[...needs, ...unless.map(text => `unless ${text}`)].join('\n')}
                >
                  <span className="mono">{action}</span>
                  {type !== '' && <span className="mono muted"> {type}</span>}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {callers.map(({ caller, answers }) => (
              <tr key={caller}>
                <th scope="row">{caller}</th>
                {answers.map((answer, i) => (
                  <td key={`${acts[i]?.action} ${acts[i]?.type}`} className={answer}>
                    <span aria-hidden="true">{SIGNS[answer]}</span>
                    <span className="visually-hidden">{answer}</span>
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </section>
      <p className="muted small">
        ● with every row, ◐ with some, · with none. What needs a relationship reads as none.
      </p>
    </section>
  )
}

function FileDifference(): ReactNode {
  const may = useMay('operator')
  const [difference, setDifference] = useState<Difference>()
  const { isBusy, problem, run } = useAct()
  if (!may) return null
  return (
    <section className="card">
      <div className="row spread">
        <h2>Policy file compared with the policies in force</h2>
        <button
          type="button"
          className="button small"
          disabled={isBusy}
          onClick={() => void run(async () => setDifference(await ask<Difference>('/policies/diff')))}
        >
          Compare
        </button>
      </div>
      <Problem text={problem} />
      {difference === undefined ? (
        <p className="muted small">Shows who would gain or lose access before you apply a changed file.</p>
      ) : difference.access.length === 0 ? (
        <p>Nobody gains or loses anything, by {difference.asked} questions.</p>
      ) : (
        <ul className="findings-list">
          {difference.access.map(({ question, change, before, after }) => (
            <li key={question}>
              <span className={`badge ${change === 'gains' ? 'deny' : 'throttle'}`}>{change}</span>
              <span className="wrap">
                {question}{' '}
                <span className="muted">
                  {before} → {after}
                </span>
              </span>
            </li>
          ))}
        </ul>
      )}
    </section>
  )
}

function Routes({ routes }: Pick<Policies, 'routes'>): ReactNode {
  if (routes.length === 0) return null
  return (
    <section className="card">
      <h2>Routes with requirements</h2>
      <Table
        label="Routes"
        columns={[{ title: 'Route' }, { title: 'Needs' }]}
        rows={routes.map(({ route, needs }) => ({
          key: route,
          cells: [
            <span key="route" className="mono">
              {route}
            </span>,
            needs.join('; '),
          ],
        }))}
      />
    </section>
  )
}
