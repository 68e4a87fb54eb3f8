import { hash } from 'node:crypto'
import type { Exchange } from '@postern/core'

/** Response headers that end at the gateway (RFC 9110 section 7.6.1), or that only it may speak. */
const DROPPED: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authenticate',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
  'te',
  'trailer',
  'x-request-id',
])

/**
 * Fields that may not stand in a trailer section (RFC 9110 section 6.5.1), because they frame, route or
 * authenticate.
 */
const NO_TRAILER: ReadonlySet<string> = new Set([
  ...DROPPED,
  'content-length',
  'host',
  'content-type',
  'content-encoding',
  'content-range',
  'set-cookie',
  'authorization',
  'www-authenticate',
  'cache-control',
  'location',
])

const NAMES_TRAILER = /(?:^|,)\s*trailer\s*(?:,|$)/i

/** Raw headers as undici hands them over: name, value, ... */
export type BackendHeaders = readonly (Buffer | string)[]

/** A response head that is not valid HTTP in a way that could shift where the next response starts. */
export class ResponseFault extends Error {}

export interface ResponseHead {
  /** End-to-end headers: name, value, ... Owned by the caller. */
  readonly headers: string[]
  /** Whether the backend stated the length of the body. */
  readonly hasLength: boolean
  /** Names of the trailer fields that follow and may be sent on; undefined when there are none. */
  readonly trailer: string | undefined
}

/**
 * The end-to-end headers of a response. Its framing is judged as strictly as a request's.
 * @throws ResponseFault for two lengths, a length that is not a number, or another transfer coding than
 * `chunked`
 */
// biome-ignore lint/complexity/noExcessiveCognitiveComplexity: one pass over the headers of every response; each case is one rule of RFC 9112.
export function readResponseHead(raw: BackendHeaders): ResponseHead {
  const headers: string[] = []
  let named: string | undefined
  let length: string | undefined
  let coding: string | undefined
  let announced: string | undefined
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = text(raw[i])
    const lower = name.toLowerCase()
    if (!DROPPED.has(lower)) {
      const value = text(raw[i + 1])
      if (lower === 'content-length') {
        if (length !== undefined || !/^\d{1,15}$/.test(value)) throw new ResponseFault('bad content-length')
        length = value
      } else if (lower.startsWith('x-postern-')) continue
      headers.push(name, value)
    } else if (lower === 'transfer-encoding') {
      const value = text(raw[i + 1])
      if (coding !== undefined || value.toLowerCase() !== 'chunked')
        throw new ResponseFault('bad transfer-encoding')
      coding = value
    } else if (lower === 'connection') {
      const value = text(raw[i + 1])
      if (value !== 'keep-alive' && value !== 'close')
        named = named === undefined ? value : `${named},${value}`
    } else if (lower === 'trailer') {
      const value = text(raw[i + 1])
      announced = announced === undefined ? value : `${announced},${value}`
    }
  }
  if (coding !== undefined && length !== undefined) throw new ResponseFault('two lengths')
  if (named !== undefined) {
    removeNamed(named, headers)
    if (NAMES_TRAILER.test(named)) announced = undefined
  }
  // Only chunks can be followed by trailers (RFC 9112 section 7.1.2).
  const trailer = announced === undefined || coding === undefined ? undefined : allowedTrailers(announced)
  return { headers, hasLength: length !== undefined, trailer }
}

/** Of the names in a `Trailer` field, those that `readTrailers` sends on. */
function allowedTrailers(announced: string): string | undefined {
  const names = announced
    .split(',')
    .map(name => name.trim())
    .filter(name => /^[!#$%&'*+.^_`|~\w-]+$/.test(name) && mayTrail(name.toLowerCase()))
  return names.length === 0 ? undefined : names.join(', ')
}

function mayTrail(lowerName: string): boolean {
  return !NO_TRAILER.has(lowerName) && !lowerName.startsWith('x-postern-')
}

/** The trailer fields that may be sent on: name, value, ...; undefined when there are none. */
export function readTrailers(raw: BackendHeaders): string[] | undefined {
  if (raw.length === 0) return undefined
  const trailers: string[] = []
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = text(raw[i])
    if (mayTrail(name.toLowerCase())) trailers.push(name, text(raw[i + 1]))
  }
  return trailers.length === 0 ? undefined : trailers
}

function text(part: Buffer | string | undefined): string {
  return typeof part === 'string' ? part : (part?.toString('latin1') ?? '')
}

function removeNamed(connection: string, headers: string[]): void {
  for (const part of connection.toLowerCase().split(',')) {
    const token = part.trim()
    if (token === 'keep-alive' || token === 'close' || token === 'content-length') continue
    for (let i = headers.length - 2; i >= 0; i -= 2) {
      if ((headers[i] as string).toLowerCase() === token) headers.splice(i, 2)
    }
  }
}

/**
 * Whether no content follows, whatever length the backend named: after 204 (RFC 9110 section 8.6), and after
 * 205 (section 15.3.6), for which HTTP/2 sends none. A client would wait for bytes that never come.
 */
function isWithoutContent(status: number, { source }: Exchange): boolean {
  return status === 204 || (status === 205 && source.httpVersion === '2.0')
}

function dropLength(headers: string[]): void {
  const at = headers.findIndex((name, index) => index % 2 === 0 && name.toLowerCase() === 'content-length')
  headers.splice(at, 2)
}

/**
 * What a client is shown of a backend's headers: the end-to-end ones, the id, and what guards replied.
 * @throws ResponseFault as `readResponseHead`
 */
export function answerHeaders(raw: BackendHeaders, status: number, exchange: Exchange): string[] {
  const { id, replyHeaders } = exchange
  const { headers, hasLength, trailer } = readResponseHead(raw)
  if (hasLength && isWithoutContent(status, exchange)) dropLength(headers)
  if (trailer !== undefined && takesTrailers(status, exchange)) headers.push('Trailer', trailer)
  headers.push('X-Request-Id', id)
  if (replyHeaders !== undefined) headers.push(...replyHeaders)
  return headers
}

/** Whether trailers can follow: Node refuses a head that announces them where they cannot. */
function takesTrailers(status: number, { method, source }: Exchange): boolean {
  return method !== 'HEAD' && status !== 204 && status !== 304 && source.httpVersion !== '1.0'
}

/** RFC 6455 section 1.3. */
const WEBSOCKET_GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'

/**
 * Whether a backend changes to what the client asked for (RFC 9110 section 7.8): a WebSocket, proven by the
 * accept value of its key (RFC 6455 section 4.2.2). A backend that only passes on a status of somebody else
 * still reads HTTP, and whoever has a tunnel to it sends requests past every guard.
 * @param key the client's `Sec-WebSocket-Key`
 */
export function agreesToWebSocket(raw: BackendHeaders, key: string | undefined): boolean {
  if (key === undefined || soleValue(raw, 'upgrade')?.toLowerCase() !== 'websocket') return false
  return soleValue(raw, 'sec-websocket-accept') === hash('sha1', key + WEBSOCKET_GUID, 'base64')
}

/** The value of a header that stands there once. */
function soleValue(raw: BackendHeaders, name: string): string | undefined {
  let value: string | undefined
  for (let i = 0; i + 1 < raw.length; i += 2) {
    if (String(raw[i]).toLowerCase() !== name) continue
    if (value !== undefined) return undefined
    value = String(raw[i + 1]).trim()
  }
  return value
}
