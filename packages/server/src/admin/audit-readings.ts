import type { Resources } from '@postern/runtime'
import type { Reading } from '../telemetry/metrics.ts'

/** What readings are taken from: `Resources` has both. */
export interface AuditParts {
  readonly audit: Pick<NonNullable<Resources['audit']>, 'counts'> | undefined
  readonly shippers?: readonly { readonly name: string; readonly behind: number }[] | undefined
}

/**
 * What the log and those who send it on say of themselves, for the Prometheus page; nothing without a log.
 * Names of sinks come from the configuration.
 */
export function auditReadings({ audit, shippers = [] }: AuditParts): readonly Reading[] {
  if (audit === undefined) return []
  const { durable, published, waiting, lost, coalesced } = audit.counts()
  return [
    { name: 'postern_audit_entries', type: 'gauge', value: durable },
    { name: 'postern_audit_index_behind_entries', type: 'gauge', value: Math.max(0, durable - published) },
    { name: 'postern_audit_waiting_events', type: 'gauge', value: waiting },
    { name: 'postern_audit_lost_events_total', type: 'counter', value: lost },
    { name: 'postern_audit_coalesced_events_total', type: 'counter', value: coalesced },
    ...shippers.map(
      (shipper): Reading => ({
        name: 'postern_audit_ship_behind_entries',
        type: 'gauge',
        labels: { sink: shipper.name },
        value: shipper.behind,
      }),
    ),
  ]
}
