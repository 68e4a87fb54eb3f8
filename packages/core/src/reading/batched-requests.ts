import { repeatsName } from '../body/repeated-names.ts'
import type { Exchange } from '../exchange/exchange.ts'
import { headMethodOverrides } from '../route/method-override.ts'
import { parseRequestPath, type RequestPath } from '../route/request-path.ts'

/** A request that the body of another one holds. */
export interface BatchedRequest {
  /** In capitals. One that asks to be treated as one of another method is there once for each. */
  readonly method: string
  /** A path, or with no slash in front a part of one, and its query; of an address without its host. */
  readonly target: string
}

/** Where batches are sent to: `/odata/$batch`, `/parse/batch`, `/wp-json/batch/v1`, `/batch/drive/v3`. */
const PLACE = /\/[$_]?batch(?:[/.]|$)/i
/** Where nothing else is: of another `/batch` only what can be read is known to be one of requests. */
const CERTAIN = /\/(?:\$batch|parse\/batch|batch\/v\d+)(?:[/.]|$)/i
/**
 * Where what happened is collected, not done: the first batch of the path, and its end. Not `/events/batch`,
 * where a calendar may take operations.
 */
const COLLECTING =
  /^(?:\/(?![$_]?batch(?:[/.]|$))[^/]*)*?\/(?:logs?|metrics|telemetry|traces|spans|errors|rum)\/batch\/?$/i
const MULTIPART = /^\s*multipart\/(?:mixed|batch)\b/i
/** What may be the request line of a part (`application/http`). */
const LINE = /^[ \t]*([A-Za-z][A-Za-z-]{2,31})[ \t]+(\S.*)$/gm
const VERSION = /[ \t]HTTP\/[\d.]+[ \t]*$/i
const OVERRIDE = /^[ \t]*(x-(?:http-)?method(?:-override)?)[ \t]*:(.{1,400})$/gim
/** More wishes of one batch, or of one operation, are a flood. */
const MOST_OVERRIDES = 50
/** What every header that wishes for a method has in its name; of others an operation may have thousands. */
const WISHING = /method/i
/** By which another request of the batch names what this one is about (OData 4.01 section 11.7). */
const ID = /^[ \t]*content-id[ \t]*:[ \t]*(\S{1,100})[ \t]*$/gim
/** WordPress takes the requests of a batch from its query, too. */
const IN_QUERY = /^\s*requests/
const HOST = /^(?:https?:[\\/]*|[a-z][a-z0-9+.-]*:\/\/)[^\\/?#]*/i
/** Without a version, two words may be a line of any text. */
const METHODS: ReadonlySet<string> = new Set([
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'PATCH',
  'MERGE',
  'DELETE',
  'OPTIONS',
  'QUERY',
])
const TARGET_NAMES: ReadonlySet<string> = new Set([
  'url',
  'path',
  'relative_url',
  'relativeurl',
  'href',
  'uri',
])
const METHOD_NAMES: ReadonlySet<string> = new Set(['method', 'verb', 'httpmethod'])
/** What an operation sends that names no method, and may be a POST by that. */
const SENT_NAMES: ReadonlySet<string> = new Set([
  'body',
  'data',
  'payload',
  'form',
  'json',
  'params',
  'content',
  'entity',
])
/** What analytics clients put the facts of an event in; the requests of no protocol stand there. */
const FACT_NAMES: ReadonlySet<string> = new Set([
  'properties',
  'context',
  'traits',
  'event_properties',
  'user_properties',
])
const HEADER_NAMES: ReadonlySet<string> = new Set(['headers'])
const ID_NAMES: ReadonlySet<string> = new Set(['id'])
const REFERENCE = /^\/?\$([^/?#]{1,100})(.*)$/s
/** More are a flood. */
const MOST = 1_000
const MAX_DEPTH = 3

/** Whether a path is one that batches are sent to. Other bodies of `multipart/mixed` may hold none. */
export function isPlaceOfBatches({ path }: Exchange): boolean {
  return PLACE.test(plain(path))
}

/** Whether the body of a request may hold whole requests, which its backend answers one by one. */
export function mayHoldRequests(exchange: Exchange): boolean {
  const { hasBody, path } = exchange
  if (!hasBody && path.query === '') return false
  if (isPlaceOfBatches(exchange)) return hasBody || isInQuery(path)
  return hasBody && MULTIPART.test(exchange.header('content-type') ?? '')
}

/**
 * The requests that a body holds: OData and Microsoft Graph, Google, WordPress, Parse. Waits for the body.
 * Undefined where it is a batch that cannot be read as all parsers read it.
 */
export async function batchedRequests(exchange: Exchange): Promise<readonly BatchedRequest[] | undefined> {
  const isMultipart = MULTIPART.test(exchange.header('content-type') ?? '')
  const place = plain(exchange.path)
  const isCertain = CERTAIN.test(place)
  if (!isMultipart && !isCertain && COLLECTING.test(place)) return []
  if (isCertain && isInQuery(exchange.path)) return undefined
  const otherwise = isMultipart || isCertain ? undefined : []
  const body = await exchange.readDecodedBody()
  if (body === undefined || !body.complete) return otherwise
  const { buffer, byteOffset, byteLength } = body.bytes
  const text = Buffer.from(buffer, byteOffset, byteLength).toString('utf8')
  const found = isMultipart ? inParts(text) : inJson(text, isCertain)
  // Nobody who sends something else wishes for so many methods.
  if (found === 'flood') return undefined
  if (found === undefined) return otherwise
  return found.length > MOST ? otherwise : found
}

function plain({ canonical }: RequestPath): string {
  return canonical.includes('%24') ? canonical.replaceAll('%24', '$') : canonical
}

function isInQuery({ query }: RequestPath): boolean {
  return query !== '' && [...new URLSearchParams(query).keys()].some(name => IN_QUERY.test(name))
}

/** Every line that a parser may take for a request line, whatever the boundaries are said to be. */
function inParts(text: string): readonly BatchedRequest[] | 'flood' {
  const wishes = new Map(Array.from(text.matchAll(OVERRIDE), ([, name = '', value = '']) => [value, name]))
  if (wishes.size > MOST_OVERRIDES) return 'flood'
  const headers = [...wishes].flatMap(([value, name]) => [name, value])
  const found: BatchedRequest[] = []
  for (const [, method = '', rest = ''] of text.matchAll(LINE)) {
    for (const target of targetsOfLine(method, rest)) found.push(...asked(method, target, headers))
    if (found.length > MOST) return found
  }
  return withReferences(found, new Set(Array.from(text.matchAll(ID), ([, id = '']) => id)))
}

/** Between a method and a version some parsers take all for the target, and some the first word. */
function targetsOfLine(method: string, rest: string): readonly string[] {
  const version = rest.search(VERSION)
  if (version < 0 && !METHODS.has(method.toUpperCase())) return []
  const target = (version < 0 ? rest : rest.slice(0, version)).trim()
  const [first = ''] = target.split(/\s/, 1)
  if (first === target) return [target]
  return version < 0 ? [] : [target, first]
}

function inJson(text: string, posts: boolean): readonly BatchedRequest[] | 'flood' | undefined {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return undefined
  }
  if (repeatsName(text, 'any case')) return undefined
  const collected: Collected = { found: [], ids: new Set(), isFlood: false }
  collect(value, 0, 'body', posts, collected)
  return collected.isFlood ? 'flood' : withReferences(collected.found, collected.ids)
}

/** Where a value stands: in the body or an object in it, in a list, or in an item of one. */
type Place = 'body' | 'list' | 'item'

interface Collected {
  readonly found: BatchedRequest[]
  readonly ids: Set<string>
  isFlood: boolean
}

/** Operations stand in a list or an object of them; what they hold themselves is theirs. */
function collect(value: unknown, depth: number, place: Place, posts: boolean, collected: Collected): void {
  const { found, ids } = collected
  if (typeof value !== 'object' || value === null || depth > MAX_DEPTH || found.length > MOST) return
  collected.isFlood ||= headersOf(value).length > 2 * MOST_OVERRIDES
  if (collected.isFlood) return
  const operations = depth === 0 ? [] : operationsOf(value, place === 'list' || depth === 1, posts)
  found.push(...operations)
  if (operations.length > 0) for (const id of textsOf(value, ID_NAMES)) ids.add(id)
  if (operations.length > 0) return
  const inner = placeInside(value, place)
  for (const [name, each] of Object.entries(value))
    if (posts || !FACT_NAMES.has(name)) collect(each, depth + 1, inner, posts, collected)
}

function placeInside(value: object, place: Place): Place {
  if (place === 'item') return 'item'
  if (Array.isArray(value)) return 'list'
  return place === 'list' ? 'item' : 'body'
}

/**
 * What an object asks for. Without a method it does only where operations stand: events that pages report
 * name the page deeper inside (`properties.path` of Segment, `payload.url` of Umami).
 */
function operationsOf(value: object, mayBeUnnamed: boolean, posts: boolean): readonly BatchedRequest[] {
  const named = textsOf(value, METHOD_NAMES)
  if (named.length === 0 && !mayBeUnnamed) return []
  const targets = textsOf(value, TARGET_NAMES)
  if (targets.length === 0) return []
  const sends = posts || Object.keys(value).some(name => SENT_NAMES.has(name.toLowerCase()))
  const unnamed = sends ? ['GET', 'POST'] : ['GET']
  const methods = named.length > 0 ? named : unnamed
  const headers = headersOf(value)
  return targets.flatMap(target => methods.flatMap(method => asked(method, target, headers)))
}

function textsOf(value: object, names: ReadonlySet<string>): readonly string[] {
  return Object.entries(value).flatMap(([name, text]) =>
    typeof text === 'string' && names.has(name.toLowerCase()) ? [text] : [],
  )
}

/**
 * Names and values of the headers of an operation that wish for a method: an object, or a list of names with
 * their values. Each once.
 */
function headersOf(value: object): readonly string[] {
  const wishes = new Map<string, readonly [string, string]>()
  for (const [name, headers] of Object.entries(value)) {
    if (!HEADER_NAMES.has(name.toLowerCase()) || typeof headers !== 'object' || headers === null) continue
    for (const pair of Object.entries(headers as object).flatMap(pairsOf))
      if (WISHING.test(pair[0])) wishes.set(pair.join('\n'), pair)
  }
  return [...wishes.values()].flat()
}

function pairsOf([key, header]: [string, unknown]): readonly (readonly [string, string])[] {
  if (typeof header === 'string') return [[key, header]]
  if (typeof header !== 'object' || header === null) return []
  const texts = Object.values(header)
    .filter(text => typeof text === 'string')
    .slice(0, 4)
  return texts.flatMap(one => texts.map(other => [one, other] as const))
}

/** A request in each method by which it may be answered. */
function asked(written: string, target: string, headers: readonly string[]): readonly BatchedRequest[] {
  const method = written.trim().toUpperCase()
  const path = target.trim().replace(HOST, '').replaceAll('\\', '/').replace(/^\/+/, '/')
  const known = { mayNameMethod: true, path: parseRequestPath(path.startsWith('/') ? path : `/${path}`) }
  const wishes = headMethodOverrides(method, headers, known).map(wish => wish.method)
  return [...new Set([method, ...wishes])].map(each => ({ method: each, target: path }))
}

/** A target that names another request (`$1/Orders`) is below that one's: of any, for ids may be repeated. */
function withReferences(found: BatchedRequest[], ids: ReadonlySet<string>): readonly BatchedRequest[] {
  if (ids.size === 0) return found
  const all = [...found]
  for (const { method, target } of found) {
    const [, id = '', rest = ''] = REFERENCE.exec(target) ?? []
    if (!ids.has(id)) continue
    for (const other of found)
      if (other.target !== target) all.push({ method, target: other.target.split('?', 1)[0] + rest })
    if (all.length > MOST) break
  }
  return all
}
