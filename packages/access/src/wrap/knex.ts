import type { RunApart } from '../read/table-names.ts'
import { checkClaim, type GuardOptions } from './guarded-connection.ts'
import { guardConnection, type PgClient, tableNames } from './pg.ts'

type AfterCreate = (connection: PgClient, done: (error: unknown, connection: PgClient) => void) => void

/**
 * Pool settings for Knex with the client `pg`: each connection is guarded as it is made.
 * @param record runs a statement on another connection, to record refusals in the database
 * @example
 * const db = knex({ client: 'pg', connection, pool: guardKnexPool({ min: 0, max: 10 }, { claim }) })
 */
export function guardKnexPool<P extends object>(
  pool: P,
  options: GuardOptions,
  record: RunApart = async () => {},
): P {
  checkClaim(options, 'guardKnexPool')
  const names = tableNames(record)
  const own: unknown = Reflect.get(pool, 'afterCreate')
  const afterCreate: AfterCreate = (connection, done) => {
    guardConnection(connection, options, record, names)
    if (typeof own === 'function') own(connection, done)
    else done(null, connection)
  }
  return { ...pool, afterCreate }
}
