import type { LoadedConfig } from '@postern/config'
import { configuredKeys, noPostgres } from './audit.ts'
import { AuditPublishing } from './audit-publishing.ts'
import { openSink } from './audit-shipping.ts'

/**
 * Reads what opening the audit log would read of a configuration, without opening it.
 * @throws ConfigError for what a start would refuse
 */
export function rehearseAudit(loaded: LoadedConfig): void {
  const { audit, stores } = loaded.config
  if (audit === false) return
  if (audit.store === 'postgres' && stores.postgres === undefined) throw noPostgres()
  configuredKeys(loaded)
  const { folder } = loaded.file
  const outside = new AuditPublishing()
  for (const anchor of audit.anchors) outside.anchor(anchor, folder)
  for (const [index, ship] of audit.ship.entries()) openSink(ship, index, folder)
}
