import type { IncomingMessage, ServerResponse } from 'node:http'
import { type Actor, CidrSet, type Clock, parseAddress, type Remediation, systemClock } from '@postern/core'
import { exportedRemediations } from '../export/exported-remediations.ts'
import type { RemediationStore } from '../remediation-store.ts'
import type { BouncerKeys } from './bouncer-keys.ts'
import { type CrowdsecDecision, placeOf, toDecision } from './crowdsec-decision.ts'
import { DecisionLog } from './decision-log.ts'

/** The remediations that are served, and the keys that may read them. */
export interface CrowdsecApiOptions {
  readonly store: RemediationStore
  readonly keys: BouncerKeys
  readonly clock?: Clock
  /** Called with errors; no detail of them reaches the client. */
  readonly onError?: (error: unknown) => void
}

/** A handler for `node:http`, and how to end it. */
export interface CrowdsecApi {
  handle(request: IncomingMessage, response: ServerResponse): void
  close(): void
}

const MAX_QUERY = 4_096

/**
 * CrowdSec's local API as bouncers use it, served from our remediations: `GET` and `HEAD` of `/v1/decisions`
 * and `/v1/decisions/stream`, `/health`; `POST /v1/usage-metrics` is accepted and discarded. Existing
 * bouncers (nftables, nginx, Traefik, Caddy, Cloudflare, ...) then enforce our remediations. Reading needs a
 * bouncer's key in `X-Api-Key`; nothing can be changed here.
 */
export function crowdsecApi(options: CrowdsecApiOptions): CrowdsecApi {
  const { store, keys } = options
  const clock = options.clock ?? systemClock
  const log = new DecisionLog(store)

  const decisions = (wanted: Filter): unknown => {
    const now = clock.now()
    const standing = wanted.remediations?.(store) ?? exportedRemediations(store)
    return orNull(standing.map(one => toDecision(one, now)).filter(wanted.decision))
  }

  /** What was added and removed since a bouncer's last request; everything on its first. */
  const changes = (wanted: Filter, reader: string, isStart: boolean): unknown => {
    const now = clock.now()
    const { added, removed } = isStart ? log.start(reader) : log.next(reader)
    const ended = removed.map(one => ({ ...one, expiresAt: Math.min(one.expiresAt, now - 1_000) }))
    return {
      new: orNull(added.map(one => toDecision(one, now)).filter(wanted.decision)),
      deleted: orNull(ended.map(one => toDecision(one, now)).filter(wanted.decision)),
    }
  }

  /** What a path answers a bouncer, or what is wrong with its query. */
  const read = (
    path: string,
    query: URLSearchParams,
    reader: string,
  ): { readonly body: unknown } | string => {
    const wanted = filterOf(query)
    if (typeof wanted === 'string') return wanted
    if (path === '/v1/decisions') return { body: decisions(wanted) }
    return { body: changes(wanted, reader, query.get('startup') === 'true') }
  }

  /** The bouncer whose key a request brings. */
  const readerOf = async (request: IncomingMessage): Promise<string | undefined> => {
    const key = request.headers['x-api-key']
    return typeof key === 'string' ? keys.verify(key) : undefined
  }

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const [target = '', query = ''] = (request.url ?? '').split('?', 2)
    const path = singleSlashes(target)
    const method = request.method ?? ''
    if (path === '/health') return send(response, 200, { status: 'up' })
    const reader = await readerOf(request)
    if (reader === undefined) return send(response, 403, { message: 'access forbidden' })
    if (query.length > MAX_QUERY) return send(response, 400, { message: 'the query is too long' })
    if (path === '/v1/usage-metrics' && method === 'POST') {
      request.resume()
      return send(response, 201, {})
    }
    const problem = routeProblem(method, path)
    if (problem !== undefined) return refuse(response, problem)
    // A question for the head alone takes no changes from the reader, who could not see them.
    const asked = method === 'HEAD' ? '/v1/decisions' : path
    const found = read(asked, new URLSearchParams(query), reader)
    if (typeof found === 'string') return send(response, 400, { message: found })
    send(response, 200, found.body)
  }

  return {
    handle(request, response) {
      answer(request, response).catch((error: unknown) => {
        options.onError?.(error)
        if (response.headersSent) response.destroy()
        else send(response, 500, { message: 'not available' })
      })
    },
    close: () => log.close(),
  }
}

interface RouteProblem {
  readonly status: 404 | 405
  readonly message: string
}

function refuse(response: ServerResponse, { status, message }: RouteProblem): void {
  if (status === 405) response.setHeader('Allow', 'GET, HEAD')
  send(response, status, { message })
}

/** Why nothing is served under a method and path; undefined when something is. */
function routeProblem(method: string, path: string): RouteProblem | undefined {
  if (path !== '/v1/decisions' && path !== '/v1/decisions/stream')
    return { status: 404, message: 'served here: /v1/decisions, /v1/decisions/stream, /health' }
  if (method === 'GET' || method === 'HEAD') return undefined
  return { status: 405, message: 'only reading is served here' }
}

/** Bouncers put their path behind an `api_url` that ends with a slash. */
function singleSlashes(path: string): string {
  const parts = path.slice(0, 200).split('/')
  return `/${parts.filter(part => part !== '').join('/')}`
}

interface Filter {
  readonly decision: (decision: CrowdsecDecision) => boolean
  /** When the query names an address or range: what holds it. */
  readonly remediations: ((store: RemediationStore) => readonly Remediation[]) | undefined
}

function isPlace({ kind }: Actor): boolean {
  return kind === 'address' || kind === 'network'
}

/** Whether all addresses of one address or range lie in another. */
function contains(outer: string, inner: string): boolean {
  return CidrSet.parse([outer]).overlaps(inner) && prefixOf(outer) <= prefixOf(inner)
}

/** An address is the range that holds it alone. */
function prefixOf(range: string): number {
  const slash = range.indexOf('/')
  if (slash >= 0) return Number(range.slice(slash + 1))
  return range.includes(':') ? 128 : 32
}

/** As Go's `strconv.ParseBool` reads it; undefined for any other text. */
function goBoolean(text: string): boolean | undefined {
  if (/^(?:1|t|T|true|TRUE|True)$/.test(text)) return true
  return /^(?:0|f|F|false|FALSE|False)$/.test(text) ? false : undefined
}

/**
 * The filters of the query, or what is wrong with them. `ip` and `range` find what holds the place,
 * and with `contains=false` what a range holds, as in CrowdSec's API. Without `scopes`,
 * addresses and ranges, as CrowdSec does.
 */
function filterOf(query: URLSearchParams): Filter | string {
  const list = (name: string): readonly string[] =>
    query
      .getAll(name)
      .flatMap(text => text.split(','))
      .map(text => text.trim().toLowerCase())
      .filter(text => text !== '')
  const scopes = [...list('scopes'), ...list('scope')]
  const types = list('type')
  const values = list('value')
  const origins = list('origins')
  const having = list('scenarios_containing')
  const lacking = list('scenarios_not_containing')
  // CrowdSec reads both parameters alike: each takes an address or a range.
  const asked = query.get('ip') ?? query.get('range')
  let remediations: Filter['remediations']
  if (asked !== null) {
    const place = placeOf(asked)
    if (place === undefined)
      return query.has('ip') ? 'ip is not an address or a range' : 'range is not a network or an address'
    const isOuter = goBoolean(query.get('contains') ?? 'true')
    if (isOuter === undefined) return 'contains is neither true nor false'
    const address = parseAddress(place)
    const holds = isOuter ? (one: string) => contains(one, place) : (one: string) => contains(place, one)
    remediations = store =>
      address === undefined || !isOuter
        ? exportedRemediations(store).filter(({ actor }) => isPlace(actor) && holds(actor.value))
        : store.why({ address }).filter(({ actor }) => !store.isProtected(actor))
  }
  const decision = (one: CrowdsecDecision): boolean => {
    const scope = one.scope.toLowerCase()
    const scenario = one.scenario.toLowerCase()
    return (
      (scopes.length === 0 ? scope === 'ip' || scope === 'range' : scopes.includes(scope)) &&
      (types.length === 0 || types.includes(one.type)) &&
      (values.length === 0 || values.includes(one.value.toLowerCase())) &&
      (origins.length === 0 || origins.includes(one.origin.toLowerCase())) &&
      (having.length === 0 || having.some(part => scenario.includes(part))) &&
      !lacking.some(part => scenario.includes(part))
    )
  }
  return { decision, remediations }
}

/** CrowdSec is written in Go, and its bouncers expect Go's JSON for an empty list: `null`. */
function orNull(list: readonly CrowdsecDecision[]): readonly CrowdsecDecision[] | null {
  return list.length === 0 ? null : list
}

function send(response: ServerResponse, status: number, body: unknown): void {
  const text = body === undefined ? '' : JSON.stringify(body)
  response.writeHead(status, {
    'Content-Type': 'application/json',
    'Content-Length': Buffer.byteLength(text),
    'Cache-Control': 'no-store',
  })
  response.end(text)
}
