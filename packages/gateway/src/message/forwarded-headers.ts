import type { KeyObject } from 'node:crypto'
import { type CidrSet, type Exchange, forwardedBy } from '@postern/core'
import { IDENTITY_HEADER, signIdentity } from './identity-header.ts'
import { isHost, type RequestHead } from './request-head.ts'

/** What the gateway adds to a request for the backend. */
export interface ForwardedSettings {
  /** Host to send instead of the client's own; undefined to keep the client's. */
  readonly rewriteHost: string | undefined
  readonly signingKey: KeyObject | undefined
}

/** Makes the changes of `Exchange.setRequestHeader` on the headers for the backend, in place. */
export function changeForwarded(forward: string[], exchange: Exchange): void {
  const changes = exchange.requestChanges
  if (changes === undefined) return
  for (let i = forward.length - 2; i >= 0; i -= 2)
    if (changes.has((forward[i] as string).toLowerCase())) forward.splice(i, 2)
  for (const [name, value] of changes) if (value !== undefined) forward.push(name, value)
}

/**
 * Completes the headers for the backend, in place: `Host`, `X-Request-Id`, `X-Forwarded-For`, `-Proto`,
 * `-Host` and the signed identity. A chain of addresses is continued only when a trusted proxy sent it;
 * `Forwarded` (RFC 7239) is read by the engine but not sent on, so that the backend has one truth.
 * @param trustedProxies the engine's; their `X-Forwarded-*` are kept
 */
export function addForwarded(
  exchange: Exchange,
  head: RequestHead,
  trustedProxies: CidrSet,
  settings: ForwardedSettings,
): string[] {
  const { forward } = head
  const host = settings.rewriteHost ?? (head.host === '' ? exchange.host : head.host)
  if (host !== '') forward.push('Host', host)
  const peer = exchange.peer
  const client = exchange.client
  let chain: string = peer
  let named = head.host
  // Only behind a trusted proxy can the client differ from the peer, or a claim about it count.
  if (!trustedProxies.isEmpty && trustedProxies.has(peer)) {
    if (head.forwardedFor !== undefined) chain = `${head.forwardedFor}, ${peer}`
    else if (client !== peer) chain = `${client}, ${peer}`
    named = head.forwardedHost ?? hostOfForwarded(exchange, trustedProxies) ?? named
  }
  forward.push('X-Request-Id', exchange.id, 'X-Forwarded-For', chain, 'X-Forwarded-Proto', exchange.scheme)
  if (named !== '') forward.push('X-Forwarded-Host', named)
  if (settings.signingKey !== undefined)
    forward.push(IDENTITY_HEADER, signIdentity(exchange, settings.signingKey))
  return forward
}

/** The host that the client named, as a proxy that writes only `Forwarded` reports it. */
function hostOfForwarded({ peer, headers }: Exchange, trustedProxies: CidrSet): string | undefined {
  const host = forwardedBy(peer, headers, trustedProxies, 'host')
  return host !== undefined && isHost(host) ? host : undefined
}
