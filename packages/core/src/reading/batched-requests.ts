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
const LINE = /^[ \t]*([A-Za-z]{3,20})[ \t]+(\S+)(?:[ \t]+HTTP\/[\d.]+)?[ \t]*$/gm
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
/** Of an operation that names no method. */
const UNNAMED = ['GET', 'POST'] as const
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
  return isMultipart ? inParts(text) : (inJson(text) ?? otherwise)
}

function plain(path: RequestPath): string {
  return path.canonical.replaceAll(/%24/g, '$')
}

/** Every line that a parser may take for a request line, whatever the boundaries are said to be. */
function inParts(text: string): readonly BatchedRequest[] | undefined {
  const wished = [...new Set(Array.from(text.matchAll(OVERRIDE), ([, method = '']) => method.toUpperCase()))]
  const found: BatchedRequest[] = []
  for (const [, method = '', target = ''] of text.matchAll(LINE)) {
    for (const each of [method.toUpperCase(), ...wished]) found.push({ method: each, target })
    if (found.length > MOST) return undefined
  }
  return found
}

function inJson(text: string): readonly BatchedRequest[] | undefined {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return undefined
  }
  if (repeatsName(text, 'any case')) return undefined
  const found: BatchedRequest[] = []
  collect(value, 0, found)
  return found.length > MOST ? undefined : found
}

/** Operations stand in a list or an object of them; what they hold themselves is theirs. */
function collect(value: unknown, depth: number, found: BatchedRequest[]): void {
  if (typeof value !== 'object' || value === null || depth > MAX_DEPTH || found.length > MOST) return
  const targets = textsOf(value, TARGET_NAMES)
  if (depth === 0 || targets.length === 0) {
    for (const inner of Object.values(value)) collect(inner, depth + 1, found)
    return
  }
  const methods = textsOf(value, METHOD_NAMES).map(method => method.toUpperCase())
  for (const target of targets)
    for (const method of methods.length > 0 ? methods : UNNAMED) found.push({ method, target })
}

function textsOf(value: object, names: ReadonlySet<string>): readonly string[] {
  return Object.entries(value).flatMap(([name, text]) =>
    typeof text === 'string' && names.has(name.toLowerCase()) ? [text] : [],
  )
}
