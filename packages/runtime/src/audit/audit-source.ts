import {
  type AuditLogReader,
  type AuditQuery,
  type Entry,
  type NoteSigner,
  parseSignerKey,
  readSigningKeys,
} from '@postern/audit'
import type { LoadedConfig } from '@postern/config'
import { isReadableDirectory } from '@postern/store'
import { Connections } from '../stores/connections.ts'
import { auditDirectory, configuredKeys, isAuditInPostgres, readAudit, readAuditInPostgres } from './audit.ts'

/** The log as commands read it, wherever it is kept. */
export interface AuditSource {
  readonly reader: AuditLogReader
  /** Verifier keys that the configuration stands for; undefined where only the log names its own. */
  readonly trustedKeys: readonly string[] | undefined
  /** Keys of the log as far as this account may use them: none for somebody who only reads. */
  signers(): Promise<readonly NoteSigner[]>
  query(query: AuditQuery): AsyncIterable<Entry>
  close(): Promise<void>
}

/** Where a log is to be found. */
export type AuditPlace = LoadedConfig & { readonly dataDirectory: string }

/**
 * Opens the log for reading, while gateways append to it.
 * @throws StoreError when nothing was recorded there yet, or the database does not answer; ConfigError for
 * keys that cannot be used
 */
export async function openAuditSource(place: AuditPlace): Promise<AuditSource> {
  const connections = new Connections(place.config, place.dataDirectory)
  try {
    const isInPostgres = isAuditInPostgres(place)
    const reader = isInPostgres
      ? await readAuditInPostgres(place, connections)
      : readAudit(place.dataDirectory)
    return {
      reader,
      trustedKeys: isInPostgres ? configuredKeys(place) : undefined,
      signers: async () => {
        if (isInPostgres) return configuredSigners(place)
        return readSigningKeys(`${auditDirectory(place.dataDirectory)}-keys`, (await reader.head()).origin)
      },
      query: query => reader.query(query),
      close: async () => {
        reader.close()
        await connections.close()
      },
    }
  } catch (error) {
    await connections.close()
    throw error
  }
}

function configuredSigners({ config }: AuditPlace): readonly NoteSigner[] {
  const keys = config.audit === false ? [] : (config.audit?.signerKeys ?? [])
  return keys.map((key, i) => parseSignerKey(key, `audit.signerKeys[${i}]`))
}

/** Whether anything can have been recorded; a log in PostgreSQL is there once it is opened. */
export function hasAudit(place: AuditPlace): boolean {
  const directory = auditDirectory(place.dataDirectory)
  return isAuditInPostgres(place) || isReadableDirectory(directory, `audit log ${directory}`)
}
