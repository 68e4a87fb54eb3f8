import { AsyncLocalStorage } from 'node:async_hooks'
import { type Clock, ConfigError, systemClock } from '@postern/core'
import { type Acting, currentActing } from '../budget/acting-as.ts'
import type { Budgets } from '../budget/budget.ts'
import type { RowBudgetExceeded } from '../budget/budget-refusal.ts'
import { CountedBudgets } from '../budget/counted-budgets.ts'
import type { ReadBudgets } from '../read/read-budgets.ts'
import type { Refused } from '../wrap/guarded-connection.ts'
import { LeftOpen } from '../wrap/left-open.ts'
import { MysqlConnection } from './mysql-connection.ts'

/** How a pool of mysql2 is guarded. */
export interface MysqlGuardOptions {
  readonly budgets: Budgets
  /** Budgets on what is read. Default: reads are not counted. */
  readonly reads?: ReadBudgets
  /**
   * Statements that name a table whose foreign keys cascade are refused, for the server does not count the
   * rows that go with them; or those rows are not counted. Default `refuse`.
   */
  readonly cascades?: 'refuse' | 'uncounted'
  /** Who acts; default: `currentActing()`, which `actingAs` sets. */
  readonly acting?: () => Acting | undefined
  /** Receives every refusal, also when the application swallows the error; must not throw. */
  readonly onRefusal?: (refusal: Refused) => void
  /** Keys (actors, tenants, tables) whose counts are kept for each limit. Default 100,000. */
  readonly capacity?: number
  readonly clock?: Clock
}

/** The bit by which a client asks for it. */
const MULTI_STATEMENTS = 0x1_0000

/** What is used of a pool of mysql2, with callbacks or with promises. */
export interface MysqlPool {
  on(event: 'connection', listener: (connection: object) => void): unknown
}

/**
 * Guards the connections of a mysql2 pool, for MySQL and MariaDB: rows that a statement changes are counted
 * in its transaction, and a transaction that goes over is rolled back; `RowBudgetExceeded` is thrown. Works
 * for tables of InnoDB. The counting is done by the driver, in this process's memory: whoever opens another
 * connection with the application's password is not counted. Give a pool that has no connections yet.
 * @returns the same pool
 * @throws ConfigError naming every mistake in the budgets, or when the pool allows several statements in one
 *   text
 * @example
 * const pool = guardMysql(mysql.createPool({ uri }), { budgets: { 'orders.delete': rows(50, '1h') } })
 */
export function guardMysql<P extends MysqlPool>(pool: P, options: MysqlGuardOptions): P {
  const { budgets, reads, cascades = 'refuse', acting = currentActing, clock = systemClock } = options
  const core: unknown = Reflect.get(pool, 'pool') ?? pool
  if (typeof core !== 'object' || core === null || typeof Reflect.get(core, 'getConnection') !== 'function')
    throw new ConfigError({
      place: 'guardMysql',
      problem: 'this is not a pool of mysql2',
      hint: 'pass what `createPool` of mysql2 or mysql2/promise returns',
    })
  checkPool(core)
  const changes = new CountedBudgets({
    budgets,
    actions: ['delete', 'update', 'insert'],
    schemas: undefined,
    capacity: options.capacity ?? 100_000,
    clock,
  })
  const report = (error: RowBudgetExceeded, who: Acting): void => {
    options.onRefusal?.({ acting: who, error })
    who.refused?.(error)
  }
  const open = new LeftOpen('guardMysql')
  const guards = new WeakMap<object, MysqlConnection>()
  const leftOpen = (): void => open.warn()
  pool.on('connection', connection => {
    guards.set(
      connection,
      new MysqlConnection(connection, { changes, reads, cascades, acting, report, leftOpen }),
    )
  })
  takeBack(core, guards)
  handOutInContext(core, connection => (guards.get(connection)?.isInTransaction ? open.refusal() : undefined))
  return pool
}

/** @throws ConfigError for a pool of which something would not be counted */
function checkPool(core: object): void {
  const config = objectAt(core, 'config')
  const connections = objectAt(core, '_allConnections')
  const own = config && objectAt(config, 'connectionConfig')
  if (config === undefined || own === undefined || connections === undefined)
    throw refused('this is not a pool of mysql2, or a cluster of pools', 'give the pool of createPool()')
  // `multipleStatements` may be 1, and the flag may be given by its name: both come to this.
  if ((Number(Reflect.get(own, 'clientFlags')) & MULTI_STATEMENTS) !== 0)
    throw refused(
      'the pool allows several statements in one text, and only the first would be looked at',
      'take multipleStatements, or the flag MULTI_STATEMENTS, out of its options',
    )
  if (Reflect.get(config, 'resetOnRelease') === true)
    throw refused(
      'the pool resets connections, and a session that was reset is no longer counted',
      'take resetOnRelease out of its options',
    )
  if (Number(Reflect.get(connections, 'length')) > 0)
    throw refused(
      'the pool has connections already, which would not be counted',
      'guard it before its first use',
    )
}

function refused(problem: string, hint: string): ConfigError {
  return new ConfigError({ place: 'guardMysql', problem, hint })
}

function objectAt(value: object, name: string): object | undefined {
  const found: unknown = Reflect.get(value, name)
  return typeof found === 'object' && found !== null ? found : undefined
}

type Use = (error: unknown, connection?: MysqlConnectionOfPool) => void

/** What is used of a connection that a pool hands out. */
interface MysqlConnectionOfPool {
  query(...args: unknown[]): unknown
  execute(...args: unknown[]): unknown
  release(): void
}

/** The guard of a connection ends what is open as it is given back: it goes before statements of the next. */
function takeBack(core: object, guards: WeakMap<object, MysqlConnection>): void {
  const release: unknown = Reflect.get(core, 'releaseConnection')
  if (typeof release !== 'function')
    throw refused('this is not a pool of mysql2', 'give the pool of createPool()')
  Reflect.set(core, 'releaseConnection', (connection: object) => {
    guards.get(connection)?.release()
    return Reflect.apply(release, core, [connection])
  })
}

/**
 * A connection goes to whoever asked for it, in the context of that one; `query` and `execute` of the pool
 * keep it until all of a change is done.
 * @param leftBy the error for a statement of the pool that has left its connection in a transaction
 */
function handOutInContext(core: object, leftBy: (connection: object) => Error | undefined): void {
  const getConnection: unknown = Reflect.get(core, 'getConnection')
  if (typeof getConnection !== 'function') return
  const take = (use: Use): unknown =>
    Reflect.apply(getConnection, core, [AsyncLocalStorage.bind((...got: Parameters<Use>) => use(...got))])
  Reflect.set(core, 'getConnection', take)
  for (const method of ['query', 'execute'] as const)
    Reflect.set(core, method, (...args: unknown[]) => {
      const callback = args.at(-1)
      if (typeof callback !== 'function')
        throw new ConfigError({
          place: 'guardMysql',
          problem: 'a statement without a callback is a stream, and cannot be counted',
          hint: 'give a callback, or use mysql2/promise',
        })
      take((error, connection) => {
        if (error || connection === undefined) return callback(error)
        connection[method](...args.slice(0, -1), (...answer: unknown[]) => {
          const left = leftBy(connection)
          connection.release()
          callback(...(left === undefined ? answer : [left]))
        })
      })
    })
}
