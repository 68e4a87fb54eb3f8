import { existsSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import {
  type AuditLog,
  type AuditLogOptions,
  type AuditLogReader,
  type Cursor,
  fileCursor,
  LaterLog,
  openAuditLog,
  openPostgresAuditLog,
  type PostgresAuditLog,
  parseSignerKey,
  type Retained,
  readAuditLog,
  readPostgresAuditLog,
  removeEntriesBefore,
} from '@postern/audit'
import { type CompiledAudit, isMemoryOnly, type LoadedConfig } from '@postern/config'
import { ConfigError, IntegrityError, StoreError } from '@postern/core'
import { isReadableDirectory, type PostgresDatabase } from '@postern/store'
import type { Connections } from '../stores/connections.ts'
import { pruneInThread } from './audit-prune.ts'
import { AuditPublishing } from './audit-publishing.ts'

/** Where the log of a data directory is. */
export function auditDirectory(dataDirectory: string): string {
  return join(dataDirectory, 'audit')
}

/** Whether the log is in PostgreSQL, and not in the data directory. */
export function isAuditInPostgres({ config }: LoadedConfig): boolean {
  return config.audit !== false && config.audit.store === 'postgres'
}

/** A log that is open for appending, and what sends it on, wherever it is kept. */
export interface OpenedAudit {
  readonly log: AuditLog
  /** Reads what is published; to be closed. */
  openReader(): Promise<AuditLogReader>
  /** How far those came who send it on: of several instances one at a time. */
  cursor(name: string): Cursor
  /**
   * Calls once the log is open: at once, unless its store is away; what it then rejects with is for
   * `onAway.failed`.
   */
  whenOpen(call: () => Promise<void>): Promise<void>
  /** Removes entries from before a time, in epoch milliseconds; every proof stays. */
  removeBefore(time: number): Promise<Retained>
}

export interface OpenAuditOptions {
  /** Watches anchors and witnesses; without it nothing is published. */
  readonly outside?: AuditPublishing
  /** What to do with a log that is older than an anchor remembers. Default: `refuse`. */
  readonly older?: 'refuse' | 'accept-rollback'
  /**
   * Notified when the database of the log does not answer, and when it does; the log is opened as soon as
   * that works. Without it a log that cannot be opened is an error.
   */
  readonly onAway?: { away(error: StoreError): void; back(): void; failed(error: unknown): void } | undefined
  /**
   * Told in a sentence that the process which has the data directory is waited for. Without it the directory
   * is not waited for.
   */
  readonly onWait?: ((sentence: string) => void) | undefined
  /** Ends that wait when it is aborted: its reason is thrown. */
  readonly stop?: AbortSignal | undefined
}

/**
 * How long the log of a data directory is waited for: process managers start the new process first, then give
 * the old one some seconds to stop, and the default of `timeouts.drain` is 10 s.
 */
const LONGEST_WAIT = '15s'

/**
 * Opens the log for appending; undefined when the configuration switches it off.
 * @throws StoreError when another process writes to it, or an anchor cannot be asked; IntegrityError when it
 * was tampered with; ConfigError for keys that cannot be used
 */
export async function openAudit(
  loaded: LoadedConfig,
  connections: Connections,
  { outside = new AuditPublishing(), older = 'refuse', onAway, onWait, stop }: OpenAuditOptions = {},
): Promise<OpenedAudit | undefined> {
  const { audit } = loaded.config
  if (audit === false) return undefined
  const others = {
    witnesses: audit.witnesses.map(witness => outside.witness(witness)),
    anchors: audit.anchors.map(anchor => outside.anchor(anchor, loaded.file.folder)),
    onOutsideError: (error: unknown) => outside.failed(error),
    acceptRollback: older === 'accept-rollback',
    required: audit.required,
    ...(audit.forgetAnonymousAfter !== undefined && { forgetAnonymousAfter: audit.forgetAnonymousAfter }),
  }
  return audit.store === 'postgres'
    ? openInPostgres(loaded, audit, connections, { ...others, onAway })
    : openInDirectory(audit, connections, {
        ...others,
        ...(onWait !== undefined && { wait: LONGEST_WAIT, onWait, stop }),
      })
}

type Others = Pick<
  AuditLogOptions,
  'witnesses' | 'anchors' | 'onOutsideError' | 'required' | 'forgetAnonymousAfter' | 'acceptRollback'
>

async function openInDirectory(
  audit: CompiledAudit,
  connections: Connections,
  others: Others & Pick<AuditLogOptions, 'wait' | 'onWait' | 'stop'>,
): Promise<OpenedAudit> {
  const directory = auditDirectory(connections.directory.path)
  const log = await openAuditLog({
    directory,
    origin: audit.origin ?? (await knownOrigin(directory)) ?? defaultOrigin(),
    ...others,
  })
  return {
    log,
    openReader: async () => readAuditLog(directory),
    cursor: name => fileCursor(connections.directory.file(`${name}.cursor`)),
    whenOpen: call => call(),
    removeBefore: before => pruneInThread({ directory, before }),
  }
}

async function openInPostgres(
  loaded: LoadedConfig,
  { origin = '', signerKeys }: CompiledAudit,
  connections: Connections,
  { onAway, ...others }: Others & Pick<OpenAuditOptions, 'onAway'>,
): Promise<OpenedAudit> {
  const database = requirePostgres(connections)
  let isAway = false
  const isBack = Promise.withResolvers<void>()
  const open = (): Promise<PostgresAuditLog> =>
    openPostgresAuditLog({ database, origin, signerKeys, ...others })
  const log = await LaterLog.start<PostgresAuditLog>({
    open,
    required: others.required ?? true,
    onAway: error => {
      if (onAway === undefined) throw error
      isAway = true
      onAway.away(error)
    },
    onBack: () => {
      onAway?.back()
      isBack.resolve()
    },
  })
  return {
    log,
    openReader: () => readAuditInPostgres(loaded, connections),
    cursor: name => log.get().cursor(name),
    whenOpen: async call => {
      if (isAway) void isBack.promise.then(call).catch((error: unknown) => onAway?.failed(error))
      else await call()
    },
    removeBefore: async before => removeEntriesBefore(log.get().reader, before),
  }
}

/** The database that the log is in. @throws ConfigError when the configuration names none */
export function requirePostgres({ postgres }: Connections): PostgresDatabase {
  if (postgres !== undefined) return postgres
  throw noPostgres()
}

/** That the configuration names no database for the log. */
export function noPostgres(): ConfigError {
  return new ConfigError({
    place: 'audit.store',
    problem: 'is "postgres", which has no address',
    hint: 'set stores.postgres',
  })
}

/**
 * Verifier keys of the keys that the configuration signs with.
 * @throws ConfigError for one that is malformed
 */
export function configuredKeys({ config }: Pick<LoadedConfig, 'config'>): readonly string[] {
  const keys = config.audit === false ? [] : config.audit.signerKeys
  return keys.map((key, i) => parseSignerKey(key, `audit.signerKeys[${i}]`).verifierKey)
}

/**
 * Opens the log in PostgreSQL for reading, while instances append to it. It trusts the keys of the
 * configuration, and none that the database names.
 * @throws StoreError when the database does not answer; ConfigError for keys that cannot be used
 */
export function readAuditInPostgres(loaded: LoadedConfig, connections: Connections): Promise<AuditLogReader> {
  return readPostgresAuditLog(requirePostgres(connections), { verifierKeys: configuredKeys(loaded) })
}

/**
 * Opens the embedded log for reading, while a gateway may append to it.
 * @throws StoreError when nothing was recorded there yet, or this user may not read it; ConfigError where
 * nothing is kept
 */
export function readAudit(dataDirectory: string): AuditLogReader {
  if (isMemoryOnly(dataDirectory))
    throw new ConfigError({
      place: 'dataDirectory',
      problem: 'is false, so no log is kept that could be read',
      hint: "name a directory, or set stores.postgres and audit: { store: 'postgres' }",
    })
  const directory = auditDirectory(dataDirectory)
  if (isReadableDirectory(directory, `audit log ${directory}`)) return readAuditLog(directory)
  throw new StoreError('nothing was recorded here yet; name the data directory of the gateway with --data', {
    store: `audit log ${directory}`,
    retryable: false,
  })
}

/** A log keeps its name forever, also when the machine is renamed. */
async function knownOrigin(directory: string): Promise<string | undefined> {
  if (!existsSync(directory)) return undefined
  const reader = readAuditLog(directory, { searches: false })
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
