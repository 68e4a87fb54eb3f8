import { existsSync } from 'node:fs'
import { hostname } from 'node:os'
import { join, resolve } from 'node:path'
import {
  type AuditLog,
  type AuditLogReader,
  fileAnchor,
  httpAnchor,
  openAuditLog,
  readAuditLog,
} from '@postern/audit'
import { IntegrityError, StoreError } from '@postern/core'
import type { LoadedConfig } from '../config/load-config.ts'
import type { Connections } from './connections.ts'
import { given } from './given.ts'

/** Where the log of a data directory is. */
export function auditDirectory(dataDirectory: string): string {
  return join(dataDirectory, 'audit')
}

/**
 * Opens the log for appending; undefined when the configuration switches it off.
 * @throws StoreError when another process writes to it; IntegrityError when it was tampered with
 */
export async function openAudit(
  { config, file }: LoadedConfig,
  connections: Connections,
  onOutsideError?: (error: unknown) => void,
): Promise<AuditLog | undefined> {
  if (config.audit === false) return undefined
  const directory = auditDirectory(connections.directory.path)
  const { origin, witnesses = [], anchors = [] } = given(config.audit ?? {})
  return openAuditLog({
    directory,
    origin: origin ?? knownOrigin(directory) ?? defaultOrigin(),
    witnesses,
    anchors: anchors.map(anchor =>
      'file' in anchor ? fileAnchor(resolve(file.folder, anchor.file)) : httpAnchor(anchor),
    ),
    ...(onOutsideError !== undefined && { onOutsideError }),
  })
}

/**
 * Opens the log for reading, while a gateway may append to it.
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
function knownOrigin(directory: string): string | undefined {
  if (!existsSync(directory)) return undefined
  const reader = readAuditLog(directory)
  try {
    return reader.head().origin
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
