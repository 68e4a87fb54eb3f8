import { useCallback, useEffect, useReducer, useRef } from 'react'
import { ask } from './api.ts'
import { LineList, type Lines } from './line-list.ts'
import type { EventRow } from './types.ts'
import { type LiveState, useLiveStream } from './use-live-stream.ts'

export interface LiveRows {
  /** Newest first. The same list each time: it changes in place. */
  readonly rows: Lines
  /** Rows that arrived while it is held. */
  readonly held: number
  readonly state: LiveState
  /** Fetches older ones; called when the end comes into sight. */
  readonly more: () => void
}

const MAX_ROWS = 100_000
const PAGE = 1_000

interface Page {
  readonly events: readonly EventRow[]
}

function keyOf({ request, type, time }: EventRow): string {
  return `${request ?? ''} ${type} ${time}`
}

/**
 * Kept events that match, and those that arrive from now on.
 * @param query of `/events`, as in an address
 * @param matches whether an arriving event belongs to them
 * @param isHeld whether arriving rows wait, so that what is read stays where it is
 */
export function useLiveRows(query: string, matches: (row: EventRow) => boolean, isHeld: boolean): LiveRows {
  const [, draw] = useReducer((turn: number) => turn + 1, 0)
  const shown = useRef<{ readonly query: string; readonly lines: LineList; waiting: EventRow[] }>(undefined)
  if (shown.current?.query !== query) shown.current = { query, lines: new LineList(MAX_ROWS), waiting: [] }
  const { current } = shown
  const held = useRef(isHeld)
  held.current = isHeld
  useEffect(() => {
    if (isHeld || current.waiting.length === 0) return
    current.lines.addNewer(current.waiting)
    current.waiting = []
    draw()
  }, [isHeld, current])
  const state = useLiveStream(query, {
    opened: async signal => {
      const { events } = await ask<Page>(`/events?limit=${PAGE}&${query}`, { signal })
      const known = new Set(events.map(keyOf))
      const later = current.lines.filter(row => row.id === undefined && !known.has(keyOf(row)))
      current.lines.replace([...later, ...events])
      draw()
    },
    rows: arrived => {
      const own = arrived.filter(matches)
      if (own.length === 0) return
      if (held.current) {
        for (const row of own) current.waiting.push(row)
        if (current.waiting.length > MAX_ROWS) current.waiting.splice(0, current.waiting.length - MAX_ROWS)
      } else current.lines.addNewer(own)
      draw()
    },
  })
  const asked = useRef<string>(undefined)
  const more = useCallback((): void => {
    const oldest = current.lines.oldestId
    const path = `/events?limit=${PAGE}&before=${oldest}&${query}`
    if (oldest === undefined || asked.current === path) return
    asked.current = path
    ask<Page>(path).then(
      ({ events }) => {
        if (asked.current !== path) return
        current.lines.addOlder(events)
        draw()
      },
      () => {
        asked.current = undefined
      },
    )
  }, [current, query])
  return { rows: current.lines, held: current.waiting.length, state, more }
}
