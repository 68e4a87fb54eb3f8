import { useEffect, useRef, useState } from 'react'
import { stream } from './api.ts'
import { frameBatch } from './frame-batch.ts'
import type { EventRow, VerdictCounts } from './types.ts'

export type LiveState = 'connecting' | 'live' | 'lost'

/** What is done with live events. */
export interface LiveHandlers {
  /** Fetches what was before; called each time the stream has been opened. */
  opened?(signal: AbortSignal): Promise<void>
  /** Takes the rows of one frame, oldest first. */
  rows(rows: readonly EventRow[]): void
  /** Takes how many requests were left out of a flood, by verdict. */
  missed?(counts: VerdictCounts): void
}

const RETRY_MS = 2_000
const MAX_WAITING = 100_000

/**
 * Follows the live events for as long as the component is shown, and opens them again when they end.
 * @param query opens them anew when it changes
 */
export function useLiveStream(query: string, handlers: LiveHandlers): LiveState {
  const [state, setState] = useState<LiveState>('connecting')
  const latest = useRef(handlers)
  latest.current = handlers
  // biome-ignore lint/correctness/useExhaustiveDependencies: another query starts again.
  useEffect(() => {
    const controller = new AbortController()
    const { signal } = controller
    const batch = frameBatch<EventRow>(MAX_WAITING, rows => latest.current.rows(rows))
    const follow = async (): Promise<void> => {
      while (!signal.aborted) {
        try {
          const { ended } = await stream('/live', signal, (event, data) => {
            if (event === 'rows') batch.add(JSON.parse(data) as readonly EventRow[])
            if (event === 'missed') latest.current.missed?.(JSON.parse(data) as VerdictCounts)
          })
          await latest.current.opened?.(signal)
          setState('live')
          await ended
        } catch {
          if (signal.aborted) return
        }
        setState('lost')
        await new Promise(resolve => setTimeout(resolve, RETRY_MS))
      }
    }
    setState('connecting')
    void follow()
    return () => {
      controller.abort()
      batch.cancel()
    }
  }, [query])
  return state
}
