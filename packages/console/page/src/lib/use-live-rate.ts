import { useEffect, useRef, useState } from 'react'
import type { EventRow, Verdict } from './types.ts'
import { type LiveState, useLiveStream } from './use-live-stream.ts'

/** Requests of one second, by verdict. */
export type SecondCounts = Readonly<Record<Verdict, number>>

/** What arrives now. */
export interface LiveRate {
  readonly state: LiveState
  /** Epoch milliseconds of the beginning of each of the last seconds, the present one not among them. */
  readonly times: readonly number[]
  readonly counts: readonly SecondCounts[]
  /** The newest refused requests, newest first. */
  readonly refused: readonly EventRow[]
}

const SECONDS = 60
const MAX_REFUSED = 5

function none(): Record<Verdict, number> {
  return { allow: 0, observed: 0, challenge: 0, throttle: 0, deny: 0 }
}

/**
 * Counts live events by the second in which they arrive here. It is drawn once a second, and besides that
 * only when a refused request arrives, once a frame at most.
 * @param first refused requests from before, newest first
 */
export function useLiveRate(first: () => Promise<readonly EventRow[]>): LiveRate {
  const [now, setNow] = useState(() => Math.floor(Date.now() / 1_000))
  const [refused, setRefused] = useState<readonly EventRow[]>([])
  const seconds = useRef(new Map<number, Record<Verdict, number>>())
  useEffect(() => {
    const timer = setInterval(() => {
      const second = Math.floor(Date.now() / 1_000)
      for (const old of seconds.current.keys()) if (old < second - SECONDS) seconds.current.delete(old)
      setNow(second)
    }, 1_000)
    return () => clearInterval(timer)
  }, [])
  const add = (verdict: Verdict, requests: number): void => {
    const second = Math.floor(Date.now() / 1_000)
    const counts = seconds.current.get(second) ?? none()
    counts[verdict] += requests
    seconds.current.set(second, counts)
  }
  const state = useLiveStream('', {
    opened: async () => {
      const before = await first()
      setRefused(later => merged(later, before))
    },
    rows: rows => {
      const requests = rows.filter(({ type }) => type === 'http')
      for (const { verdict, weight } of requests) add(verdict, weight)
      const newest = requests.filter(({ verdict }) => verdict !== 'allow').reverse()
      if (newest.length > 0) setRefused(before => merged(newest, before))
    },
    missed: counts => {
      for (const [verdict, requests] of Object.entries(counts)) add(verdict as Verdict, requests)
    },
  })
  const times = Array.from({ length: SECONDS }, (_, i) => (now - SECONDS + i) * 1_000)
  return {
    state,
    times,
    counts: times.map(time => seconds.current.get(time / 1_000) ?? none()),
    refused,
  }
}

/** The newest of both, each request once. */
function merged(newer: readonly EventRow[], older: readonly EventRow[]): readonly EventRow[] {
  const known = new Set(newer.map(({ request }) => request))
  return [...newer, ...older.filter(({ request }) => !known.has(request))].slice(0, MAX_REFUSED)
}
