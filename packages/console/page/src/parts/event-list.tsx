import { type KeyboardEvent, type ReactNode, useEffect, useRef, useState } from 'react'
import { clockTime, decoded, milliseconds } from '../lib/format.ts'
import { go, to } from '../lib/route.ts'
import type { EventRow } from '../lib/types.ts'
import { useKeys } from '../lib/use-keys.ts'
import { EventBadge } from './verdict-badge.tsx'

/** What a click on a part of a row filters by. */
export type FilterBy = (name: 'rule' | 'address' | 'principal' | 'route', value: string) => void

const ROW = 34
const BESIDE = 12

/**
 * Events as lines, newest first. Only the lines in sight are drawn, so that 100,000 scroll like ten. While
 * it is
 * scrolled, new lines arrive above without moving what is read.
 */
export function EventList({
  rows,
  onFilter,
  onEnd,
  label,
}: {
  readonly rows: readonly EventRow[]
  readonly onFilter?: FilterBy
  /** Called when the last line comes into sight. */
  readonly onEnd?: () => void
  readonly label: string
}): ReactNode {
  const box = useRef<HTMLElement>(null)
  const [view, setView] = useState({ top: 0, height: 600 })
  const [chosen, setChosen] = useState(-1)
  const first = Math.max(0, Math.floor(view.top / ROW) - BESIDE)
  const last = Math.min(rows.length, Math.ceil((view.top + view.height) / ROW) + BESIDE)
  const isAtEnd = rows.length > 0 && last >= rows.length && view.top > 0
  // biome-ignore lint/correctness/useExhaustiveDependencies: each page of lines may end in sight again.
  useEffect(() => {
    if (isAtEnd) onEnd?.()
  }, [isAtEnd, rows.length])
  useEffect(() => {
    const element = box.current
    if (element === null) return
    const measure = (): void => setView({ top: element.scrollTop, height: element.clientHeight })
    const observer = new ResizeObserver(measure)
    observer.observe(element)
    measure()
    return () => observer.disconnect()
  }, [])
  const choose = (index: number): void => {
    const element = box.current
    const next = Math.max(0, Math.min(rows.length - 1, index))
    setChosen(next)
    if (element === null) return
    if (next * ROW < element.scrollTop) element.scrollTop = next * ROW
    if ((next + 1) * ROW > element.scrollTop + element.clientHeight)
      element.scrollTop = (next + 1) * ROW - element.clientHeight
  }
  const open = (row: EventRow | undefined): void => {
    if (row?.request !== undefined) go('why', row.request)
  }
  useKeys({
    j: () => choose(chosen + 1),
    k: () => choose(chosen - 1),
    ...(chosen >= 0 && { Enter: () => open(rows[chosen]) }),
  })
  const move = (event: KeyboardEvent): void => {
    if (event.target !== event.currentTarget) return
    if (event.key === 'ArrowDown') choose(chosen + 1)
    else if (event.key === 'ArrowUp') choose(chosen - 1)
    else return
    event.preventDefault()
  }
  return (
    <section
      ref={box}
      className="events"
      aria-label={label}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard.
      tabIndex={0}
      onKeyDown={move}
      onScroll={event => {
        const { scrollTop, clientHeight } = event.currentTarget
        setView({ top: scrollTop, height: clientHeight })
      }}
    >
      <ol style={{ height: rows.length * ROW }}>
        {rows.slice(first, last).map((row, i) => (
          <li
            key={row.id ?? `${row.type}-${row.request ?? first + i}-${row.time}`}
            className={first + i === chosen ? 'event chosen' : 'event'}
            style={{ top: (first + i) * ROW }}
          >
            <EventLine row={row} onFilter={onFilter} />
          </li>
        ))}
      </ol>
    </section>
  )
}

function EventLine({
  row,
  onFilter,
}: {
  readonly row: EventRow
  readonly onFilter: FilterBy | undefined
}): ReactNode {
  const who = row.principal ?? row.address
  const kind = row.principal === undefined ? 'address' : 'principal'
  return (
    <>
      <time className="mono muted">{clockTime(row.time)}</time>
      <EventBadge type={row.type} verdict={row.verdict} />
      <span className="mono number status">{row.status ?? ''}</span>
      <span className="cut what">
        {row.request === undefined ? (
          sentenceOf(row)
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
  return row.type === 'http' ? whatOf(row) : sentenceOf(row)
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
