import type { Exchange } from '@postern/core'
import type { ProtocolFault } from './protocol-refusal.ts'
import type { RequestHead } from './request-head.ts'

const HOST = /^(?:[a-z0-9_](?:[a-z0-9._-]{0,253}[a-z0-9_.])?|\[[0-9a-f:.]{2,45}\])(?::\d{1,5})?$/i
const ABSOLUTE = /^[a-z][a-z0-9+.-]*:\/\/([^/?#]*)/i

/** Keeps the last valid name: a server has few, and each request carries one of them. */
class HostNames {
  #last = ''

  has(text: string): boolean {
    if (text === this.#last) return true
    if (!HOST.test(text)) return false
    this.#last = text
    return true
  }
}

const hostNames = new HostNames()

/**
 * One request, one host (RFC 9112 section 3.2): exactly one well-formed `Host` in HTTP/1.1, equal to
 * `:authority` where there is one and to the authority of an absolute-form target. A cache, a rule or a
 * password-reset mail built on one name while the backend serves another is an attack.
 */
export function checkHost(exchange: Exchange, head: RequestHead): ProtocolFault | undefined {
  const { hosts, host, authority } = head
  if (hosts > 1) return fault('Host is given more than once.', host, { hosts })
  if (hosts === 0 && authority === undefined) {
    return exchange.source.httpVersion === '1.1' ? fault('Host is missing.', undefined, { hosts }) : undefined
  }
  if (host !== undefined && !hostNames.has(host)) return fault('Host is invalid.', host)
  if (authority !== undefined && !hostNames.has(authority))
    return fault('The authority is invalid.', authority)
  if (host !== undefined && authority !== undefined && !sameHost(host, authority))
    return fault('Host and authority differ.', host, { authority: authority.slice(0, 120) })
  const target = exchange.source.target
  if (target.charCodeAt(0) === 47 || target === '*') return undefined
  if (exchange.method === 'CONNECT') return undefined
  const absolute = ABSOLUTE.exec(target)
  if (absolute === null) return fault('The target is not a path.', target)
  const named = absolute[1] ?? ''
  return sameHost(named, host ?? authority ?? '')
    ? undefined
    : fault('The target names a different host than Host.', host, { target: named.slice(0, 120) })
}

function sameHost(a: string, b: string): boolean {
  return a.length === b.length && a.toLowerCase() === b.toLowerCase()
}

function fault(
  problem: string,
  span: string | undefined,
  facts: Readonly<Record<string, string | number>> = {},
): ProtocolFault {
  return {
    rule: 'host',
    status: 400,
    message: 'The host of this request is missing or cannot be trusted.',
    location: 'header.host',
    ...(span !== undefined && { span }),
    facts: { problem, ...facts },
    close: true,
  }
}
