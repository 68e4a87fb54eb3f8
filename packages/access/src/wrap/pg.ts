import { AsyncResource } from 'node:async_hooks'
import { ConfigError } from '@postern/core'
import { type ClaimStatement, claimStatement, type GuardOptions, refusedError } from './guarded-connection.ts'

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
  pool.on('connect', client => {
    guardClient(client, options, (text, values) => pool.query(text, [...values]))
  })
  return pool
}

/** Runs one statement with values on a connection of its own. */
export type RunApart = (text: string, values: readonly unknown[]) => Promise<unknown>

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
  const claims = new ClaimPrefix(connection, options)
  const send = client.query.bind(client) as (...args: unknown[]) => unknown

  const query = (config: unknown, values?: unknown, callback?: unknown): unknown => {
    const isOwn = !hasSubmit(config)
    const made: unknown = isOwn ? Reflect.construct(Query, [config, values, callback]) : config
    if (!hasSubmit(made)) return send(config, values, callback)
    // Bound here, in the caller's context: a statement that waits for its turn is sent from the socket's.
    const submit = made.submit.bind(made)
    if (isOwn && isOneStatement(made)) made.queryMode = 'extended'
    const isApart = TRANSACTIONLESS.test(textOf(made))
    made.submit = AsyncResource.bind((wire: unknown) =>
      isApart ? claims.without(() => submit(wire)) : claims.around(() => submit(wire)),
    )
    const fail = AsyncResource.bind((error: unknown) => refusedError(error, options, record))
    if (!isOwn) return send(made, values, callback)
    made.query_timeout = queryTimeoutOf(config)
    const done = made.callback
    if (done !== undefined) {
      made.callback = (error, result) => done(error ? fail(error) : error, result)
      return send(made)
    }
    return new Promise((resolve, reject) => {
      made.callback = (error, result) => (error ? reject(fail(error)) : resolve(result))
      send(made)
    })
  }
  Reflect.set(client, 'query', query)
  return client
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
  /^\s*(?:VACUUM|ALTER\s+SYSTEM|REINDEX|CLUSTER|(?:CREATE|DROP)\s+(?:DATABASE|TABLESPACE|SUBSCRIPTION)|(?:CREATE|DROP)\s[^;]*\sCONCURRENTLY)\b/i

function textOf({ text }: Submittable): string {
  return typeof text === 'string' ? text : ''
}

/**
 * Whether a text can go by the extended protocol: one statement, for all that can be
 * seen without reading SQL.
 */
function isOneStatement(query: Submittable): boolean {
  const text = textOf(query).trim()
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
  readonly stream: { cork?(): void; uncork?(): void }
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
 */
class ClaimPrefix {
  readonly #wire: Wire
  readonly #options: GuardOptions
  /** For each statement that was sent and is not answered yet: whether the answer to a claim comes first. */
  readonly #sent: { claimed: boolean; isOrphan: boolean }[] = []
  /** As the last answer said: I idle, T in a transaction, E in a failed one. */
  #status = 'I'

  constructor(wire: Wire, options: GuardOptions) {
    this.#wire = wire
    this.#options = options
    const emit = wire.emit.bind(wire)
    wire.emit = (event, message) => this.#hears(event, message) || emit(event, message)
  }

  /** Sends a statement that carries no claim. */
  without<T>(submit: () => T): T {
    const entry = { claimed: false, isOrphan: false }
    this.#sent.push(entry)
    const refused = submit()
    if (refused instanceof Error) this.#sent.pop()
    return refused
  }

  /** Sends a statement, with the claim before it when it begins a transaction. */
  around<T>(submit: () => T): T {
    // Statements of a pipeline are sent before the state that they will find is
    // known; a claim too many does no harm.
    const claim = this.#status === 'I' || this.#sent.length > 0 ? claimStatement(this.#options) : undefined
    if (claim === undefined) return this.without(submit)
    const wire = this.#wire
    const entry = { claimed: false, isOrphan: false }
    this.#sent.push(entry)
    const { parse, bind, query } = wire
    const first = (): void => {
      if (entry.claimed) return
      entry.claimed = true
      parse.call(wire, { text: claim.text, name: '', types: [] })
      bind.call(wire, {
        portal: '',
        statement: '',
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
      const refused = submit()
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
      if (event === 'errorMessage') head.claimed = false
      if (ANSWERS.has(event)) {
        if (event === 'commandComplete') head.claimed = false
        return true
      }
    }
    return false
  }
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
