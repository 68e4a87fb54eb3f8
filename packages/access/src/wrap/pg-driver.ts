import type { GuardOptions } from './guarded-connection.ts'
import { guardClient, guardPool, type PgClient, type PgPool } from './pg.ts'

/** What is used of the module `pg`. */
export interface PgModule {
  readonly Pool: new (...args: never[]) => PgPool
  readonly Client: new (...args: never[]) => PgClient
}

/**
 * The module `pg` with guarded pools and clients, for libraries that make their own:
 * TypeORM takes it as `driver`.
 * @example
 * new DataSource({ type: 'postgres', driver: guardDriver(pg, { claim }), ... })
 */
export function guardDriver<M extends PgModule>(pg: M, options: GuardOptions): M {
  const Pool = new Proxy(pg.Pool, {
    construct: (target, args, self) => guardPool(construct<PgPool>(target, args, self), options),
  })
  const Client = new Proxy(pg.Client, {
    construct: (target, args, self) => guardClient(construct<PgClient>(target, args, self), options),
  })
  return { ...pg, Pool, Client, defaults: Reflect.get(pg, 'defaults'), types: Reflect.get(pg, 'types') }
}

function construct<T>(target: new (...args: never[]) => T, args: unknown[], self: unknown): T {
  return Reflect.construct(target, args, typeof self === 'function' ? self : target)
}
