import { AsyncLocalStorage } from 'node:async_hooks'
import { ConfigError } from '@postern/core'
import { currentActing } from '../budget/acting-as.ts'
import { type RunApart, TABLE_NAMES, TableNames } from '../read/table-names.ts'
import { ClaimPrefix, isWire, type Wire } from './claim-prefix.ts'
import {
  checkClaim,
  type GuardOptions,
  RECORD_ATTEMPT,
  refusedError,
  reportRefusal,
} from './guarded-connection.ts'
import { LeftOpen } from './left-open.ts'
import { PgReads } from './pg-reads.ts'
import { preparedRefusal } from './prepared-transaction.ts'

/** What is used of a `pg.Pool`. */
export interface PgPool {
  on(event: 'connect', listener: (client: PgClient) => void): unknown
  query(text: string, values?: unknown[]): Promise<unknown>
}

/** What is used of a `pg.Client`. */
export interface PgClient {
  query(...args: never[]): unknown
}

/**
 * Guards every connection of a `pg` pool, those of query builders on top of it included (Kysely,
 * Drizzle, TypeORM, Knex): the first statement of each transaction carries a signed claim of who
 * acts, in the same packet, and a refusal of a budget is thrown as `RowBudgetExceeded`. Works
 * through PgBouncer in transaction mode.
 * @returns the same pool
 * @throws ConfigError when the pool has connections already, or nothing signs claims
 * @example
 * const pool = guardPool(new pg.Pool({ connectionString }), { claim: claimSigner({ key }) })
 */
export function guardPool<P extends PgPool>(pool: P, options: GuardOptions): P {
  if (typeof pool?.on !== 'function')
    throw new ConfigError({
      place: 'guardPool',
      problem: 'takes a Pool of pg',
      hint: 'guardPool(new pg.Pool({ connectionString }), { claim: claimSigner({ key }) })',
    })
  if (Number(Reflect.get(pool, 'totalCount') ?? 0) > 0)
    throw new ConfigError({
      place: 'guardPool',
      problem: 'the pool has connections already, which would not be guarded',
      hint: 'guard it before its first use',
    })
  checkClaim(options, 'guardPool')
  keepContext(pool)
  const record: RunApart = (text, values) => pool.query(text, [...values])
  const names = tableNames(record)
  const claims = new WeakMap<PgClient, ClaimPrefix>()
  pool.on('connect', client => {
    claims.set(client, guardConnection(client, options, record, names))
  })
  endWhatIsLeft(pool, claims)
  if (options.reads !== undefined) learnNamesFirst(pool, names)
  return pool
}

/**
 * A transaction ends with whoever has its connection. The next one would be in it under the claim of the
 * first, who could take back what all of them changed, or in a failed one, where nothing works for anybody.
 */
function endWhatIsLeft(pool: PgPool, claims: WeakMap<PgClient, ClaimPrefix>): void {
  const left = new LeftOpen('guardPool')
  const released = (error: unknown, client: PgClient): void => {
    const claim = claims.get(client)
    if (!error && claim !== undefined) void rolledBack(client, claim, left)
  }
  Reflect.apply(pool.on, pool, ['release', released])
  const query: unknown = Reflect.get(pool, 'query')
  if (typeof query !== 'function') return
  Reflect.set(pool, 'query', (...args: unknown[]) => {
    if (!BEGINS.test(textOf(args[0]))) return Reflect.apply(query, pool, args)
    const callback = args.at(-1)
    if (typeof callback !== 'function') return Promise.reject(left.refusal())
    process.nextTick(callback, left.refusal())
    return undefined
  })
}

/** Ends what is open on a connection that was given back. Undefined when nothing is. */
export function rolledBack(
  client: PgClient,
  claim: ClaimPrefix,
  left: LeftOpen,
): Promise<unknown> | undefined {
  if (claim.isIdle) return undefined
  if (claim.isOpen) left.warn()
  // In the driver's queue, behind what was asked for and not waited for: that may be a COMMIT.
  return new Promise(resolve => {
    Reflect.apply(client.query, client, ['ROLLBACK', undefined, resolve])
  })
}

/**
 * Nobody gets a new connection before the names of tables are known: what the first statement of a process
 * reads would count against no budget of a single table, and a table of its own making as one that was there.
 */
function learnNamesFirst(pool: PgPool, names: TableNames): void {
  const settings: unknown = Reflect.get(pool, 'options')
  if (typeof settings !== 'object' || settings === null) return
  const verify: unknown = Reflect.get(settings, 'verify')
  Reflect.set(settings, 'verify', (client: NamesClient, done: (error?: Error) => void) => {
    const checked = inContext(() => (typeof verify === 'function' ? verify(client, done) : done()))
    void names.before((text, values) => client.query(text, [...values])).then(checked)
  })
}

interface NamesClient {
  query(text: string, values: unknown[]): Promise<unknown>
}

/**
 * Who waits for a connection is called by who gives one back, in the context of that one: without this, a
 * statement of a pool that is used up would carry the claim of another actor.
 */
function keepContext(pool: PgPool): void {
  const connect: unknown = Reflect.get(pool, 'connect')
  if (typeof connect !== 'function') return
  Reflect.set(pool, 'connect', (callback?: unknown) =>
    Reflect.apply(connect, pool, typeof callback === 'function' ? [inContext(callback)] : []),
  )
}

function inContext(callback: object): (...args: unknown[]) => unknown {
  return AsyncLocalStorage.bind((...args: unknown[]) =>
    typeof callback === 'function' ? callback(...args) : undefined,
  )
}

/**
 * Guards one `pg` connection; see `guardPool`.
 * @param record runs a statement on another connection, to record refusals in the database;
 *   without it only `onRefusal` receives them
 * @throws ConfigError when it is not a client of `pg` 8 in plain JavaScript
 */
export function guardClient<C extends PgClient>(
  client: C,
  options: GuardOptions,
  record: RunApart = async () => {},
): C {
  guardConnection(client, options, record, tableNames(record))
  return client
}

/** What tables are called, for connections of one pool. */
export function tableNames(record: RunApart): TableNames {
  return new TableNames(record, () => performance.now())
}

/** As `guardClient`, for one of several connections to the same database. */
export function guardConnection(
  client: PgClient,
  options: GuardOptions,
  record: RunApart,
  names: TableNames,
): ClaimPrefix {
  const connection: unknown = Reflect.get(client, 'connection')
  const Query: unknown =
    Reflect.get(client.constructor, 'Query') ??
    Reflect.get(Object.getPrototypeOf(client.constructor), 'Query')
  if (!isWire(connection) || typeof Query !== 'function') {
    throw new ConfigError({
      place: 'guardClient',
      problem: 'this is not a client of pg 8 in plain JavaScript',
      hint: 'guard a pg.Pool or pg.Client; pg-native has no access to the protocol',
    })
  }
  checkClaim(options, 'guardClient')
  const reads = readsOf(connection, options, record, names)
  const claims = new ClaimPrefix(connection, options, () => Reflect.get(client, 'processID'))
  const send = client.query.bind(client) as (...args: unknown[]) => unknown

  const query = (config: unknown, values?: unknown, callback?: unknown): unknown => {
    const isOwn = !hasSubmit(config)
    const made: unknown = isOwn ? Reflect.construct(Query, [config, values, callback]) : config
    if (!hasSubmit(made)) return send(config, values, callback)
    // In the caller's context: a statement that waits for its turn is sent from the socket's.
    const inContext = AsyncLocalStorage.snapshot()
    const submit = made.submit.bind(made)
    const text = textOf(made)
    const claimed = (wire: unknown) => {
      if (isOwn && isOneStatement(text)) made.queryMode = 'extended'
      return submit(wire)
    }
    const isApart = TRANSACTIONLESS.test(text) || ENDS.test(text)
    const refusal = preparedRefusal(text)
    const submitted = (wire: unknown): unknown => {
      if (refusal !== undefined) return refusal
      if (isApart) return claims.without(() => submit(wire))
      return claims.around(
        () => submit(wire),
        () => claimed(wire),
      )
    }
    made.submit = wire => {
      if (FORGETS.test(text)) claims.forget()
      return inContext(() => {
        if (reads === undefined) return submitted(wire)
        const acting = OUR_OWN.has(text) ? undefined : (options.acting ?? currentActing)()
        if (acting !== undefined && !isOwn && COPIES_OUT.test(text)) return uncountable()
        return reads.around(acting, isOwn ? 'whole' : 'piecemeal', () => submitted(wire))
      })
    }
    const fail = (error: unknown): unknown => inContext(() => refusedError(error, options, record))
    if (!isOwn) {
      failWith(made, fail)
      return send(made, values, callback)
    }
    made.query_timeout = queryTimeoutOf(config)
    const done = made.callback
    if (done !== undefined) {
      made.callback = (error, result) => done(error ? fail(error) : error, result)
      send(made)
      return undefined
    }
    return new Promise((resolve, reject) => {
      made.callback = (error, result) => (error ? reject(fail(error)) : resolve(result))
      send(made)
    })
  }
  Reflect.set(client, 'query', query)
  return claims
}

/** Statements of the wrapper: what they return is not counted. */
const OUR_OWN: ReadonlySet<string> = new Set([RECORD_ATTEMPT, TABLE_NAMES])

/** Streams of COPY take the socket away from the driver, and with it all that could count. */
const COPIES_OUT = /\bCOPY\b[\s\S]*\bTO\b/i

/** Statements that take prepared statements away. */
const FORGETS = /\b(?:DEALLOCATE|DISCARD)\b/i

function uncountable(): Error {
  return new ConfigError({
    place: 'reads',
    problem: 'a stream of COPY cannot be counted',
    hint: 'use a pool without reads for exports that are allowed, or read with SELECT',
  })
}

function readsOf(
  connection: Wire,
  options: GuardOptions,
  record: RunApart,
  names: TableNames,
): PgReads | undefined {
  if (options.reads === undefined) return undefined
  return new PgReads(connection, options.reads, names, (error, acting) =>
    reportRefusal(error, acting, options, record),
  )
}

/** A cursor, a stream or a query that the application made: the driver tells it of an error itself. */
function failWith(made: Submittable, fail: (error: unknown) => unknown): void {
  const { handleError } = made
  if (typeof handleError !== 'function') return
  made.handleError = (error, ...more) => Reflect.apply(handleError, made, [fail(error), ...more])
}

interface Submittable {
  submit(wire: unknown): unknown
  handleError?: (error: unknown, ...more: unknown[]) => unknown
  text?: unknown
  queryMode?: 'extended'
  callback?: ((error: unknown, result?: unknown) => void) | undefined
  query_timeout?: unknown
}

function hasSubmit(value: unknown): value is Submittable {
  return (
    typeof value === 'object' && value !== null && 'submit' in value && typeof value.submit === 'function'
  )
}

/** Statements that must not be in any transaction but their own: they change no rows, and carry no claim. */
const TRANSACTIONLESS =
  /^\s*(?:VACUUM|DISCARD\s+ALL|ALTER\s+SYSTEM|REINDEX|CLUSTER|(?:CREATE|DROP)\s+(?:DATABASE|TABLESPACE|SUBSCRIPTION)|(?:CREATE|DROP)\s[^;]*\sCONCURRENTLY)\b/i

/**
 * One statement that ends a transaction or goes back in it. In a pipeline it is sent before it is known
 * whether the transaction has failed: then a claim in front would fail, and the statement would not run.
 */
const ENDS = /^\s*(?:ROLLBACK|ABORT|COMMIT|END)\b[^;]*(?:;\s*)?$/i

/**
 * One statement that begins a transaction and leaves it open. A comment ends at its first end only: one that
 * could end at the next ones too would be tried in 2^n ways.
 */
const BEGINS =
  /^(?:\s|--[^\n]*\n|\/\*[^*]*\*+(?:[^/*][^*]*\*+)*\/)*(?:BEGIN|START\s+TRANSACTION)\b[^;]*(?:;\s*)?$/i

/** The text of a query, or of what makes one. */
function textOf(query: unknown): string {
  const text: unknown = typeof query === 'object' && query !== null ? Reflect.get(query, 'text') : query
  return typeof text === 'string' ? text : ''
}

/**
 * Whether a text can go by the extended protocol: one statement, for all that can be
 * seen without reading SQL.
 */
function isOneStatement(query: string): boolean {
  const text = query.trim()
  const semicolon = text.indexOf(';')
  return text !== '' && (semicolon < 0 || semicolon === text.length - 1)
}

function queryTimeoutOf(config: unknown): unknown {
  return typeof config === 'object' && config !== null && 'query_timeout' in config
    ? config.query_timeout
    : undefined
}
