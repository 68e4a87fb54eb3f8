import { existsSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import {
  type AuditLog,
  type AuditLogReader,
  openAuditLog,
  openPostgresAuditLog,
  readAuditLog,
} from '@postern/audit'
import { ConfigError, IntegrityError, StoreError } from '@postern/core'
import type { AuditConfig } from '../config/config.ts'
import type { LoadedConfig } from '../config/load-config.ts'
import { AuditOutside } from './audit-outside.ts'
import type { Connections } from './connections.ts'
import { given } from './given.ts'

/** Where the log of a data directory is. */
export function auditDirectory(dataDirectory: string): string {
  return join(dataDirectory, 'audit')
}

/** Whether the log is in PostgreSQL, and not in the data directory. */
export function isAuditInPostgres({ config }: LoadedConfig): boolean {
  return config.audit !== false && config.audit?.store === 'postgres'
}

/**
 * Opens the log for appending; undefined when the configuration switches it off.
 * @param outside watches anchors and witnesses
 * @throws StoreError when another process writes to it, or an anchor cannot be asked; IntegrityError when it was tampered with;
 * ConfigError for keys that cannot be used
 */
export async function openAudit(
  { config, file }: LoadedConfig,
  connections: Connections,
  outside: AuditOutside = new AuditOutside(),
): Promise<AuditLog | undefined> {
  if (config.audit === false) return undefined
  const audit = given<AuditConfig>(config.audit ?? {})
  if (audit.store === 'postgres') return openInPostgres(audit, connections)
  const directory = auditDirectory(connections.directory.path)
  return openAuditLog({
    directory,
    origin: audit.origin ?? (await knownOrigin(directory)) ?? defaultOrigin(),
    witnesses: (audit.witnesses ?? []).map(witness => outside.witness(witness)),
    anchors: (audit.anchors ?? []).map(anchor => outside.anchor(anchor, file.folder)),
    onOutsideError: error => outside.failed(error),
    ...(audit.required !== undefined && { required: audit.required }),
  })
}

async function openInPostgres(audit: AuditConfig, { postgres }: Connections): Promise<AuditLog> {
  const { origin, signerKeys, required } = audit
  if (postgres === undefined)
    throw new ConfigError({
      place: 'audit.store',
      problem: 'is "postgres", which has no address',
      mend: 'set stores.postgres',
    })
  return openPostgresAuditLog({
    database: postgres,
    origin: origin ?? '',
    signerKeys: signerKeys ?? [],
    ...(required !== undefined && { required }),
  })
}

/**
 * Opens the embedded log for reading, while a gateway may append to it.
 * @throws StoreError when nothing was recorded there yet
 */
export function readAudit(dataDirectory: string): AuditLogReader {
  const directory = auditDirectory(dataDirectory)
  if (existsSync(directory)) return readAuditLog(directory)
  throw new StoreError('nothing was recorded here yet; name the data directory of the gateway with --data', {
    store: `audit log ${directory}`,
    retryable: false,
  })
}

/** A log keeps its name for ever, also when the machine is renamed. */
async function knownOrigin(directory: string): Promise<string | undefined> {
  if (!existsSync(directory)) return undefined
  const reader = readAuditLog(directory)
  try {
    return (await reader.head()).origin
  } catch (error) {
    if (error instanceof IntegrityError) return undefined
    throw error
  } finally {
    reader.close()
  }
}

function defaultOrigin(): string {
  return `${
    hostname()
      .toLowerCase()
      .replaceAll(/[^a-z0-9.-]/g, '-') || 'localhost'
  }/postern`
}
