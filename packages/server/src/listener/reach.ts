import type { networkInterfaces } from 'node:os'
import { urlHost } from '@postern/core'

/** Who can reach a place that something listens on. */
export interface Reach {
  /** Whether anyone but this machine can. */
  readonly isOpen: boolean
  /** Every address that it answers at, e.g. `http://192.168.1.5:8080`; at most 16 of them. */
  readonly addresses: readonly string[]
}

const MAX_ADDRESSES = 16
const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|::1|::ffff:127(?:\.\d{1,3}){3})$/i

/**
 * Who can reach what listens at `url`. The unspecified address (`0.0.0.0`, `::`) stands for every address of
 * the machine.
 * @param interfaces of the machine, as node's `os.networkInterfaces()` tells them
 */
export function reachOf(url: string, interfaces: ReturnType<typeof networkInterfaces>): Reach {
  if (url.startsWith('unix:')) return { isOpen: false, addresses: [url] }
  const { protocol, hostname, port } = new URL(url)
  const host = hostname.replace(/^\[|\]$/g, '')
  const at = (address: string): string => `${protocol}//${urlHost(address)}${port === '' ? '' : `:${port}`}`
  if (LOOPBACK.test(host)) return { isOpen: false, addresses: [at(host)] }
  if (host !== '0.0.0.0' && host !== '::') return { isOpen: true, addresses: [at(host)] }
  const own = Object.values(interfaces)
    .flatMap(one => one ?? [])
    // Link-local addresses of version 6 need a zone that no URL can carry.
    .filter(({ family, address }) => (host === '::' ? !/^fe80:/i.test(address) : family === 'IPv4'))
    .map(({ address }) => at(address))
  return { isOpen: true, addresses: own.slice(0, MAX_ADDRESSES) }
}

/**
 * From where a listener can be reached, as a sentence for whoever starts it.
 * @param option that says where to listen
 */
export function reachSentence(url: string, reach: Reach, option: string): string {
  if (reach.isOpen) return `from the network: ${reach.addresses.join(', ')}`
  if (url.startsWith('unix:')) return 'from programs of its owner and group on this machine only'
  const { hostname, port } = new URL(url)
  const any = hostname.startsWith('[') ? '[::]' : '0.0.0.0'
  return `from this machine only; ${option} ${any}:${port || '80'} opens it to the network`
}
