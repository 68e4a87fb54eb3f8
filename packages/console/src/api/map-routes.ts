import type { StoredEvent } from '../traffic/traffic-event.ts'
import type { ApiCall, ApiRoute } from './api-route.ts'
import { pathTemplate } from './path-template.ts'

/** One operation of the backend, as the traffic shows it. */
interface SeenRoute {
  readonly method: string
  /** With `{id}` where values stand. */
  readonly path: string
  /** Pattern of the configuration that it falls under. */
  readonly configured: string | undefined
  requests: number
  refused: number
  /** Requests of somebody who is known. */
  identified: number
  lastAt: number
  readonly statuses: Record<string, number>
  readonly parameters: Set<string>
}

const PAGES = 4
const PAGE = 1_000
const MAX_ROUTES = 500
const MAX_PARAMETERS = 50

/** What the backend answers to, learned from the kept traffic. */
export const mapRoutes: readonly ApiRoute[] = [
  {
    method: 'GET',
    path: '/map',
    role: 'viewer',
    summary:
      'Routes that the newest 4,000 kept requests asked for, with parameters, answers, and whether anybody was known.',
    answer:
      '`routes`, the most requested first. `isOpen`: it changed something, was answered 2xx, and nobody was known in any request.',
    shape: {
      routes: [
        {
          method: 'string',
          path: 'string',
          configured: 'string?',
          requests: 'integer',
          refused: 'integer',
          identified: 'integer',
          lastAt: 'time',
          statuses: 'map',
          parameters: ['string'],
          isOpen: 'boolean',
        },
      ],
    },
    handle: async call => ({
      routes: (await seenRoutes(call)).map(({ parameters, ...route }) => ({
        ...route,
        parameters: [...parameters].sort(),
        isOpen: isOpen(route),
      })),
    }),
  },
  {
    method: 'GET',
    path: '/map/openapi.json',
    role: 'viewer',
    summary: 'The same as an OpenAPI 3.1 document to start from.',
    answer: 'OpenAPI 3.1.',
    shape: { openapi: 'string', info: 'map', paths: 'map' },
    handle: async call => documentOf(await seenRoutes(call)),
  },
]

async function seenRoutes({ parts }: ApiCall): Promise<readonly SeenRoute[]> {
  await parts.flush()
  const routes = new Map<string, SeenRoute>()
  let before = Number.MAX_SAFE_INTEGER
  for (let page = 0; page < PAGES; page++) {
    const events = await parts.traffic.find({ type: 'http', before, limit: PAGE })
    for (const stored of events) take(routes, stored)
    before = events.at(-1)?.id ?? 0
    if (events.length < PAGE) break
    // Requests go on between two pages.
    await new Promise<void>(resolve => setImmediate(resolve))
  }
  return [...routes.values()].sort((a, b) => b.requests - a.requests)
}

function take(routes: Map<string, SeenRoute>, { event, weight, erased }: StoredEvent): void {
  const { request, outcome, actor } = event
  if (request === undefined || erased) return
  const path = pathTemplate(request.path)
  const key = `${request.method} ${path}`
  const known = routes.get(key)
  // What the backend does not know is not a route of it: scanners ask for thousands.
  if (known === undefined && (routes.size >= MAX_ROUTES || outcome === undefined || outcome.status === 404))
    return
  const route: SeenRoute = known ?? {
    method: request.method,
    path,
    configured: request.route,
    requests: 0,
    refused: 0,
    identified: 0,
    lastAt: event.time,
    statuses: {},
    parameters: new Set(),
  }
  route.requests += weight
  if (event.decision !== 'allow') route.refused += weight
  if (actor.principal !== undefined) route.identified += weight
  route.lastAt = Math.max(route.lastAt, event.time)
  const status = outcome === undefined ? 'none' : `${Math.floor(outcome.status / 100)}xx`
  route.statuses[status] = (route.statuses[status] ?? 0) + weight
  for (const name of new URLSearchParams(request.query).keys())
    if (route.parameters.size < MAX_PARAMETERS) route.parameters.add(name.slice(0, 100))
  routes.set(key, route)
}

function isOpen({
  method,
  statuses,
  identified,
}: Pick<SeenRoute, 'method' | 'statuses' | 'identified'>): boolean {
  const isRead = method === 'GET' || method === 'HEAD' || method === 'OPTIONS'
  return !isRead && identified === 0 && (statuses['2xx'] ?? 0) > 0
}

function documentOf(routes: readonly SeenRoute[]): unknown {
  const paths: Record<string, Record<string, unknown>> = {}
  for (const { method, path, parameters, statuses } of routes) {
    const operations = paths[path] ?? {}
    const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
      name,
      in: 'path',
      required: true,
      schema: { type: 'string' },
    }))
    const inQuery = [...parameters].sort().map(name => ({ name, in: 'query', schema: { type: 'string' } }))
    operations[method.toLowerCase()] = {
      ...(inPath.length + inQuery.length > 0 && { parameters: [...inPath, ...inQuery] }),
      responses: Object.fromEntries(
        Object.keys(statuses)
          .filter(status => status !== 'none')
          .map(status => [status.toUpperCase(), { description: 'As seen in traffic.' }]),
      ),
    }
    paths[path] = operations
  }
  return { openapi: '3.1.0', info: { title: 'Learned from traffic', version: '0' }, paths }
}
