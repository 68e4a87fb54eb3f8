import { addressBytes, type CidrSet, parseAddress } from '@postern/core'

const INNER_NAME =
  /^(?:localhost|.*\.localhost|.*\.internal|.*\.local|.*\.localdomain|metadata|instance-data)$/i

/**
 * Whether a value of the request chose the host of a URL that the backend calls, and that host is inside:
 * loopback, private or link-local
 * addresses, names of the inside. The URL parser has undone odd spellings (`0x7f.1`) by then.
 * @param inside networks that count as inside
 */
export function reachesInside(url: string, value: string, inside: CidrSet): boolean {
  let host: string
  try {
    host = new URL(url).hostname.replace(/^\[|\]$/g, '')
  } catch {
    return false
  }
  if (value.length < 2 || !(url.startsWith(value) || namesHost(value, host))) return false
  if (INNER_NAME.test(host)) return true
  const address = parseAddress(host)
  return address !== undefined && addressBytes(address) !== undefined && inside.has(address)
}

function namesHost(value: string, host: string): boolean {
  const lower = value.toLowerCase()
  if (lower.includes(host)) return true
  try {
    return (
      new URL(lower.includes('://') ? lower : `http://${lower}`).hostname.replace(/^\[|\]$/g, '') === host
    )
  } catch {
    return false
  }
}
