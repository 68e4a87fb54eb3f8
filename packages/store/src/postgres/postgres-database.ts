import { type Duration, type Health, type HealthProbe, parseDuration, StoreError } from '@postern/core'
import type pg from 'pg'
import { postgresDriver } from '../driver/drivers.ts'
import { storeName } from '../driver/store-name.ts'
import { endOf } from './pooler.ts'
import { postgresError } from './postgres-error.ts'
import { PostgresListener } from './postgres-listener.ts'

/** URL, size of the pool, and deadlines of a PostgreSQL database. */
export interface PostgresOptions {
  /** `postgres://user:password@host:port/database`; `?sslmode=verify-full` for TLS. */
  readonly url: string
  /** Connections at most. Default 10. */
  readonly max?: number
  /** How long one statement may take, on the server and as seen from here. Default `5s`. */
  readonly statementTimeout?: Duration
  /** How long a caller may wait for a connection. Default `2s`. */
  readonly connectTimeout?: Duration
  /** Callers that may wait for a connection; one more is refused at once. Default 1,000. */
  readonly maxWaiting?: number
  /** How often the connection that listens is asked whether it is still there. Default `10s`. */
  readonly heartbeat?: Duration
}

/** Rows of a statement, and how many it returned or changed. */
export interface SqlResult<Row> {
  readonly rows: Row[]
  readonly rowCount: number
}

/**
 * Runs statements: a database, or one transaction of it. Values go in as parameters `$1`, `$2`, never as
 * text.
 */
export interface SqlClient {
  /**
   * @param timeout another deadline than the database's, for a statement known to be long
   * @throws StoreError (a `PostgresError`) when it fails
   */
  query<Row>(text: string, values?: readonly unknown[], timeout?: Duration): Promise<SqlResult<Row>>
}

/** The server cancels a statement at its deadline; we give up on the connection this much later. */
const GRACE_MS = 500
/** Health older than this is refreshed in the background when asked for. */
const FRESH_MS = 5_000

/**
 * A PostgreSQL database: pooled connections, a deadline per statement, reconnecting by itself. Connections
 * without a statement in progress let the process end.
 */
export class PostgresDatabase implements SqlClient, HealthProbe {
  /** The store as errors name it: `postgres 127.0.0.1:5432/postern`. */
  readonly name: string
  readonly #pool: pg.Pool
  readonly #listener: PostgresListener
  readonly #timeout: number
  readonly #maxWaiting: number
  /** Connections in an unknown state, never used again: a statement on them may still be running. */
  readonly #broken = new WeakSet<pg.PoolClient>()
  /**
   * What stands at the other end of a connection: a pooler gives each transaction another session, which
   * keeps no setting of ours.
   */
  readonly #ends = new WeakMap<pg.PoolClient, 'server' | 'pooler'>()
  /** Connections with a transaction open. */
  readonly #inside = new WeakSet<pg.PoolClient>()
  #trouble: string | undefined = 'not asked yet'
  #answeredAt = Number.NEGATIVE_INFINITY
  #isProbing = false
  #isClosed = false

  constructor(options: PostgresOptions) {
    this.name = storeName('postgres', options.url, ['postgres:', 'postgresql:'])
    this.#timeout = parseDuration(options.statementTimeout ?? '5s', 'statementTimeout')
    this.#maxWaiting = options.maxWaiting ?? 1_000
    const config: pg.PoolConfig = {
      connectionString: options.url,
      application_name: 'postern',
      connectionTimeoutMillis: parseDuration(options.connectTimeout ?? '2s', 'connectTimeout'),
      keepAlive: true,
    }
    const { Pool } = postgresDriver()
    this.#pool = new Pool({ ...config, max: options.max ?? 10, allowExitOnIdle: true })
    this.#listener = new PostgresListener(
      config,
      this.name,
      parseDuration(options.heartbeat ?? '10s', 'heartbeat'),
      this.#timeout,
      (channel, payload) => this.notify(channel, payload),
    )
    // A connection that breaks while idle is dropped from the pool; the next caller gets a new one.
    this.#pool.on('error', error => this.#note(postgresError(error, this.name)))
  }

  async query<Row>(text: string, values?: readonly unknown[], timeout?: Duration): Promise<SqlResult<Row>> {
    return this.#with(client => this.#run<Row>(client, text, values, timeout))
  }

  /**
   * Runs work in one transaction on one connection: commits when it resolves, undoes everything when it
   * rejects.
   * @throws StoreError when the database fails; else what the work threw
   */
  async transaction<T>(work: (client: SqlClient) => Promise<T>): Promise<T> {
    return this.#with(async client => {
      let isOver = false
      const inside: SqlClient = {
        query: (text, values, timeout) =>
          isOver
            ? Promise.reject(
                new StoreError('the transaction is over', { store: this.name, retryable: false }),
              )
            : this.#run(client, text, values, timeout),
      }
      await this.#run(client, this.#begin(client))
      this.#inside.add(client)
      try {
        const result = await work(inside)
        isOver = true
        const { command } = await this.#execute(client, 'COMMIT', undefined, this.#timeout)
        // PostgreSQL answers COMMIT with ROLLBACK, and no error, when a statement before it failed and the
        // work went on.
        if (command !== 'COMMIT')
          throw new StoreError('the transaction was undone, for a statement in it had failed', {
            store: this.name,
            retryable: false,
          })
        return result
      } catch (error) {
        isOver = true
        // Without the connection the server undoes it by itself; a stalled one would only be waited for
        // twice.
        if (!this.#broken.has(client))
          await this.#run(client, 'ROLLBACK').catch(() => this.#broken.add(client))
        throw error
      } finally {
        this.#inside.delete(client)
      }
    })
  }

  /**
   * Calls back for every notification on a channel, on a connection of its own that heals itself.
   * @param onGap called after a broken connection was healed, and after more than 500 notifications in a
   * second: some may have been missed, so read again
   * @returns how to stop listening
   */
  listen(
    channel: string,
    onNotice: (payload: string) => void,
    onGap?: () => void,
  ): Promise<() => Promise<void>> {
    return this.#listener.listen(channel, onNotice, onGap)
  }

  /** Notifies every listener of a channel; the payload is at most 7,999 bytes of UTF-8. */
  async notify(channel: string, payload: string): Promise<void> {
    if (Buffer.byteLength(payload) > 7_999)
      throw new StoreError('a notification carries at most 7,999 bytes', {
        store: this.name,
        retryable: false,
      })
    await this.query('SELECT pg_notify($1, $2)', [channel, payload])
  }

  /**
   * From memory: whether the last statement reached the server. An answer older than 5 seconds is refreshed
   * in the background, for the next call.
   */
  health(): Health {
    if (performance.now() - this.#answeredAt > FRESH_MS && !this.#isProbing && !this.#isClosed) {
      this.#isProbing = true
      this.query('SELECT 1')
        .catch(() => {})
        .finally(() => {
          this.#isProbing = false
        })
    }
    const detail = this.#isClosed ? 'closed' : this.#trouble
    return {
      name: this.name,
      ok: detail === undefined,
      required: true,
      ...(detail !== undefined && { detail }),
    }
  }

  /** Waits for running statements and closes every connection; a second call does nothing. */
  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    // Idle connections let the process end; while they are being closed, this timer keeps it.
    const kept = setTimeout(() => {}, this.#timeout)
    await Promise.all([this.#pool.end(), this.#listener.close()]).finally(() => clearTimeout(kept))
  }

  async #with<T>(use: (client: pg.PoolClient) => Promise<T>): Promise<T> {
    if (this.#pool.waitingCount >= this.#maxWaiting)
      throw new StoreError(`${this.#pool.waitingCount} callers wait for a connection already`, {
        store: this.name,
        retryable: true,
      })
    let client: pg.PoolClient
    try {
      client = await this.#pool.connect()
    } catch (error) {
      throw this.#note(postgresError(error, this.name))
    }
    // An error between two statements of a transaction: the next statement reports it.
    const ignore = (): void => {}
    client.on('error', ignore)
    try {
      if (!this.#ends.has(client)) await this.#prepare(client)
      return await use(client)
    } finally {
      client.removeListener('error', ignore)
      client.release(this.#broken.has(client))
    }
  }

  /**
   * Sets the deadlines of a new connection. Not by parameters of its start, which poolers refuse; and behind
   * a pooler not at all, for the session is of all its clients: transactions bring theirs along, and a single
   * statement has only our own.
   */
  async #prepare(client: pg.PoolClient): Promise<void> {
    const end = await endOf(client, text => this.#execute(client, text, undefined, this.#timeout))
    if (end === 'server')
      await this.#execute(client, deadlines('SET', this.#timeout), undefined, this.#timeout)
    this.#ends.set(client, end)
  }

  #begin(client: pg.PoolClient): string {
    return this.#ends.get(client) === 'pooler' ? `BEGIN; ${deadlines('SET LOCAL', this.#timeout)}` : 'BEGIN'
  }

  async #run<Row>(
    client: pg.PoolClient,
    text: string,
    values?: readonly unknown[],
    timeout?: Duration,
  ): Promise<SqlResult<Row>> {
    const limit = timeout === undefined ? this.#timeout : Math.ceil(parseDuration(timeout, 'timeout'))
    const result =
      limit === this.#timeout
        ? await this.#execute(client, text, values, limit)
        : await this.#executeWithin(client, text, values, limit)
    return { rows: result.rows as Row[], rowCount: result.rowCount ?? 0 }
  }

  /** With another deadline on the server than the connection's own. */
  async #executeWithin(
    client: pg.PoolClient,
    text: string,
    values: readonly unknown[] | undefined,
    limit: number,
  ): Promise<pg.QueryResult> {
    const isInside = this.#inside.has(client)
    // A session that is not ours keeps nothing: only the deadline seen from here is another.
    if (!isInside && this.#ends.get(client) === 'pooler') return this.#execute(client, text, values, limit)
    const set = isInside ? 'SET LOCAL' : 'SET'
    await this.#execute(client, `${set} statement_timeout = ${limit}`, undefined, this.#timeout)
    try {
      return await this.#execute(client, text, values, limit)
    } finally {
      const restore = `${set} statement_timeout = ${this.#timeout}`
      // In a failed transaction nothing can be set any more; undoing it brings the old deadline back.
      if (!this.#broken.has(client))
        await this.#execute(client, restore, undefined, this.#timeout).catch(() => {})
    }
  }

  async #execute(
    client: pg.PoolClient,
    text: string,
    values: readonly unknown[] | undefined,
    limit: number,
  ): Promise<pg.QueryResult> {
    // `query_timeout` is read per statement by pg, though its types name it only for a connection.
    const query: pg.QueryConfig & { readonly query_timeout: number } = {
      text,
      ...(values !== undefined && { values: [...values] }),
      query_timeout: limit + GRACE_MS,
    }
    try {
      const result = await client.query(query)
      this.#note(undefined)
      return result
    } catch (error) {
      if (!(error instanceof postgresDriver().DatabaseError) || /^(?:57P|08)/.test(error.code ?? ''))
        this.#broken.add(client)
      throw this.#note(postgresError(error, this.name))
    }
  }

  /** Remembers how the server is: an answer, even a refusal of one statement, is a sign of life. */
  #note(error: unknown): unknown {
    this.#answeredAt = performance.now()
    this.#trouble = error instanceof StoreError && isTrouble(error) ? error.message : undefined
    return error
  }
}

function deadlines(set: 'SET' | 'SET LOCAL', timeout: number): string {
  return `${set} statement_timeout = ${timeout}; ${set} idle_in_transaction_session_timeout = ${timeout + GRACE_MS}`
}

/** States that tell of one statement or one transaction, from a server that is well. */
const ORDINARY = /^(?:2[0-47]|4[024]|P0|57014|55P03)/

function isTrouble(error: StoreError): boolean {
  const state = 'state' in error && typeof error.state === 'string' ? error.state : ''
  return !ORDINARY.test(state)
}

/**
 * A PostgreSQL database by URL. Connects with the first statement, so it returns although the server is down.
 * @throws ConfigError for an invalid URL
 * @example
 * const database = connectPostgres({ url: 'postgres://postern@127.0.0.1/postern' })
 * const sql = 'SELECT id FROM remediation WHERE expires_at > $1'
 * const { rows } = await database.query<{ id: string }>(sql, [now])
 */
export function connectPostgres(options: PostgresOptions): PostgresDatabase {
  return new PostgresDatabase(options)
}
