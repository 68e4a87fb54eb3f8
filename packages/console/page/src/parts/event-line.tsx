import { memo, type ReactNode } from 'react'
import { clockTime, decoded, milliseconds } from '../lib/format.ts'
import { to } from '../lib/route.ts'
import type { EventRow } from '../lib/types.ts'
import { EventBadge, hasBadge } from './verdict-badge.tsx'

/** What a click on a part of a row filters by. */
export type FilterBy = (name: 'rule' | 'address' | 'principal' | 'route', value: string) => void

/** One event as a line. Drawn again only when it is another event. */
export const EventLine: (props: LineProps) => ReactNode = memo(PlainLine)

interface LineProps {
  readonly row: EventRow
  readonly onFilter: FilterBy | undefined
}

function PlainLine({ row, onFilter }: LineProps): ReactNode {
  const who = row.principal ?? row.address
  const kind = row.principal === undefined ? 'address' : 'principal'
  return (
    <>
      <time className="mono muted">{clockTime(row.time)}</time>
      {hasBadge(row.type) ? (
        <EventBadge type={row.type} verdict={row.verdict} />
      ) : (
        <span className="badge">event</span>
      )}
      <span className="mono number status">{row.status ?? ''}</span>
      <span className="cut what">
        {row.request === undefined ? (
          textOf(row)
        ) : (
          <a href={to('why', row.request)} className={row.type === 'http' ? 'mono' : ''} title={textOf(row)}>
            {textOf(row)}
          </a>
        )}
        {row.weight > 1 && <span className="muted"> × {row.weight}</span>}
      </span>
      <span className="cut rule">
        {row.rule !== undefined && (
          <Filter onFilter={onFilter} name="rule" value={row.rule}>
            {row.rule}
          </Filter>
        )}
      </span>
      <span className="cut who">
        {who !== undefined && (
          <Filter onFilter={onFilter} name={kind} value={who}>
            {who}
          </Filter>
        )}
      </span>
      <span className="number muted layer">{row.layer === undefined ? '' : milliseconds(row.layer)}</span>
    </>
  )
}

function Filter({
  onFilter,
  name,
  value,
  children,
}: {
  readonly onFilter: FilterBy | undefined
  readonly name: 'rule' | 'address' | 'principal'
  readonly value: string
  readonly children: ReactNode
}): ReactNode {
  if (onFilter === undefined) {
    if (name === 'rule') return <span className="mono">{children}</span>
    return (
      <a className="mono" href={to('actor', name, value)}>
        {children}
      </a>
    )
  }
  return (
    <button
      type="button"
      className="link mono"
      title={`Only ${name} ${value}`}
      onClick={() => onFilter(name, value)}
    >
      {children}
    </button>
  )
}

function textOf(row: EventRow): string {
  if (row.type === 'http') return whatOf(row)
  return hasBadge(row.type) ? sentenceOf(row) : `${row.type} ${sentenceOf(row)}`.trim()
}

/** Method and decoded target. */
export function whatOf({ method = '', path = '', query = '' }: EventRow): string {
  return `${method} ${decoded(path)}${query === '' ? '' : `?${decoded(query)}`}`
}

/** What an event that is no request says. */
export function sentenceOf({ type, data, action }: EventRow): string {
  const facts = (data ?? {}) as Readonly<Record<string, unknown>>
  if (type === 'finding')
    return `${String(facts['title'] ?? facts['scenario'])}: ${String(facts['actorValue'] ?? '')}`
  if (type.startsWith('remediation.'))
    return `${String(facts['measure'] ?? '')} of ${String(facts['actorValue'] ?? '')}: ${String(facts['reason'] ?? '')}`
  if (type === 'config.reloaded') return 'read again'
  const rest = Object.entries(facts)
    .map(([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join(' ')
  return `${action ?? ''} ${rest}`.trim()
}
