import type { Config, RouteConfig } from '@postern/config'
import { type RecordPromise, type RouteSettings, RouteTable } from '@postern/core'
import { routeLimit } from './limits.ts'
import { withoutUndefined } from './without-undefined.ts'

declare module '@postern/core' {
  interface RouteSettings {
    /** When exchanges on this route are written down. */
    readonly record?: RecordPromise
  }
}

/** The routes of a configuration, compiled. @throws ConfigError */
export function compileRoutes(config: Config): RouteTable {
  const routes = Object.entries(config.routes ?? {}).map(
    ([pattern, route]) => [pattern, compileRoute(pattern, route)] as const,
  )
  return new RouteTable(Object.fromEntries(routes))
}

function compileRoute(pattern: string, route: RouteConfig): RouteSettings {
  const { throttle, honey: _, ...rest } = withoutUndefined(route)
  if (throttle === undefined) return rest
  return { ...rest, throttle: throttle === false ? false : routeLimit(throttle, pattern) }
}

/** Patterns of the routes that are traps. */
export function honeyRoutes(config: Config): readonly string[] {
  return Object.entries(config.routes ?? {}).flatMap(([pattern, route]) =>
    route.honey === true ? [pattern] : [],
  )
}
