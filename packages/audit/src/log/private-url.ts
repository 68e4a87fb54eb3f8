import { isLoopback, parseAddress } from '@postern/core'

/** Whether nobody on the way can read what is sent there. */
export function isPrivate({ protocol, hostname }: URL): boolean {
  if (protocol === 'https:') return true
  const address = parseAddress(hostname.replace(/^\[|\]$/g, ''))
  const isLocal = hostname === 'localhost' || (address !== undefined && isLoopback(address))
  return protocol === 'http:' && isLocal
}
