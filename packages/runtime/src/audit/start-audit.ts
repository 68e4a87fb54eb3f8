import type { AuditLog, Shipper } from '@postern/audit'
import type { LoadedConfig } from '@postern/config'
import { type Event, type Health, type HealthProbe, systemClock } from '@postern/core'
import type { Connections } from '../stores/connections.ts'
import { storeAway, storeBack } from '../stores/store-away.ts'
import { isAuditInPostgres, type OpenAuditOptions, openAudit } from './audit.ts'
import { AuditOutbox, drainOutbox } from './audit-outbox.ts'
import { AuditPublishing } from './audit-publishing.ts'
import { auditRetention } from './audit-retention.ts'
import { auditShippers } from './audit-shipping.ts'

const WAITS_FOR_LOG: Health = {
  name: 'audit sink',
  ok: false,
  required: false,
  detail: 'waits until the log is open',
}

/** The log with everything around it: what it sends away, what it forgets, who vouches for it. */
export interface RunningAudit {
  readonly log: AuditLog
  /** What sends its entries on. */
  readonly shippers: readonly Shipper[]
  /** Of the log and all of these. */
  readonly probes: readonly HealthProbe[]
  close(): Promise<void>
}

/**
 * Opens the log and starts shipping and retention, as the configuration wants them; undefined when it
 * switches the log off.
 * @param emit takes events about the log itself
 * @param waiting for another process that has the data directory
 * @throws as `openAudit`; ConfigError for a secret or certificate of `audit.ship` that cannot be read
 */
export async function startAudit(
  loaded: LoadedConfig,
  connections: Connections,
  emit: (event: Event) => void,
  waiting: Pick<OpenAuditOptions, 'onWait' | 'stop'> = {},
): Promise<RunningAudit | undefined> {
  if (connections.isMemoryOnly && !isAuditInPostgres(loaded)) return undefined
  const outside = new AuditPublishing(error => emit(outsideFailed(error)))
  const opened = await openAudit(loaded, connections, {
    outside,
    ...waiting,
    onAway: {
      away: error => emit(storeAway('audit', error)),
      back: () => emit(storeBack('audit')),
      failed: error => emit(outsideFailed(error)),
    },
  })
  const { audit } = loaded.config
  if (opened === undefined || audit === false) return undefined
  const { log } = opened
  const { anchors, witnesses, ship, retention } = audit
  const closers: (() => Promise<void> | void)[] = [() => log.close()]
  const probes: HealthProbe[] = [log]
  const shippers: Shipper[] = []
  const close = async (): Promise<void> => {
    for (const closer of closers.splice(0).reverse()) await closer()
  }
  try {
    if (anchors.length + witnesses.length > 0) probes.push(outside)
    if (ship.length > 0) {
      await opened.whenOpen(async () => {
        const reader = await opened.openReader()
        closers.push(() => reader.close())
        for (const shipper of auditShippers(loaded, opened, reader)) {
          shippers.push(shipper)
          await shipper.begin()
          shipper.start()
          closers.push(() => shipper.close())
        }
      })
      for (const index of ship.keys())
        probes.push({ health: () => shippers[index]?.health() ?? WAITS_FOR_LOG })
    }
    // After the shippers have seen how long the log was.
    if (!isAuditInPostgres(loaded)) {
      const draining = drainOutbox(new AuditOutbox(connections.sqlite), log)
      probes.push(draining)
      closers.push(() => draining.close())
    }
    if (retention !== undefined) {
      const { removeBefore } = opened
      const pruning = auditRetention({ removeBefore, keep: retention, clock: systemClock, emit })
      probes.push(pruning)
      closers.push(() => pruning.close())
    }
    return { log, shippers, probes, close }
  } catch (error) {
    await close()
    throw error
  }
}

function outsideFailed(error: unknown): Event {
  const problem = error instanceof Error ? error.message.slice(0, 2_000) : 'cannot be reached'
  return { type: 'audit.outside', time: systemClock.now(), actor: {}, data: { problem } }
}
