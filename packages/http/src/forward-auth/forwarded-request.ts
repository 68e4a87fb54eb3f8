import {
  headerCount,
  headerValue,
  parseForwardedHop,
  type RawHeaders,
  type RequestSource,
  schemeOf,
} from '@postern/core'
import type { NodeRequest } from '../message/node-message.ts'
import { DIALECTS, type ForwardDialect } from './forward-dialect.ts'

const METHOD = /^[!#$%&'*+.^_`|~\w-]{1,32}$/
const TARGET = /^(?:\/|\*$|https?:\/\/)[^\s]*$/
const FORWARDED_FOR = 'x-forwarded-for'
/** They describe the asking, not the original request. */
const OF_THE_ASKING = ['host', 'connection', 'content-length', 'transfer-encoding', FORWARDED_FOR]

/**
 * The original request as a forward-auth request describes it, or what is missing in a sentence for whoever
 * sets the proxy up. The last address of `X-Forwarded-For` is the proxy's own peer; the ones before it stay a
 * header, to be trusted or not.
 */
export function readForwarded(
  request: NodeRequest,
  dialect: ForwardDialect,
  prefix: string,
): RequestSource | string {
  const headers: RawHeaders = request.rawHeaders
  const names = DIALECTS[dialect]
  const method = names.method === undefined ? request.method : once(headers, names.method)
  const target =
    names.target === undefined ? withoutPrefix(request.url ?? '/', prefix) : once(headers, names.target)
  if (method === undefined || !METHOD.test(method))
    return `${names.method ?? 'The method'} must be sent once, and be a method.`
  if (target === undefined || !TARGET.test(target))
    return `${names.target ?? 'The path'} must be sent once, and be a request target.`
  const hops = headerValue(headers, FORWARDED_FOR)
  const comma = hops?.lastIndexOf(',') ?? -1
  const peer = hops === undefined ? undefined : parseForwardedHop(hops.slice(comma + 1))
  if (hops === undefined || peer === undefined)
    return 'X-Forwarded-For must be sent, and end in the address of the client.'
  const describing = new Set([...OF_THE_ASKING, names.method, names.target, names.host, names.scheme])
  const kept: string[] = ['Host', once(headers, names.host) ?? headerValue(headers, 'host') ?? '']
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const name = headers[i] as string
    if (!describing.has(name.toLowerCase())) kept.push(name, headers[i + 1] as string)
  }
  if (comma > 0) kept.push('X-Forwarded-For', hops.slice(0, comma))
  return {
    method,
    target,
    headers: kept,
    peer,
    secure: schemeOf(once(headers, names.scheme)) === 'https',
    httpVersion: request.httpVersion,
    body: undefined,
    // The connection of the asking is the proxy's: a certificate there is not the client's.
    native: undefined,
  }
}

/** A describing header that was sent twice describes nothing: the client may have added one. */
function once(headers: RawHeaders, lowerName: string): string | undefined {
  return headerCount(headers, lowerName) === 1 ? headerValue(headers, lowerName) : undefined
}

function withoutPrefix(target: string, prefix: string): string | undefined {
  if (!target.startsWith(prefix)) return undefined
  const rest = target.slice(prefix.length)
  return rest === '' || rest.startsWith('?') ? `/${rest}` : rest
}
