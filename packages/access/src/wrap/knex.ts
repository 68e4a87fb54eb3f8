import type { RunApart } from '../read/table-names.ts'
import type { ClaimPrefix } from './claim-prefix.ts'
import { checkClaim, type GuardOptions } from './guarded-connection.ts'
import { LeftOpen } from './left-open.ts'
import { guardConnection, type PgClient, rolledBack, tableNames } from './pg.ts'

type Validate = (connection: PgClient) => unknown
type AfterCreate = (connection: PgClient, done: (error: unknown, connection: PgClient) => void) => void

/**
 * Pool settings for Knex with the client `pg`: each connection is guarded as it is made, and a transaction
 * that somebody has left open is rolled back before the next one gets it.
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
  const claims = new WeakMap<PgClient, ClaimPrefix>()
  const left = new LeftOpen('guardKnexPool')
  const own: unknown = Reflect.get(pool, 'afterCreate')
  const ownValidate: unknown = Reflect.get(pool, 'validate')
  const afterCreate: AfterCreate = (connection, done) => {
    claims.set(connection, guardConnection(connection, options, record, names))
    if (typeof own === 'function') own(connection, done)
    else done(null, connection)
  }
  const validate: Validate = async connection => {
    const claim = claims.get(connection)
    if (claim !== undefined) await rolledBack(connection, claim, left)
    return typeof ownValidate === 'function' ? ownValidate(connection) : true
  }
  return { ...pool, afterCreate, validate }
}
