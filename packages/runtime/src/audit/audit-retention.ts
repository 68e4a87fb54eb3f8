import type { Retained } from '@postern/audit'
import type { Clock, Event } from '@postern/core'
import { RepeatedWork } from '../lifetime/repeated-work.ts'

const EVERY_MS = 3_600_000

export interface AuditRetentionOptions {
  /** Removes entries from before a time, in epoch milliseconds. */
  readonly removeBefore: (time: number) => Promise<Retained>
  /** Milliseconds that entries are kept. */
  readonly keep: number
  readonly clock: Clock
  /** Receives what was removed. */
  readonly emit: (event: Event) => void
}

/**
 * Removes old entries at the start and each hour. Every proof stays. Several instances may do so at once:
 * what one removed, another leaves.
 */
export function auditRetention({ removeBefore, keep, clock, emit }: AuditRetentionOptions): RepeatedWork {
  return new RepeatedWork({
    name: 'audit retention',
    every: EVERY_MS,
    work: async () => {
      const { bundles, minimumIndex } = await removeBefore(clock.now() - keep)
      if (bundles > 0)
        emit({ type: 'audit.pruned', time: clock.now(), actor: {}, data: { bundles, minimumIndex } })
    },
  })
}
