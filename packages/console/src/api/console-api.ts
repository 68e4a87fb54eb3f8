import { activityRoutes } from './activity-routes.ts'
import type { ApiRoute } from './api-route.ts'
import { approvalRoutes } from './approval-routes.ts'
import { auditRoutes } from './audit-routes.ts'
import { banRoutes } from './ban-routes.ts'
import { eventRoutes } from './event-routes.ts'
import { falsePositiveRoutes } from './false-positive-routes.ts'
import { graphRoutes } from './graph-routes.ts'
import { keyRoutes } from './key-routes.ts'
import { mapRoutes } from './map-routes.ts'
import { operatorRoutes } from './operator-routes.ts'
import { overviewRoutes } from './overview-routes.ts'
import { policyRoutes } from './policy-routes.ts'
import { requestRoutes } from './request-routes.ts'
import { settingsRoutes } from './settings-routes.ts'
import { systemRoutes } from './system-routes.ts'
import { undoRoutes } from './undo-routes.ts'
import { userRoutes } from './user-routes.ts'
import { vaultRoutes } from './vault-routes.ts'

/** Every operation of the API. */
const consoleApi: readonly ApiRoute[] = [
  ...systemRoutes(() => consoleApi),
  ...overviewRoutes,
  ...eventRoutes,
  ...requestRoutes,
  ...banRoutes,
  ...approvalRoutes,
  ...auditRoutes,
  ...settingsRoutes,
  ...mapRoutes,
  ...undoRoutes,
  ...falsePositiveRoutes,
  ...activityRoutes,
  ...graphRoutes,
  ...operatorRoutes,
  ...keyRoutes,
  ...userRoutes,
  ...policyRoutes,
  ...vaultRoutes,
]

/** An operation with the variables of its path. */
export interface MatchedRoute {
  readonly route: ApiRoute
  readonly path: Readonly<Record<string, string>>
}

const compiled = consoleApi.map(route => ({
  route,
  names: [...route.path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name),
  pattern: new RegExp(`^${route.path.replaceAll('.', '\\.').replaceAll(/\{\w+\}/g, '([^/]+)')}$`),
}))

/**
 * The operation that a path below `api` names; fixed words win over variables. @returns undefined when
 * there is none
 */
export function matchApi(method: string, path: string): MatchedRoute | undefined {
  for (const { route, names, pattern } of compiled) {
    if (route.method !== method) continue
    const match = pattern.exec(path)
    if (match === null) continue
    const values = match.slice(1).map(decoded)
    if (values.includes(undefined)) return undefined
    return { route, path: Object.fromEntries(names.map((name, i) => [name, values[i] ?? ''])) }
  }
  return undefined
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}
