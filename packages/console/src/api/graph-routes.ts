import type { Event } from '@postern/core'
import { type ApiCall, ApiProblem, type ApiRoute } from './api-route.ts'
import { queryNumber, queryText } from './call-values.ts'

/** Entries of the log that are looked at: the newest that match. */
const MOST_ENTRIES = 5_000
const MOST_NODES = 120
const PAUSE_EVERY = 500

/** Who touched what, from the audit log. */
export const graphRoutes: readonly ApiRoute[] = [
  {
    method: 'GET',
    path: '/graph',
    role: 'viewer',
    summary: 'Who touched what: actors and resources of the newest 5,000 matching entries of the audit log.',
    query: {
      hours: { type: 'integer', description: 'How far back, 1 to 744. Default: 24.' },
      principal: { type: 'string', description: 'Only what this principal touched.' },
      type: { type: 'string', description: 'Only resources of this type.' },
      id: { type: 'string', description: 'With `type`: only this resource.' },
    },
    answer:
      '`nodes`, at most 120, most touched first, and `edges` between them by node id. `left`: nodes that found no room; `entries` looked at; `more`: whether there were further ones.',
    shape: {
      nodes: [{ id: 'string', kind: 'actor|resource', label: 'string', type: 'string?', touches: 'integer' }],
      edges: [
        {
          from: 'string',
          to: 'string',
          touches: 'integer',
          refused: 'integer',
          actions: ['string'],
          lastAt: 'time',
        },
      ],
      left: 'integer',
      entries: 'integer',
      more: 'boolean',
    },
    handle: graph,
  },
]

interface Node {
  readonly id: string
  readonly kind: 'actor' | 'resource'
  readonly label: string
  readonly type?: string
  touches: number
}

interface Edge {
  readonly from: string
  readonly to: string
  touches: number
  refused: number
  readonly actions: Set<string>
  lastAt: number
}

const MOST_ACTIONS = 8

async function graph(call: ApiCall): Promise<unknown> {
  const { parts } = call
  const hours = queryNumber(call, 'hours', { fallback: 24, least: 1, most: 744 })
  const principal = queryText(call, 'principal')
  const type = queryText(call, 'type')
  const id = queryText(call, 'id')
  if (id !== undefined && type === undefined) throw new ApiProblem(400, 'id: needs type as well')
  if (parts.audit === undefined) throw new ApiProblem(404, 'no audit log is kept here')
  const reader = await parts.audit()
  const nodes = new Map<string, Node>()
  const edges = new Map<string, Edge>()
  let entries = 0
  for await (const { event } of reader.query({
    from: parts.clock.now() - hours * 3_600_000,
    limit: MOST_ENTRIES,
    ...(principal !== undefined && { principal }),
    ...(type !== undefined && { resource: { type, ...(id !== undefined && { id }) } }),
  })) {
    touch(event, nodes, edges)
    // Requests go on between two pages.
    if (++entries % PAUSE_EVERY === 0) await new Promise<void>(resolve => setImmediate(resolve))
  }
  const shown = [...nodes.values()].sort((a, b) => b.touches - a.touches).slice(0, MOST_NODES)
  const ids = new Set(shown.map(node => node.id))
  return {
    nodes: shown,
    edges: [...edges.values()]
      .filter(({ from, to }) => ids.has(from) && ids.has(to))
      .map(({ actions, ...edge }) => ({ ...edge, actions: [...actions] })),
    left: nodes.size - shown.length,
    entries,
    more: entries === MOST_ENTRIES,
  }
}

function touch(event: Event, nodes: Map<string, Node>, edges: Map<string, Edge>): void {
  const { actor, resource, request } = event
  const who = actor.principal ?? actor.address
  if (who === undefined) return
  const kind = actor.principal === undefined ? 'address' : 'principal'
  // What is not a named resource is the route that was asked for.
  const what = resource ?? (request?.route === undefined ? undefined : { type: 'route', id: request.route })
  if (what === undefined || what.type === '') return
  const from = `${kind} ${who}`
  const to = `${what.type}/${what.id ?? ''}`
  const label = what.id ?? what.type
  bump(nodes, { id: from, kind: 'actor', label: who, touches: 0 })
  bump(nodes, { id: to, kind: 'resource', label, type: what.type, touches: 0 })
  const key = `${from}\n${to}`
  const edge = edges.get(key) ?? {
    from,
    to,
    touches: 0,
    refused: 0,
    actions: new Set<string>(),
    lastAt: event.time,
  }
  edge.touches++
  if (event.decision !== undefined && event.decision !== 'allow') edge.refused++
  const action = event.action ?? request?.method
  if (action !== undefined && edge.actions.size < MOST_ACTIONS) edge.actions.add(action)
  edge.lastAt = Math.max(edge.lastAt, event.time)
  edges.set(key, edge)
}

function bump(nodes: Map<string, Node>, fresh: Node): void {
  const node = nodes.get(fresh.id) ?? fresh
  node.touches++
  nodes.set(node.id, node)
}
