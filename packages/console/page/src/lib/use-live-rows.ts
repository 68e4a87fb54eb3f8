import { useCallback, useEffect, useRef, useState } from 'react'
import { ask, stream } from './api.ts'
import type { EventRow } from './types.ts'

export interface LiveRows {
  /** Newest first. */
  readonly rows: readonly EventRow[]
  /** Rows that arrived while it is paused. */
  readonly held: number
  readonly state: 'connecting' | 'live' | 'lost'
  /** Fetches older ones; called when the end comes into sight. */
  readonly more: () => void
}

type State = Omit<LiveRows, 'more'>

const MAX_ROWS = 100_000
const RETRY_MS = 2_000
const PAGE = 1_000

function keyOf({ request, type, time }: EventRow): string {
  return `${request ?? ''} ${type} ${time}`
}

/**
 * Kept events that match, and those that arrive from now on.
 * @param query of `/events`, as in an address
 * @param matches whether an arriving event belongs to them
 */
export function useLiveRows(query: string, matches: (row: EventRow) => boolean, isPaused: boolean): LiveRows {
  const [shown, setShown] = useState<State>({ rows: [], held: 0, state: 'connecting' })
  const test = useRef(matches)
  test.current = matches
  const paused = useRef(isPaused)
  const waiting = useRef<readonly EventRow[]>([])
  useEffect(() => {
    paused.current = isPaused
    if (isPaused || waiting.current.length === 0) return
    const arrived = waiting.current
    waiting.current = []
    setShown(before => ({ ...before, rows: [...arrived, ...before.rows].slice(0, MAX_ROWS), held: 0 }))
  }, [isPaused])
  useEffect(() => {
    const controller = new AbortController()
    const { signal } = controller
    waiting.current = []
    const take = (arrived: readonly EventRow[]): void => {
      const newest = arrived.filter(row => test.current(row)).reverse()
      if (newest.length === 0) return
      if (paused.current) {
        waiting.current = [...newest, ...waiting.current].slice(0, MAX_ROWS)
        setShown(before => ({ ...before, held: waiting.current.length }))
      } else setShown(before => ({ ...before, rows: [...newest, ...before.rows].slice(0, MAX_ROWS) }))
    }
    const load = async (): Promise<void> => {
      const { events } = await ask<{ readonly events: readonly EventRow[] }>(
        `/events?limit=${PAGE}&${query}`,
        {
          signal,
        },
      )
      setShown(before => {
        const known = new Set(events.map(keyOf))
        const later = before.rows.filter(
          row => row.id === undefined && !known.has(keyOf(row)) && test.current(row),
        )
        return { rows: [...later, ...events], held: 0, state: before.state }
      })
    }
    const follow = async (): Promise<void> => {
      while (!signal.aborted) {
        try {
          const { ended } = await stream('/live', signal, (event, data) => {
            if (event === 'rows') take(JSON.parse(data) as readonly EventRow[])
          })
          await load()
          setShown(before => ({ ...before, state: 'live' }))
          await ended
        } catch {
          if (signal.aborted) return
        }
        setShown(before => ({ ...before, state: 'lost' }))
        await new Promise(resolve => setTimeout(resolve, RETRY_MS))
      }
    }
    setShown({ rows: [], held: 0, state: 'connecting' })
    void follow()
    return () => controller.abort()
  }, [query])
  const older = useRef<string>(undefined)
  const oldest = shown.rows.findLast(({ id }) => id !== undefined)?.id
  const more = useCallback((): void => {
    const path = `/events?limit=${PAGE}&before=${oldest}&${query}`
    if (oldest === undefined || older.current === path) return
    older.current = path
    ask<{ readonly events: readonly EventRow[] }>(path).then(
      ({ events }) => {
        if (older.current !== path) return
        setShown(before => ({ ...before, rows: [...before.rows, ...events].slice(0, MAX_ROWS) }))
      },
      () => {
        older.current = undefined
      },
    )
  }, [oldest, query])
  return { ...shown, more }
}
