import { ConfigError, type ConfigIssue, type RouteSettings } from '@postern/core'
import type { OwnedRoute } from '../ownership/owned-route.ts'
import type { ApproveRule, Requirement } from './act-rule.ts'
import type { RoutePolicy } from './route-rule.ts'

/** An OpenAPI 3 document, as far as it is read here. */
export interface OpenApiDocument {
  readonly paths?: Readonly<Record<string, unknown>>
}

/** The path that the API of a document is served under. */
export interface OpenApiOptions {
  /** Path of the API on this server, put before every path: `/api/v1`. Default: none. */
  readonly basePath?: string
}

const METHODS = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace']
const KEYS = ['require', 'approve', 'policy', 'owned']

/**
 * The routes of an OpenAPI document that carry `x-postern` (on an operation, or on a path for all its
 * operations), as route settings. Same keys as in the configuration: `require`, `approve`, `policy`, `owned`.
 * @throws ConfigError naming every path whose extension cannot be read
 */
export function openApiRoutes(
  document: OpenApiDocument,
  options: OpenApiOptions = {},
): Readonly<Record<string, RouteSettings>> {
  const routes: Record<string, RouteSettings> = {}
  const issues: ConfigIssue[] = []
  const base = (options.basePath ?? '').replace(/\/$/, '')
  for (const [path, item] of Object.entries(document.paths ?? {})) {
    if (!isObject(item)) continue
    const pattern = `${base}${path.replace(/\{([^}]+)\}/g, (_, name: string) => `:${name.replace(/\W/g, '_')}`)}`
    const shared = read(item['x-postern'], `paths["${path}"]`, issues)
    for (const method of METHODS) {
      const operation = item[method]
      if (!isObject(operation)) continue
      const own = read(operation['x-postern'], `paths["${path}"].${method}`, issues)
      const settings = { ...shared, ...own }
      if (Object.keys(settings).length > 0) routes[`${method.toUpperCase()} ${pattern}`] = settings
    }
  }
  if (issues.length > 0) throw new ConfigError(issues)
  return routes
}

function read(value: unknown, place: string, issues: ConfigIssue[]): RouteSettings {
  if (value === undefined) return {}
  if (!isObject(value)) {
    issues.push({ place: `${place}.x-postern`, problem: 'it is not an object' })
    return {}
  }
  for (const key of Object.keys(value))
    if (!KEYS.includes(key))
      issues.push({
        place: `${place}.x-postern.${key}`,
        problem: 'there is no such key',
        hint: `use one of ${KEYS.join(', ')}`,
      })
  const { require: required, approve, policy, owned } = value
  // What they hold is checked when the route is compiled, with every other route's.
  return {
    ...(required !== undefined && { require: required as Requirement }),
    ...(approve !== undefined && { approve: approve as ApproveRule }),
    ...(policy !== undefined && { policy: policy as string | RoutePolicy }),
    ...(owned !== undefined && { owned: owned as string | OwnedRoute }),
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
