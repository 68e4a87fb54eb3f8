import type { UnitCounts } from '@postern/access'
import { memoryCounts, UNITS_CODEC, UnitsInWindow } from '@postern/access/start'
import type { CompiledConfig } from '@postern/config'
import { type Clock, openedWhenAsked, StoreError } from '@postern/core'
import { recordsIn } from '@postern/identity/stores'
import type { Connections } from '../stores/connections.ts'

const KIND = 'budget'
/** Counts that a process knows by itself: those it asked about last. */
const CAPACITY = 100_000

/**
 * Where the budgets of routes are counted, for all processes and threads: in Redis or PostgreSQL, else in the
 * data directory. Undefined where nothing is kept: then each thread counts by itself.
 *
 * When the store does not answer, this process goes on from what it knows, unless `stores.failure` is
 * `closed`: even `open` is about limits of requests, and a budget is what a stolen session may destroy.
 */
export function budgetCounts(
  { stores }: CompiledConfig,
  connections: Connections,
  clock: Clock,
): UnitCounts | undefined {
  const { redis, postgres, isMemoryOnly } = connections
  if (redis === undefined && postgres === undefined && isMemoryOnly) return undefined
  const shared = openedWhenAsked(() =>
    recordsIn(
      redis !== undefined
        ? { redis, clock }
        : postgres !== undefined
          ? { postgres, clock }
          : { sqlite: connections.sqlite, clock },
      KIND,
      UNITS_CODEC,
    ),
  )
  const own = memoryCounts(CAPACITY, UnitsInWindow.NONE)
  return {
    update: async (key, step) => {
      try {
        const { units, result } = await (await shared.get()).update(key, kept => {
          const { record, result } = step(kept)
          const known = { units: record ?? kept, result }
          return record === undefined ? { result: known } : { record, result: known }
        })
        await own.update(key, () => ({ record: units, result: undefined }))
        return result
      } catch (error) {
        if (!(error instanceof StoreError) || stores.failure === 'closed') throw error
        return own.update(key, step)
      }
    },
  }
}
