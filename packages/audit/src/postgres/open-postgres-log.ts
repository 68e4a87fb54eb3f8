import { randomUUID } from 'node:crypto'
import {
  type Clock,
  type Duration,
  IntegrityError,
  parseDuration,
  type RandomSource,
  systemClock,
  systemRandom,
} from '@postern/core'
import { migrate, type PostgresDatabase } from '@postern/store'
import { openCheckpoint, signCheckpoint } from '../format/checkpoint.ts'
import { EMPTY_ROOT } from '../format/merkle-tree.ts'
import { parseSignerKey, parseVerifierKey } from '../format/note-key.ts'
import { LogReader } from '../reader/log-reader.ts'
import { CheckpointPublisher, type PublisherOptions } from '../witness/checkpoint-publisher.ts'
import { INBOX_SCHEMA, POSTGRES_MIGRATIONS } from './audit.sql.ts'
import { DatabaseStore } from './database-store.ts'
import { HeldCursor } from './held-cursor.ts'
import { DatabaseLog, type PostgresAuditLog } from './postgres-log.ts'
import { Sequencer } from './sequencer.ts'

/** The database of a log, its keys and origin, and how it is anchored, witnessed and bounded. */
export interface PostgresAuditLogOptions extends PublisherOptions {
  readonly database: PostgresDatabase
  /** Unique name of the log, forever. */
  readonly origin: string
  /** The same on every instance: `PRIVATE+KEY+...`, the current one first. Secrets. */
  readonly signerKeys: readonly string[]
  readonly clock?: Clock
  readonly random?: RandomSource
  /** How often the inbox is polled for rows of other transactions. Default 200ms. */
  readonly pollInterval?: Duration
  /** After which a `commit` without a number fails. Default 10s. */
  readonly commitTimeout?: Duration
  /** Most waiting events in durability mode `after`. Default 16,384. */
  readonly maxWaiting?: number
  /**
   * Age after which the keys of anonymous traffic (addresses, agents, paths without a
   * principal) are destroyed. Default: never.
   */
  readonly forgetAnonymousAfter?: Duration
  /**
   * The operator confirms that the database was restored to an older state on purpose: entries
   * that anchors miss are accepted as lost.
   */
  readonly acceptRollback?: boolean
  /** Default true. */
  readonly required?: boolean
}

/** Longer than anchors and witnesses can take to answer. */
const TELL_HOLD_MS = 60_000

/**
 * Opens the log in a database; any number of instances may have it open, and one at a time sequences.
 * @throws IntegrityError when the database holds another log, was signed with other keys, or
 *   does not match an anchor's checkpoint
 * @throws StoreError when database or anchor do not answer; ConfigError for options that cannot be used
 */
export async function openPostgresAuditLog(options: PostgresAuditLogOptions): Promise<PostgresAuditLog> {
  const { database, origin, clock = systemClock, random = systemRandom } = options
  await migrate(database, 'audit', POSTGRES_MIGRATIONS)
  const signers = options.signerKeys.map((key, i) => parseSignerKey(key, `audit.signerKeys[${i}]`))
  const keys = signers.map(signer => signer.verifierKey)
  const verifiers = keys.map(key => parseVerifierKey(key))
  const first = signCheckpoint({ origin, size: 0n, root: EMPTY_ROOT }, signers)
  await database.query(
    // Not beside entries whose state was removed: they would look like a new log.
    `INSERT INTO audit_state SELECT 1, $1, 0, 0, '', 0, $2, $3, $4
     WHERE NOT EXISTS (SELECT FROM audit_entries) AND NOT EXISTS (SELECT FROM audit_tiles) ON CONFLICT (id) DO NOTHING`,
    [origin, first, Buffer.from(random.bytes(32)), keys.join('\n')],
  )
  const { rows } = await database.query<{ origin: string; search_key: Buffer; checkpoint: string }>(
    'SELECT origin, search_key, checkpoint FROM audit_state',
  )
  const state = rows[0]
  if (state === undefined)
    throw new IntegrityError('the database holds entries of an audit log whose state was removed')
  if (state.origin !== origin)
    throw new IntegrityError(`the database holds the log "${state.origin}", not "${origin}"`)
  openCheckpoint(state.checkpoint, verifiers, origin)
  await nameKeys(database, keys)
  const [inbox] = (await database.query<{ schema: string }>(INBOX_SCHEMA)).rows
  if (inbox === undefined) throw new IntegrityError('the database has lost the inbox of the audit log')
  const searchKey = state.search_key
  const holder = randomUUID()
  const reader = new LogReader(new DatabaseStore(database, searchKey), verifiers)
  const publisher = new CheckpointPublisher(
    options,
    reader,
    new HeldCursor({ database, name: 'anchors and witnesses', holder, hold: TELL_HOLD_MS }),
  )
  if (options.acceptRollback === true) publisher.overrule(verifiers, origin)
  else await publisher.check(verifiers, origin)
  const { forgetAnonymousAfter } = options
  const log = new DatabaseLog({
    database,
    inbox: `${inbox.schema}.audit_inbox`,
    clock,
    pollInterval: parseDuration(options.pollInterval ?? '200ms', 'audit.pollInterval'),
    commitTimeout: parseDuration(options.commitTimeout ?? '10s', 'audit.commitTimeout'),
    maxWaiting: options.maxWaiting ?? 16_384,
    forgetAnonymousAfter:
      forgetAnonymousAfter === undefined
        ? undefined
        : parseDuration(forgetAnonymousAfter, 'audit.forgetAnonymousAfter'),
    required: options.required ?? true,
    sequencer: new Sequencer({ database, origin, signers, verifiers, clock, random, holder, searchKey }),
    searchKey,
    reader,
    publisher,
    holder,
  })
  if (options.acceptRollback === true)
    await log.commit({ type: 'audit.rollback.accepted', time: clock.now(), actor: {} })
  return log
}

/**
 * The log names every key that ever signed it, the newest last, so that a rotation
 * makes no older proof unreadable.
 */
async function nameKeys(database: PostgresDatabase, keys: readonly string[]): Promise<void> {
  await database.transaction(async client => {
    const { rows } = await client.query<{ named: string }>(
      'SELECT verifier_keys AS named FROM audit_state WHERE id = 1 FOR UPDATE',
    )
    const named = (rows[0]?.named ?? '').split('\n')
    const fresh = keys.filter(key => !named.includes(key)).reverse()
    if (fresh.length > 0)
      await client.query('UPDATE audit_state SET verifier_keys = $1', [[...named, ...fresh].join('\n')])
  })
}
