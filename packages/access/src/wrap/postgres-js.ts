import { ConfigError } from '@postern/core'
import { currentActing } from '../budget/acting-as.ts'
import { TableNames } from '../read/table-names.ts'
import {
  type ClaimStatement,
  checkClaim,
  claimStatement,
  type GuardOptions,
  refusedError,
  reportRefusal,
} from './guarded-connection.ts'
import { countingSession } from './postgres-js-reads.ts'
import { endingSession } from './prepared-transaction.ts'

/** A query of postgres.js that was asked for, and is sent at once when it is awaited or executed. */
interface PendingQuery extends Promise<unknown> {
  execute(): unknown
}

/** What is used of a connection or transaction of postgres.js. */
export interface PostgresJsSession {
  unsafe(text: string, values?: never[]): PendingQuery
}

/** What is used of an instance of postgres.js. */
export interface PostgresJs extends PostgresJsSession {
  reserve(): Promise<PostgresJsSession & { release(): void }>
}

/** What `sql.begin` hands to its work. */
export type TransactionOf<S> = S extends {
  begin: (options: string, work: (sql: infer T) => infer _Result) => infer _Answer
}
  ? T
  : never

/** Transactions of postgres.js that carry a claim. */
export interface GuardedPostgresJs<S extends PostgresJs> {
  /** As `sql.begin`. The claim goes with the first statement, without a round trip of its own. */
  begin<V>(work: (sql: TransactionOf<S>) => PromiseLike<V>): Promise<V>
  /**
   * One statement in a transaction of its own. BEGIN, claim, statement and COMMIT
   * are sent together: one round trip.
   */
  run<V>(statement: (sql: Awaited<ReturnType<S['reserve']>>) => PromiseLike<V>): Promise<V>
}

/**
 * Guards transactions of postgres.js: each carries a signed claim of who acts, and a refusal of a
 * budget is thrown as `RowBudgetExceeded`.
 * @example
 * const guarded = guardPostgresJs(postgres(url), { claim })
 * await guarded.run(sql => sql`DELETE FROM orders WHERE id = ${id}`)
 */
export function guardPostgresJs<S extends PostgresJs>(sql: S, options: GuardOptions): GuardedPostgresJs<S> {
  const begin: unknown = Reflect.get(sql, 'begin')
  if (typeof begin !== 'function')
    throw new ConfigError({
      place: 'guardPostgresJs',
      problem: 'this is not an instance of postgres.js',
      hint: 'pass what `postgres(url)` returns',
    })
  checkClaim(options, 'guardPostgresJs')
  const record = async (text: string, values: readonly unknown[]): Promise<unknown> =>
    sql.unsafe(text, [...values] as never[])
  const names = new TableNames(
    async text => ({ rows: await sql.unsafe(text) }),
    () => performance.now(),
  )
  const counting = <T extends object>(bare: T): T => {
    const acting = (options.acting ?? currentActing)()
    const session = endingSession(bare)
    if (options.reads === undefined || acting === undefined) return session
    return countingSession(session, {
      budgets: options.reads,
      names,
      acting,
      report: error => reportRefusal(error, acting, options, record),
    })
  }
  return {
    begin: async <V>(work: (sql: TransactionOf<S>) => PromiseLike<V>): Promise<V> => {
      let value: V | undefined
      try {
        await begin(async (session: TransactionOf<S> & PostgresJsSession) => {
          const claimed = sendClaim(session, claimStatement(options))
          const result = work(counting(session))
          // Awaited together: neither may fail without being noticed.
          ;[value] = await Promise.all([result, claimed])
        })
      } catch (error) {
        throw refusedError(error, options, record)
      }
      return value as V
    },
    run: async <V>(statement: (sql: Awaited<ReturnType<S['reserve']>>) => PromiseLike<V>): Promise<V> => {
      const session = (await sql.reserve()) as Awaited<ReturnType<S['reserve']>>
      try {
        const claim = claimStatement(options)
        const begun = send(session.unsafe('BEGIN'))
        const claimed = sendClaim(session, claim)
        // Whatever the statement does, the transaction ends before the connection goes to somebody else.
        const result = sendStatement(() => statement(counting(session)))
        const committed = send(session.unsafe('COMMIT'))
        const [value] = await settled([result, begun, claimed, committed])
        return value as V
      } catch (error) {
        throw refusedError(error, options, record)
      } finally {
        session.release()
      }
    },
  }
}

function sendClaim(session: PostgresJsSession, claim: ClaimStatement | undefined): Promise<unknown> {
  return claim === undefined
    ? Promise.resolve()
    : send(session.unsafe(claim.text, [...claim.values] as never[]))
}

/** As `send`, of a statement that may throw as it is made. */
function sendStatement<V>(statement: () => PromiseLike<V>): Promise<V> {
  try {
    return send(statement())
  } catch (error) {
    return Promise.reject(error)
  }
}

/** Queries of postgres.js are sent when somebody asks for their answer. */
function send<V>(query: PromiseLike<V>): Promise<V> {
  return Promise.resolve(query.then(value => value))
}

/**
 * All results, once all are in; the first failure otherwise. Nothing is released
 * while an answer is still under way.
 */
async function settled(promises: readonly Promise<unknown>[]): Promise<readonly unknown[]> {
  const results = await Promise.allSettled(promises)
  const failed = results.find(result => result.status === 'rejected')
  if (failed !== undefined) throw failed.reason
  return results.map(result => (result.status === 'fulfilled' ? result.value : undefined))
}
