import { ALLOW, type Event, type Guard } from '@postern/core'
import { forwardingHeader, type PeerKind, peerKind, proxySetting } from './proxy-setting.ts'

/** What to write where nobody says who is at the other end; trusting that nobody would trust everybody. */
const PEER_OPTION = 'Give layer.fetch, layer.hono or layer.next `peer` (docs/adapters.md)'

/** Requests that are looked at: a proxy shows itself with the first it passes on. */
const LOOKED_AT = 10_000

/**
 * Notices when a proxy that is not trusted says who the client is: then all clients behind it count as one.
 * So they do when nothing says who is at the other end, as on platforms that give a function no connection.
 * Refuses nothing; emits `proxy.untrusted` once for each kind of peer, so that a stranger who forges the
 * header does not use up the warning about one's own proxy.
 * @param emit the engine's
 */
export function untrustedForwardingGuard(emit: (event: Event) => void): Guard {
  const told = new Set<PeerKind | 'unknown'>()
  let left = LOOKED_AT
  return {
    name: 'forwarding',
    failure: 'open',
    decide(exchange) {
      if (left === 0) return ALLOW
      left--
      const header = forwardingHeader(exchange)
      const isUnknown = exchange.source.peer === undefined
      if ((header === undefined && !isUnknown) || exchange.trustsPeer) return ALLOW
      const kind = isUnknown ? 'unknown' : peerKind(exchange.peer)
      if (told.has(kind)) return ALLOW
      told.add(kind)
      emit({
        type: 'proxy.untrusted',
        time: exchange.time,
        actor: { address: exchange.peer },
        data: {
          ...(header !== undefined && { header }),
          peer: kind,
          setting: isUnknown ? PEER_OPTION : `trustProxies: ${proxySetting(exchange)}`,
        },
      })
      return ALLOW
    },
  }
}

/** What a `proxy.untrusted` event tells the operator. */
export function untrustedForwardingSentence({ actor, data }: Event): string {
  const from = `${String(data?.['header'])} arrived from ${actor.address ?? 'a peer'}, which is not trusted`
  const setting = String(data?.['setting'])
  if (data?.['peer'] === 'unknown')
    return `nothing says who sent a request: all clients count as one, and share its limits and bans. ${setting}`
  return data?.['peer'] === 'public'
    ? `${from}, so it was ignored; if that is a proxy of your own, set ${setting}`
    : `${from}: all clients behind it count as one, and share its limits and bans. Set ${setting} (postern doctor --request shows the effect)`
}
