import { repeatsName } from '../body/repeated-names.ts'
import type { Exchange } from '../exchange/exchange.ts'
import type { RequestPath } from '../route/request-path.ts'

/** A request that the body of another one holds. */
export interface BatchedRequest {
  readonly method: string
  /** As it is written there: a path, part of one, or an address. */
  readonly target: string
}

/** Where batches are sent to: `/odata/$batch`, `/parse/batch`, `/wp-json/batch/v1`, `/batch/drive/v3`. */
const PLACE = /\/[$_]?batch(?:\/|$)/i
/** Where nothing else is: of another `/batch` only what can be read is known to be one of requests. */
const CERTAIN = /\/(?:\$batch|parse\/batch|batch\/v\d+)(?:\/|$)/i
const MULTIPART = /^\s*multipart\/(?:mixed|batch)\b/i
/** The request line of a part (`application/http`), and headers by which it asks for another method. */
const LINE = /^[ \t]*([A-Za-z]{3,20})[ \t]+(\S+)([ \t]+HTTP\/[\d.]+)?[ \t]*$/gim
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
const OVERRIDE = /^[ \t]*x-(?:http-)?method(?:-override)?[ \t]*:[ \t]*([a-z]{3,20})/gim
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
/** More are a flood. */
const MOST = 1_000
const MAX_DEPTH = 3

/** Whether the body of a request may hold whole requests, which its backend answers one by one. */
export function mayHoldRequests(exchange: Exchange): boolean {
  if (!exchange.hasBody) return false
  return PLACE.test(plain(exchange.path)) || MULTIPART.test(exchange.header('content-type') ?? '')
}

/**
 * The requests that a body holds: OData and Microsoft Graph, Google, WordPress, Parse. Waits for the body.
 * Undefined where it is a batch that cannot be read as all parsers read it.
 */
export async function batchedRequests(exchange: Exchange): Promise<readonly BatchedRequest[] | undefined> {
  const isMultipart = MULTIPART.test(exchange.header('content-type') ?? '')
  const isCertain = isMultipart || CERTAIN.test(plain(exchange.path))
  const otherwise = isCertain ? undefined : []
  const body = await exchange.readDecodedBody()
  if (body === undefined || !body.complete) return otherwise
  const { buffer, byteOffset, byteLength } = body.bytes
  const text = Buffer.from(buffer, byteOffset, byteLength).toString('utf8')
  return isMultipart ? inParts(text) : (inJson(text, isCertain) ?? otherwise)
}

function plain(path: RequestPath): string {
  return path.canonical.replaceAll(/%24/g, '$')
}

/** Every line that a parser may take for a request line, whatever the boundaries are said to be. */
function inParts(text: string): readonly BatchedRequest[] | undefined {
  const wished = [...new Set(Array.from(text.matchAll(OVERRIDE), ([, method = '']) => method.toUpperCase()))]
  const found: BatchedRequest[] = []
  for (const [, method = '', target = '', version] of text.matchAll(LINE)) {
    if (version === undefined && !METHODS.has(method.toUpperCase())) continue
    for (const each of [method.toUpperCase(), ...wished]) found.push({ method: each, target })
    if (found.length > MOST) return undefined
  }
  return found
}

function inJson(text: string, posts: boolean): readonly BatchedRequest[] | undefined {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return undefined
  }
  if (repeatsName(text, 'any case')) return undefined
  const found: BatchedRequest[] = []
  collect(value, 0, 'body', posts, found)
  return found.length > MOST ? undefined : found
}

/** Where a value stands: in the body or an object in it, in a list, or in an item of one. */
type Place = 'body' | 'list' | 'item'

/** Operations stand in a list or an object of them; what they hold themselves is theirs. */
function collect(value: unknown, depth: number, place: Place, posts: boolean, found: BatchedRequest[]): void {
  if (typeof value !== 'object' || value === null || depth > MAX_DEPTH || found.length > MOST) return
  const operations = depth === 0 ? [] : operationsOf(value, place === 'list' || depth === 1, posts)
  found.push(...operations)
  if (operations.length > 0) return
  const inner = placeInside(value, place)
  for (const each of Object.values(value)) collect(each, depth + 1, inner, posts, found)
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
  const named = textsOf(value, METHOD_NAMES).map(method => method.toUpperCase())
  if (named.length === 0 && !mayBeUnnamed) return []
  const sends = posts || Object.keys(value).some(name => SENT_NAMES.has(name.toLowerCase()))
  const unnamed = sends ? ['GET', 'POST'] : ['GET']
  const methods = named.length > 0 ? named : unnamed
  return textsOf(value, TARGET_NAMES).flatMap(target => methods.map(method => ({ method, target })))
}

function textsOf(value: object, names: ReadonlySet<string>): readonly string[] {
  return Object.entries(value).flatMap(([name, text]) =>
    typeof text === 'string' && names.has(name.toLowerCase()) ? [text] : [],
  )
}
