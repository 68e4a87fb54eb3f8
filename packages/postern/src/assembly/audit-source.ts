import { existsSync } from 'node:fs'
import type { AuditQuery, Entry } from '@postern/audit'
import { ConfigError } from '@postern/core'
import type { LoadedConfig } from '../config/load-config.ts'
import { auditDirectory, isAuditInPostgres, openAudit, readAudit } from './audit.ts'
import { Connections } from './connections.ts'

/** The log as commands read it, wherever it is kept. */
export interface AuditSource {
  query(query: AuditQuery): AsyncIterable<Entry>
  proof(index: bigint): Promise<string>
  /** The latest signed tree head. */
  checkpoint(): Promise<string>
  close(): Promise<void>
}

/** Where a log is to be found. */
export type AuditPlace = LoadedConfig & { readonly dataDirectory: string }

/**
 * Opens the log for reading, while gateways append to it.
 * @throws StoreError when nothing was recorded there yet, or the database does not answer; ConfigError for keys that cannot be used
 */
export async function openAuditSource(place: AuditPlace): Promise<AuditSource> {
  if (!isAuditInPostgres(place)) {
    const reader = readAudit(place.dataDirectory)
    return {
      query: query => reader.query(query),
      proof: index => reader.proof(index),
      checkpoint: async () => reader.checkpoint(),
      close: async () => reader.close(),
    }
  }
  const connections = new Connections(place.config, place.dataDirectory)
  try {
    const log = await openAudit(place, connections)
    if (log === undefined) throw new ConfigError({ place: 'audit', problem: 'is switched off' })
    return {
      query: query => log.query(query),
      proof: index => log.proof(index),
      checkpoint: () => log.checkpoint(),
      close: async () => {
        await log.close()
        await connections.close()
      },
    }
  } catch (error) {
    await connections.close()
    throw error
  }
}

/** Whether anything can have been recorded; a log in PostgreSQL is there once it is opened. */
export function hasAudit(place: AuditPlace): boolean {
  return isAuditInPostgres(place) || existsSync(auditDirectory(place.dataDirectory))
}

/** @throws ConfigError when the log is not in the data directory, where this command needs it */
export function requireEmbeddedAudit(place: LoadedConfig, command: string): void {
  if (!isAuditInPostgres(place)) return
  throw new ConfigError({
    place: 'audit.store',
    problem: `is "postgres"; postern ${command} reads the files of the embedded log`,
    mend: 'search, tail, export, explain, why, proof, checkpoint and erase work with PostgreSQL too',
  })
}
