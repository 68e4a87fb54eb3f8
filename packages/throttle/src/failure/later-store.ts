import { type Health, StoreError, systemTimers, type Timers } from '@postern/core'
import type { LimitStore } from '../limit/limit-store.ts'

/** How often a store that could not be prepared is tried again, milliseconds. */
const PAUSE = 1_000

/**
 * A store that could not be prepared yet, because its server was away at the start: every question rejects,
 * so that the failure policy decides, until preparing it works.
 * @param prepare makes the store; tried each second
 */
export function laterStore(
  name: string,
  prepare: () => Promise<LimitStore>,
  timers: Timers = systemTimers,
): LimitStore {
  let store: LimitStore | undefined
  let isClosed = false
  let problem = 'is not connected yet'
  const away = (): StoreError => new StoreError(problem, { store: name, retryable: true })
  const attempt = (): void => {
    if (isClosed) return
    prepare().then(
      prepared => {
        store = prepared
        if (isClosed) void prepared.close()
      },
      (error: unknown) => {
        problem = error instanceof Error ? error.message : problem
        timers.after(PAUSE, attempt)
      },
    )
  }
  timers.after(PAUSE, attempt)
  return {
    name,
    decide: question => (store === undefined ? Promise.reject(away()) : store.decide(question)),
    release: (limit, key, rule, ticket, cost) => store?.release(limit, key, rule, ticket, cost),
    reset: (limit, key) => (store === undefined ? Promise.reject(away()) : store.reset(limit, key)),
    health: (): Health => store?.health() ?? { name: 'limits', ok: false, required: false, detail: problem },
    close: async () => {
      isClosed = true
      await store?.close()
    },
  }
}
