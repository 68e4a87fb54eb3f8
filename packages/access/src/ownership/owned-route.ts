import { ConfigError, type Exchange } from '@postern/core'

/** Says that a route serves records that belong to somebody. */
export interface OwnedRoute {
  /** `order`. */
  readonly type: string
  /** The route's parameter with the record's id. Default: `id`. */
  readonly param?: string
  /** Roles that see other people's records by default. */
  readonly except?: readonly string[]
}

declare module '@postern/core' {
  interface RouteSettings {
    /**
     * The route serves records that belong to somebody: `order`, or with where their
     * id is and who sees everybody's.
     */
    readonly owned?: string | OwnedRoute | undefined
  }
}

/** @throws ConfigError when it names no type */
export function compileOwnedRoute(owned: string | OwnedRoute, place: string): OwnedRoute {
  const given = typeof owned === 'string' ? { type: owned } : owned
  if (typeof given.type !== 'string' || !/^[A-Za-z][\w-]{0,63}$/.test(given.type))
    throw new ConfigError({
      place: `${place}.owned`,
      problem: 'it names no type of record',
      hint: 'write e.g. order',
    })
  return given
}

/** The record a request is for, on a route that serves owned ones. */
export function ownedResource(
  exchange: Exchange,
  { type, param = 'id' }: OwnedRoute,
): { readonly type: string; readonly id: string } | undefined {
  const id = exchange.route?.params[param]
  return id === undefined || id === '' ? undefined : { type, id: id.slice(0, 200) }
}
