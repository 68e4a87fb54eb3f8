import {
  batchedRequests,
  type Exchange,
  isPlaceOfBatches,
  parseRequestPath,
  type RequestPath,
  type RouteSettings,
  type RouteTable,
} from '@postern/core'

/** How many segments a router may be mounted under. */
const MOST_MOUNTED = 6
/** More names in one path are a list of something else, or a flood. */
const MOST_NAMES = 100
const COMMA = /,|%2c/i
/** A pattern that is for single names below a place: `/trpc/orders.delete`, `/trpc/:name`. */
const NAMES_ONE = /\/(?!:|\*)[^/]+(?:\/[^/]+)*$/

/**
 * Whether a path names several operations, one of which has rules that the path as a whole does not have.
 * tRPC does all of `/trpc/orders.list,orders.delete?batch=1`, and cuts at each comma, also of a path with
 * further slashes. Without a query nothing is a batch; how it spells `batch` is not looked at.
 */
export function isRiskyBatch(path: RequestPath, method: string, routes: RouteTable | undefined): boolean {
  if (routes === undefined || routes.size === 0 || path.query === '' || !COMMA.test(path.raw)) return false
  const [first = '', ...others] = path.raw.split(COMMA)
  const names = [...new Set(others.filter(name => /[a-z]/i.test(name)))]
  if (names.length > MOST_NAMES) return true
  const whole = matched(routes, method, path.canonical)
  const hasOwnRules = (alone: string): boolean => {
    const match = matched(routes, method, parseRequestPath(alone).canonical)
    if (match === undefined || match.pattern.endsWith('**') || !NAMES_ONE.test(match.pattern)) return false
    return !areSame(match.settings, whole?.settings)
  }
  return hasOwnRules(first) || mountsIn(first).some(mount => names.some(name => hasOwnRules(mount + name)))
}

/** A pattern that says of some place, not of any. */
const NAMES_PLACE = /\/(?!:|\*)[^/]+/

/**
 * Whether the body of a request holds another one that is under rules which the request itself does not have,
 * or something that cannot be read.
 */
export async function holdsRiskyRequest(exchange: Exchange, routes: RouteTable): Promise<boolean> {
  const requests = await batchedRequests(exchange)
  if (requests === undefined) return true
  const { canonical } = exchange.path
  const whole = matched(routes, exchange.method, canonical)
  const mounts = mountsIn(canonical)
  // A part of a path stands below the root only where a batch itself does.
  const isAtRoot = mounts.length === 2 && isPlaceOfBatches(exchange)
  const below = isAtRoot ? mounts : mounts.slice(1)
  return requests.some(({ method, target }) =>
    pathsOf(target, target.startsWith('/') ? mounts : below).some(path => {
      const match = matched(routes, method, path)
      return (
        match !== undefined && NAMES_PLACE.test(match.pattern) && !areSame(match.settings, whole?.settings)
      )
    }),
  )
}

/** Without exemptions: what one operation is exempt from restricts no batch that it is in. */
function matched(routes: RouteTable, method: string, path: string): ReturnType<RouteTable['match']> {
  return routes.match(method, path, '')
}

/** Where a router may begin: `/`, `/api/`, `/api/trpc/`. */
function mountsIn(first: string): readonly string[] {
  const segments = parseRequestPath(first)
    .canonical.split('/')
    .slice(1, 1 + MOST_MOUNTED)
  return ['/', ...segments.map((_, at) => `/${segments.slice(0, at + 1).join('/')}/`)]
}

function areSame(one: RouteSettings, other: RouteSettings = {}): boolean {
  const names = new Set([...Object.keys(one), ...Object.keys(other)])
  return [...names].every(name => Reflect.get(one, name) === Reflect.get(other, name))
}

/** The paths that a target may stand for below each of some places. */
function pathsOf(target: string, mounts: readonly string[]): readonly string[] {
  const below = target.startsWith('/') ? target.slice(1) : target
  return mounts.map(mount => parseRequestPath(mount + below).canonical)
}
