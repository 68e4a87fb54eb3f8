import type { RawHeaders } from '@postern/core'
import { type FramingFault, framingFault } from './framing-fault.ts'
import { HeaderClass, headerClass } from './header-class.ts'

const MAX_HEADERS = 200
const METHOD = /^[A-Z][A-Z-]{0,31}$/
/**
 * Visible ASCII without `#`: a fragment has no place in a request, and a space or control character is where
 * parsers part.
 */
const TARGET = /^[\x21\x22\x24-\x7e]+$/
const ABSOLUTE = /^(https?):\/\/([^/?#]*)/i
const HOST = /^(?:[A-Za-z0-9](?:[A-Za-z0-9._-]{0,252})|\[[0-9A-Fa-f:.]{2,45}\])(?::\d{1,5})?$/
const LENGTH = /^\d{1,15}$/
const CONTROL = /[\x00-\x08\x0a-\x1f\x7f]/

/** The head of a request, framing checked, with the headers that go on to the backend. */
export interface RequestHead {
  readonly host: string
  /** Path and query, in origin form; `*` for `OPTIONS *`. */
  readonly path: string
  /** Bytes of the body when they were stated. */
  readonly contentLength: number | undefined
  readonly chunked: boolean
  readonly expectsContinue: boolean
  /** Values of the last `Upgrade` header, in lower case. */
  readonly upgrade: string | undefined
  readonly forwardedFor: string | undefined
  readonly forwardedHost: string | undefined
  /** End-to-end headers without host: name, value, ... Owned by the caller. */
  readonly forward: string[]
}

/**
 * Reads a request head strictly and, in the same pass, collects what goes on to the backend: hop-by-hop
 * headers, those that `Connection` names, and those that speak for a proxy are left out. Refuses whatever two
 * parsers could read differently (RFC 9112 sections 3.2, 6.1 and 11.2), beyond what the parser in front
 * already refused.
 * @param version `1.0` or `1.1` as the request line says, or `h2`
 * @param mayPass whether a header that only a trusted proxy may send goes on, by its name in lower case
 */
// biome-ignore lint/complexity/noExcessiveCognitiveComplexity: one pass over the headers of every request; each case is one rule of RFC 9112.
export function readRequestHead(
  method: string,
  target: string,
  version: string,
  headers: RawHeaders,
  mayPass: (lowerName: string) => boolean = passesNone,
): RequestHead | FramingFault {
  if (!METHOD.test(method)) return framingFault('bad-method')
  if (method === 'TRACE' || method === 'CONNECT' || method === 'TRACK')
    return framingFault('method-not-allowed')
  if (version !== '1.1' && version !== 'h2' && version !== '1.0') return framingFault('bad-version')
  if (headers.length > MAX_HEADERS * 2) return framingFault('too-many-headers')

  let host: string | undefined
  let length: string | undefined
  let encoding: string | undefined
  let connection: string | undefined
  let expect: string | undefined
  let upgrade: string | undefined
  let forwardedFor: string | undefined
  let forwardedHost: string | undefined
  const forward: string[] = []
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i] as string
    const value = headers[i + 1] as string
    if (CONTROL.test(value)) return framingFault('bad-header')
    switch (headerClass(name)) {
      case HeaderClass.plain:
        forward.push(name, value)
        break
      case HeaderClass.trustedOnly:
        if (mayPass(name.toLowerCase())) forward.push(name, value)
        break
      case HeaderClass.host:
        if (host !== undefined) return framingFault('several-hosts')
        host = value
        break
      case HeaderClass.contentLength:
        if (length !== undefined) return framingFault('two-lengths')
        if (!LENGTH.test(value)) return framingFault('bad-length')
        length = value
        break
      case HeaderClass.transferEncoding:
        if (encoding !== undefined) return framingFault('bad-transfer-encoding')
        encoding = value
        break
      case HeaderClass.connection:
        connection = connection === undefined ? value : `${connection},${value}`
        break
      case HeaderClass.expect:
        if (expect !== undefined) return framingFault('bad-expectation')
        expect = value
        break
      case HeaderClass.upgrade:
        upgrade = upgrade === undefined ? value.toLowerCase() : `${upgrade},${value.toLowerCase()}`
        break
      case HeaderClass.forwardedFor:
        forwardedFor = forwardedFor === undefined ? value : `${forwardedFor}, ${value}`
        break
      case HeaderClass.forwardedHost:
        forwardedHost ??= value
        break
    }
  }

  if (encoding !== undefined) {
    if (length !== undefined) return framingFault('two-lengths')
    if (version !== '1.1' || encoding.toLowerCase() !== 'chunked')
      return framingFault('bad-transfer-encoding')
  }
  if (expect !== undefined && (version === '1.0' || expect.toLowerCase() !== '100-continue'))
    return framingFault('bad-expectation')
  if (host === undefined && version !== '1.0') return framingFault('no-host')
  if (host !== undefined && !isHost(host)) return framingFault('bad-host')

  const path = originForm(method, target, host)
  if (typeof path !== 'string') return path
  if (connection !== undefined && !removeNamed(connection, forward)) return framingFault('bad-connection')
  return {
    host: host ?? '',
    path,
    contentLength: length === undefined ? undefined : Number(length),
    chunked: encoding !== undefined,
    expectsContinue: expect !== undefined,
    upgrade,
    forwardedFor,
    forwardedHost,
    forward,
  }
}

/** Characters of a target (RFC 9110 section 4.1 asks for at least 8,000). */
const MAX_TARGET = 8_192

function passesNone(): boolean {
  return false
}

/** A host that may be sent on: a name or an address, with a port or without. */
export function isHost(host: string): boolean {
  if (!HOST.test(host)) return false
  const colon = host.lastIndexOf(':')
  return colon < 0 || host.endsWith(']') || Number(host.slice(colon + 1)) <= 65_535
}

/**
 * Path and query of a target. An absolute-form target must name the same host as `Host` (RFC 9112 section
 * 3.2.2).
 */
function originForm(method: string, target: string, host: string | undefined): string | FramingFault {
  if (target.length > MAX_TARGET) return framingFault('target-too-long')
  if (!TARGET.test(target)) return framingFault('bad-target')
  if (target.charCodeAt(0) === 47) return target
  if (target === '*') return method === 'OPTIONS' ? target : framingFault('bad-target')
  const absolute = ABSOLUTE.exec(target)
  if (absolute === null) return framingFault('bad-target')
  const scheme = absolute[1] as string
  const authority = absolute[2] as string
  if (!isHost(authority)) return framingFault('bad-host')
  if (!namesOneHost(scheme, authority, host)) return framingFault('host-mismatch')
  const rest = target.slice(absolute[0].length)
  return rest.startsWith('/') ? rest : `/${rest}`
}

const DEFAULT_PORT = { http: /:80$/, https: /:443$/ } as const

/**
 * Whether a target and `Host`, where both are there, name the same host (RFC 9112 section 3.2.2, RFC 9113
 * section 8.3.1). The default port of the scheme is the same as none (RFC 9110 section 4.2.3).
 */
export function namesOneHost(
  scheme: string,
  authority: string | undefined,
  host: string | undefined,
): boolean {
  if (authority === undefined || host === undefined || authority === host) return true
  const port = scheme.toLowerCase() === 'https' ? DEFAULT_PORT.https : DEFAULT_PORT.http
  return authority.toLowerCase().replace(port, '') === host.toLowerCase().replace(port, '')
}

/** Whether a header that `Connection` names is nothing that the backend relies on. */
function mayBeNamed(token: string, kind: number): boolean {
  if (token === 'cookie' || token === 'authorization') return false
  return kind === HeaderClass.plain || kind === HeaderClass.trustedOnly
}

/**
 * Removes the headers that `Connection` names. False when it names one that frames or routes the message, or
 * is not a list of tokens: hop-by-hop abuse, by which a client makes a proxy drop headers that the next one
 * relies on.
 */
function removeNamed(connection: string, forward: string[]): boolean {
  if (connection === 'keep-alive' || connection === 'close' || connection === 'Upgrade') return true
  for (const part of connection.split(',')) {
    const token = part.trim().toLowerCase()
    if (token === '' || token === 'keep-alive' || token === 'close' || token === 'upgrade') continue
    if (!/^[!#$%&'*+.^_`|~0-9a-z-]+$/.test(token)) return false
    const kind = headerClass(token)
    if (kind === HeaderClass.dropped) continue
    if (!mayBeNamed(token, kind)) return false
    for (let i = forward.length - 2; i >= 0; i -= 2) {
      if ((forward[i] as string).toLowerCase() === token) forward.splice(i, 2)
    }
  }
  return true
}
