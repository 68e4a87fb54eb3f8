import { type KeyboardEvent, type ReactNode, useCallback, useEffect, useRef, useState } from 'react'
import { count } from '../lib/format.ts'
import type { Lines } from '../lib/line-list.ts'
import { go } from '../lib/route.ts'
import type { EventRow } from '../lib/types.ts'
import { useKeys } from '../lib/use-keys.ts'
import { EventLine, type FilterBy } from './event-line.tsx'

const ROW = 34
/** Lines are drawn in blocks: scrolling within one draws nothing new. */
const BLOCK = 4
const BESIDE = 4

/**
 * Events as lines, newest first. Only the lines in sight and a few beside them are drawn, so that 100,000
 * scroll like ten.
 */
export function EventList({
  rows,
  onFilter,
  onEnd,
  onReading,
  newer = 0,
  label,
}: {
  readonly rows: Lines
  readonly onFilter?: FilterBy
  /** Called when the last line comes into sight. */
  readonly onEnd?: () => void
  /** Called when somebody begins or ends to read: has scrolled, or chosen a line. */
  readonly onReading?: (isReading: boolean) => void
  /** Events that arrived while somebody reads, and wait above. */
  readonly newer?: number
  readonly label: string
}): ReactNode {
  const box = useRef<HTMLElement>(null)
  const [view, setView] = useState({ first: 0, lines: 24 })
  const [isScrolled, setScrolled] = useState(false)
  const [chosen, setChosen] = useState(-1)
  const first = Math.max(0, view.first - BESIDE)
  const last = Math.min(rows.length, view.first + view.lines + BESIDE)
  const isAtEnd = rows.length > 0 && last >= rows.length && view.first > 0
  // biome-ignore lint/correctness/useExhaustiveDependencies: each page of lines may end in sight again.
  useEffect(() => {
    if (isAtEnd) onEnd?.()
  }, [isAtEnd, rows.length])
  const isReading = isScrolled || chosen >= 0
  useEffect(() => onReading?.(isReading), [isReading, onReading])
  const measure = useCallback(({ scrollTop, clientHeight }: HTMLElement): void => {
    const top = Math.floor(scrollTop / ROW / BLOCK) * BLOCK
    const lines = Math.ceil(clientHeight / ROW / BLOCK + 1) * BLOCK
    setScrolled(scrollTop > 0)
    setView(before => (before.first === top && before.lines === lines ? before : { first: top, lines }))
  }, [])
  useEffect(() => {
    const element = box.current
    if (element === null) return
    const observer = new ResizeObserver(() => measure(element))
    observer.observe(element)
    measure(element)
    return () => observer.disconnect()
  }, [measure])
  const choose = (index: number): void => {
    const element = box.current
    const next = Math.max(0, Math.min(rows.length - 1, index))
    setChosen(next)
    if (element === null) return
    if (next * ROW < element.scrollTop) element.scrollTop = next * ROW
    if ((next + 1) * ROW > element.scrollTop + element.clientHeight)
      element.scrollTop = (next + 1) * ROW - element.clientHeight
  }
  const toNewest = (): void => {
    setChosen(-1)
    if (box.current !== null) box.current.scrollTop = 0
  }
  useKeys({
    j: () => choose(chosen + 1),
    k: () => choose(chosen - 1),
    ...(isReading && { Escape: toNewest }),
    ...(chosen >= 0 && { Enter: () => open(rows.at(chosen)) }),
  })
  const move = (event: KeyboardEvent): void => {
    if (event.target !== event.currentTarget) return
    if (event.key === 'ArrowDown') choose(chosen + 1)
    else if (event.key === 'ArrowUp') choose(chosen - 1)
    else return
    event.preventDefault()
  }
  return (
    <div className="event-list">
      {newer > 0 && (
        <button type="button" className="newer" onClick={toNewest}>
          <span aria-hidden="true">↑</span> {count(newer)} newer
        </button>
      )}
      <section
        ref={box}
        className="events"
        aria-label={label}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard.
        tabIndex={0}
        onKeyDown={move}
        onScroll={event => measure(event.currentTarget)}
      >
        <ol style={{ height: rows.length * ROW }}>
          {Array.from({ length: Math.max(0, last - first) }, (_, i) => {
            const row = rows.at(first + i)
            return (
              row !== undefined && (
                <li
                  key={row.id ?? `${row.type}-${row.request ?? first + i}-${row.time}`}
                  className={first + i === chosen ? 'event chosen' : 'event'}
                  style={{ top: (first + i) * ROW }}
                >
                  <EventLine row={row} onFilter={onFilter} />
                </li>
              )
            )
          })}
        </ol>
      </section>
    </div>
  )
}

function open(row: EventRow | undefined): void {
  if (row?.request !== undefined) go('why', row.request)
}
