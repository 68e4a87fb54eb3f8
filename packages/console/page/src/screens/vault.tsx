import { type ReactNode, useState } from 'react'
import { count, dateTime } from '../lib/format.ts'
import { useAsked } from '../lib/use-asked.ts'
import { Fact } from '../parts/facts.tsx'
import { Segments } from '../parts/segments.tsx'
import { Empty, Loaded } from '../parts/states.tsx'
import { Table } from '../parts/table.tsx'

interface Reading {
  readonly path: string
  readonly problem?: string
  readonly id?: number
  readonly frozen?: Readonly<Record<string, string>>
  readonly opened?: number
  readonly limit?: number
  readonly canaries?: number
}

interface Vault {
  readonly kept: boolean
  readonly columns: readonly {
    readonly column: string
    readonly mode: string
    readonly state: string
    readonly epoch: number
  }[]
  readonly holders: readonly {
    readonly id: number
    readonly isUp: boolean
    readonly administrator?: string
  }[]
  readonly trustDomains: { readonly count: number; readonly reasons: readonly string[] }
  readonly readings: readonly Reading[]
}

interface Openings {
  readonly openers: readonly {
    readonly who: string
    readonly records: number
    readonly requests: number
    readonly tables: readonly string[]
    readonly lastAt: number
  }[]
  readonly refusals: readonly { readonly time: number; readonly who: string; readonly refused: string }[]
  readonly freezes: readonly { readonly time: number; readonly who: string; readonly reason: string }[]
}

const EVERY_MS = 10_000
const HOURS = [
  ['24', '24 hours'],
  ['168', '7 days'],
  ['744', '31 days'],
] as const

/** Encrypted columns, who holds their keys, and who opened what. */
export function VaultScreen(): ReactNode {
  const asked = useAsked<Vault>('/vault', EVERY_MS)
  return (
    <div className="stack">
      <h1>Vault</h1>
      <Loaded asked={asked}>
        {vault =>
          vault.kept ? (
            <>
              <Contents {...vault} />
              <WhoOpened />
            </>
          ) : (
            <Empty title="No vault is configured">
              <span>
                <code>postern vault init</code> encrypts columns record by record.
              </span>
            </Empty>
          )
        }
      </Loaded>
    </div>
  )
}

function Contents({ columns, holders, trustDomains, readings }: Vault): ReactNode {
  return (
    <>
      <div className="halves">
        <section className="card">
          <h2>Holders</h2>
          <p>
            <b>
              {trustDomains.count} {trustDomains.count === 1 ? 'trust domain' : 'trust domains'}
            </b>
          </p>
          {trustDomains.reasons.map(reason => (
            <p key={reason} className="muted small">
              {reason}
            </p>
          ))}
          <Table
            label="Holders"
            columns={[{ title: 'Holder' }, { title: 'State' }, { title: 'Administrator' }]}
            rows={holders.map(({ id, isUp, administrator }) => ({
              key: String(id),
              cells: [
                id,
                <span key="state" className={isUp ? 'badge allow' : 'badge deny'}>
                  {isUp ? 'answers' : 'does not answer'}
                </span>,
                administrator ?? '',
              ],
            }))}
          />
        </section>
        <section className="card">
          <h2>Columns</h2>
          <Table
            label="Columns"
            columns={[
              { title: 'Column' },
              { title: 'Mode' },
              { title: 'State' },
              { title: 'Epoch', isNumber: true },
            ]}
            rows={columns.map(({ column, mode, state, epoch }) => ({
              key: column,
              cells: [
                <span key="column" className="mono">
                  {column}
                </span>,
                mode,
                state,
                epoch,
              ],
            }))}
          />
        </section>
      </div>
      {readings.length > 0 && (
        <section className="card">
          <h2>Budgets and canaries</h2>
          <ul className="stack">
            {readings.map(reading => (
              <li key={reading.path}>
                <HolderReading {...reading} />
              </li>
            ))}
          </ul>
        </section>
      )}
    </>
  )
}

function HolderReading({ path, problem, id, frozen = {}, opened = 0, limit, canaries }: Reading): ReactNode {
  if (problem !== undefined)
    return (
      <p className="notice bad wrap">
        <span className="mono">{path}</span>: {problem}
      </p>
    )
  return (
    <div className="limit">
      <div className="row spread small">
        <b>Holder {id}</b>
        <span>
          {count(opened)} records opened{limit !== undefined && ` of ${count(limit)}`}
          {canaries !== undefined && `, ${canaries} canaries`}
        </span>
      </div>
      {limit !== undefined && (
        <span className="track">
          <span
            className={opened >= limit ? 'deny' : ''}
            style={{ width: `${Math.min(100, (opened / Math.max(1, limit)) * 100)}%` }}
          />
        </span>
      )}
      {Object.entries(frozen).map(([actor, why]) => (
        <p key={actor} className="small wrap">
          <span className="badge deny">frozen</span> <span className="mono">{actor}</span>: {why}
        </p>
      ))}
    </div>
  )
}

function WhoOpened(): ReactNode {
  const [hours, setHours] = useState<(typeof HOURS)[number][0]>('24')
  const asked = useAsked<Openings>(`/vault/openings?hours=${hours}`, EVERY_MS)
  return (
    <section className="card">
      <div className="row spread">
        <h2>Who opened what</h2>
        <Segments label="Span" values={HOURS} value={hours} onChange={setHours} />
      </div>
      <Loaded asked={asked}>
        {({ openers, refusals, freezes }) => (
          <div className="stack">
            {openers.length === 0 ? (
              <Empty title="Nobody opened a record in this span" />
            ) : (
              <Table
                label="Who opened what"
                columns={[
                  { title: 'Who' },
                  { title: 'Tables' },
                  { title: 'Records', isNumber: true },
                  { title: 'Requests', isNumber: true },
                  { title: 'Last' },
                ]}
                rows={openers.map(({ who, tables, records, requests, lastAt }) => ({
                  key: who,
                  cells: [
                    <span key="who" className="mono">
                      {who}
                    </span>,
                    tables.join(', '),
                    count(records),
                    count(requests),
                    dateTime(lastAt),
                  ],
                }))}
              />
            )}
            <dl className="facts">
              {refusals.slice(0, 8).map(({ time, who, refused }) => (
                <Fact key={`${time} ${who} ${refused}`} name={`Refused, ${dateTime(time)}`}>
                  {who}: {refused}
                </Fact>
              ))}
              {freezes.slice(0, 8).map(({ time, who, reason }) => (
                <Fact key={`${time} ${who} ${reason}`} name={`Frozen, ${dateTime(time)}`}>
                  {who}: {reason}
                </Fact>
              ))}
            </dl>
          </div>
        )}
      </Loaded>
    </section>
  )
}
