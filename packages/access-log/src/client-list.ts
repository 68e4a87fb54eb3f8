import { CidrSet, parseAddress } from '@postern/core'
import { withoutPort } from './log-record.ts'

/** Private ranges: in most networks, the hops between the edge and this server. */
const INSIDE = CidrSet.parse(['loopback', 'linklocal', 'private'])
const MAX_HOPS = 32

/** The client of a request, as a log names it. */
export interface LoggedClient {
  /** As written, without a port. */
  readonly address: string
  /** The hops before it, as `X-Forwarded-For` lists them; absent where the log names one address. */
  readonly forwardedFor?: string
}

/**
 * The client of an address field. Behind proxies it holds a list (`X-Forwarded-For`: client first, nearest
 * hop last). The first entry is what the client itself claims, so the list is read from the end: the last
 * address outside private ranges counts.
 * @param text one address, or several separated by commas or spaces
 */
export function loggedClient(text: string): LoggedClient {
  if (!text.includes(',') && !text.includes(' ')) return { address: withoutPort(text) }
  const hops = text
    .split(/[\s,]+/, MAX_HOPS)
    .map(withoutPort)
    .filter(hop => parseAddress(hop) !== undefined)
  const at = lastOutside(hops)
  const address = hops[at]
  if (address === undefined) return { address: withoutPort(text) }
  return at === 0 ? { address } : { address, forwardedFor: hops.slice(0, at).join(', ') }
}

function lastOutside(hops: readonly string[]): number {
  const found = hops.findLastIndex(hop => {
    const address = parseAddress(hop)
    return address !== undefined && !INSIDE.has(address)
  })
  return found < 0 ? hops.length - 1 : found
}
