import { AsyncLocalStorage } from 'node:async_hooks'
import { ConfigError } from '@postern/core'
import { TABLE_NAMES, TableNames } from '../read/table-names.ts'
import { currentActing } from './acting-as.ts'
import {
  type ClaimStatement,
  claimStatement,
  type GuardOptions,
  RECORD_ATTEMPT,
  type RunApart,
  refusedError,
  reportRefusal,
  SET_CLAIM,
} from './guarded-connection.ts'
import { PgReads } from './pg-reads.ts'

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
 * @example
 * const pool = guardPool(new pg.Pool({ connectionString }), { claim: claimSigner({ key }) })
 */
export function guardPool<P extends PgPool>(pool: P, options: GuardOptions): P {
  keepContext(pool)
  const record: RunApart = (text, values) => pool.query(text, [...values])
  const names = tableNames(record)
  pool.on('connect', client => {
    guardConnection(client, options, record, names)
  })
  return pool
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
 *   without it `onRefusal` alone hears of them
 * @throws ConfigError when it is not a client of `pg` 8 in plain JavaScript
 */
export function guardClient<C extends PgClient>(
  client: C,
  options: GuardOptions,
  record: RunApart = async () => {},
): C {
  return guardConnection(client, options, record, tableNames(record))
}

/** What tables are called, for connections of one pool. */
export function tableNames(record: RunApart): TableNames {
  return new TableNames(record, () => performance.now())
}

/** As `guardClient`, for one of several connections to the same database. */
export function guardConnection<C extends PgClient>(
  client: C,
  options: GuardOptions,
  record: RunApart,
  names: TableNames,
): C {
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
    const isApart = TRANSACTIONLESS.test(text)
    const submitted = (wire: unknown): unknown =>
      isApart
        ? claims.without(() => submit(wire))
        : claims.around(
            () => submit(wire),
            () => claimed(wire),
          )
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
    if (!isOwn) return send(made, values, callback)
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
  return client
}

/** Statements of the wrapper: what they return is not counted. */
const OUR_OWN: ReadonlySet<string> = new Set([RECORD_ATTEMPT, TABLE_NAMES])

/** Streams of COPY take the socket away from the driver, and with it all that could count. */
const COPIES_OUT = /\bCOPY\b[^;]*\bTO\b/i

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

interface Submittable {
  submit(wire: unknown): unknown
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

function textOf({ text }: Submittable): string {
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

/** What is used of pg's `Connection`: the messages of the protocol, and the events that tell of answers. */
interface Wire {
  parse(message: unknown): void
  bind(message: unknown): void
  execute(message: unknown): void
  sync(): void
  query(text: string): void
  emit(event: string, message?: unknown): boolean
  readonly stream: { cork?(): void; uncork?(): void; destroy?(): void }
}

function isWire(value: unknown): value is Wire {
  return (
    typeof value === 'object' &&
    value !== null &&
    ['parse', 'bind', 'execute', 'sync', 'query', 'emit'].every(
      name => typeof Reflect.get(value, name) === 'function',
    )
  )
}

/** Answers to the claim's own messages; everything else belongs to the statement. */
const ANSWERS: ReadonlySet<string> = new Set([
  'parseComplete',
  'bindComplete',
  'dataRow',
  'commandComplete',
  'noData',
  'rowDescription',
])

/** Statements that take prepared statements away. */
const FORGETS = /\b(?:DEALLOCATE|DISCARD)\b/i

/** What a claim and a grant are made of: nothing that a text of SQL could be ended with. */
const PLAIN = /^[\w|.]*$/

/**
 * Puts the claim in front of a statement: Parse, Bind and Execute without a Sync, so that both are one
 * implicit transaction, or the claim becomes part of the transaction that `BEGIN` opens (PostgreSQL manual,
 * "Pipelining"). Hides the answers to it. The claim goes as a parameter: other sessions of the same role can
 * read the text of a running statement in pg_stat_activity, never its parameters.
 *
 * Several statements in one text, and COPY, are sent by the simple protocol, which must not follow an open
 * pipeline: PostgreSQL 18 would leave their transaction open. There the claim is a statement of the text
 * itself. Who reads it there could use it before its own transaction does, once, for the same actor.
 *
 * To parse and plan the claim's statement each time costs the server as much as to begin and commit, so it is
 * prepared, once a connection. A pooler may hand every transaction to another server process, which does not
 * have it: therefore the first claim of a connection asks for the process that answers, and only where that
 * is the one that the connection was opened to (no pooler shows that) is anything prepared.
 */
class ClaimPrefix {
  readonly #wire: Wire
  readonly #options: GuardOptions
  readonly #sent: Sent[] = []
  readonly #processOf: () => unknown
  /** As the last answer said: I idle, T in a transaction, E in a failed one. */
  #status = 'I'

  /** Whether the connection was seen to be direct; undefined as long as no claim was answered. */
  #isDirect: boolean | undefined
  /** Numbers of the prepared statement: the last that was asked for, and the one that is there (0: none). */
  #asked = 0
  #prepared = 0

  /** @param processOf the server process that the connection was opened to */
  constructor(wire: Wire, options: GuardOptions, processOf: () => unknown) {
    this.#wire = wire
    this.#options = options
    this.#processOf = processOf
    const emit = wire.emit.bind(wire)
    wire.emit = (event, message) => this.#hears(event, message) || emit(event, message)
  }

  /** What was prepared may be gone with the statement that is sent now. */
  forget(): void {
    this.#prepared = 0
  }

  /** Sends a statement that carries no claim. */
  without<T>(submit: () => T): T {
    this.#sent.push({ claimed: false, isOrphan: false, prepares: 0 })
    const refused = submit()
    if (refused instanceof Error) this.#sent.pop()
    return refused
  }

  /**
   * Sends a statement, with the claim before it when it begins a transaction.
   * @param submit sends it as it is; `claimed` sends it so that a claim can go before it
   */
  around<T>(submit: () => T, claimed: () => T): T {
    // Statements of a pipeline are sent before the state that they will find is
    // known; a claim too many does no harm.
    const claim = this.#status === 'I' || this.#sent.length > 0 ? claimStatement(this.#options) : undefined
    if (claim === undefined) return this.without(submit)
    const wire = this.#wire
    const entry: Sent = { claimed: false, isOrphan: false, prepares: 0 }
    this.#sent.push(entry)
    const { parse, bind, query } = wire
    const first = (): void => {
      if (entry.claimed) return
      entry.claimed = true
      const isPlain = claim.text === SET_CLAIM
      let statement = ''
      if (isPlain && this.#prepared > 0) statement = `postern_claim_${this.#prepared}`
      else {
        // A number is used once: one that is still there under an old number is no trouble.
        if (isPlain && this.#isDirect === true && this.#sent.length === 1) entry.prepares = ++this.#asked
        if (entry.prepares > 0) statement = `postern_claim_${entry.prepares}`
        parse.call(wire, {
          text: this.#isDirect === undefined ? `${claim.text}, pg_backend_pid()` : claim.text,
          name: statement,
          types: [],
        })
      }
      bind.call(wire, {
        portal: '',
        statement,
        values: [...claim.values],
        binary: false,
        valueMapper: String,
      })
      wire.execute({ portal: '', rows: 0 })
    }
    wire.parse = message => {
      first()
      parse.call(wire, message)
    }
    wire.bind = message => {
      first()
      bind.call(wire, message)
    }
    wire.query = text => {
      const isFirst = !entry.claimed
      entry.claimed = true
      query.call(wire, isFirst ? `${inText(claim)}; ${text}` : text)
    }
    wire.stream.cork?.()
    try {
      const refused = claimed()
      if (refused instanceof Error) {
        // The driver sent nothing of its own: what was sent of the claim is nobody's answer.
        if (entry.claimed) {
          entry.isOrphan = true
          wire.sync()
        } else this.#sent.pop()
      }
      return refused
    } finally {
      wire.stream.uncork?.()
      Object.assign(wire, { parse, bind, query })
    }
  }

  /** @returns whether the event is about the claim, and nobody else's business */
  #hears(event: string, message: unknown): boolean {
    const head = this.#sent[0]
    if (event === 'readyForQuery') {
      this.#status = statusOf(message)
      this.#sent.shift()
      return head?.isOrphan === true
    }
    if (head?.claimed === true) {
      if (event === 'errorMessage') {
        head.claimed = false
        this.#prepared = 0
      }
      if (event === 'parseComplete' && head.prepares > 0) this.#prepared = head.prepares
      if (event === 'dataRow') this.#isDirect ??= processIn(message) === this.#processOf()
      if (ANSWERS.has(event)) {
        if (event === 'commandComplete') head.claimed = false
        return true
      }
    }
    return false
  }
}

/** A statement that was sent and is not answered yet. */
interface Sent {
  /** Whether the answer to a claim comes first. */
  claimed: boolean
  isOrphan: boolean
  /** The number of the statement that is prepared with it; 0: none. */
  prepares: number
}

/** The process that answered a first claim: the last column. */
function processIn(message: unknown): number | undefined {
  const fields: unknown =
    typeof message === 'object' && message !== null && 'fields' in message ? message.fields : undefined
  return Array.isArray(fields) ? Number(fields.at(-1)) : undefined
}

/** The statement of a claim with its values in the text. */
function inText({ text, values }: ClaimStatement): string {
  return text.replace(/\$(\d)/g, (_, place: string) => {
    const value = values[Number(place) - 1] ?? ''
    if (!PLAIN.test(value))
      throw new ConfigError({ place: 'acting.grant', problem: 'is not a token of signBudgetGrant' })
    return `'${value}'`
  })
}

function statusOf(message: unknown): string {
  return typeof message === 'object' && message !== null && 'status' in message ? String(message.status) : 'I'
}
