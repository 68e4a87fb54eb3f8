import { Resolver } from 'node:dns/promises'
import type { IncomingMessage } from 'node:http'
import type { LookupFunction } from 'node:net'
import { bytesOf, CidrSet, parseAddress } from '@postern/core'

/**
 * Networks that are nobody's on the internet (IANA special-purpose registries): what
 * a URL from a stranger must not reach.
 */
const SPECIAL = CidrSet.parse([
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.31.196.0/24',
  '192.52.193.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '192.175.48.0/24',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/3',
  '::/16',
  '64:ff9b::/96',
  '64:ff9b:1::/48',
  '100::/64',
  '2001::/23',
  '2001:db8::/32',
  '2002::/16',
  '3fff::/20',
  '5f00::/16',
  'fc00::/7',
  'fe80::/10',
  'fec0::/10',
  'ff00::/8',
])

/** Statuses of answers without a body, which a `Response` takes no bytes for (WHATWG Fetch). */
const BODILESS: ReadonlySet<number> = new Set([204, 205, 304])

/** Whether an address is one of the public internet. */
function isPublicAddress(text: string): boolean {
  const address = parseAddress(text)
  return address !== undefined && !SPECIAL.has(address)
}

export interface PublicFetchOptions {
  /**
   * Resolves a name to all of its addresses, and stops when the signal says so. Default: the name servers of
   * this machine.
   */
  readonly resolve?: (host: string, signal: AbortSignal) => Promise<readonly string[]>
  /** Default 65,536. */
  readonly maxBytes?: number
  /** Milliseconds for the whole, the name included. Default 5,000. */
  readonly timeout?: number
}

/**
 * Fetches a URL that a stranger gave, over TLS, from the public internet only. The address that is connected
 * to is the one that was checked, so a name that resolves differently a moment later changes nothing; a name
 * of which one address is not public is refused whole. No redirects, bounded size and time.
 * @throws Error when it must not or cannot be fetched; the message names no address
 */
export async function publicFetch(url: string, options: PublicFetchOptions = {}): Promise<Response> {
  const target = new URL(url)
  if (target.protocol !== 'https:' || target.username !== '' || target.password !== '')
    throw new Error('only https URLs without credentials are fetched')
  const maxBytes = options.maxBytes ?? 65_536
  const host = target.hostname.replace(/^\[|\]$/g, '')
  const resolve = options.resolve ?? systemResolve
  const signal = AbortSignal.timeout(options.timeout ?? 5_000)
  const addresses = parseAddress(host) === undefined ? await inTime(resolve(host, signal), signal) : [host]
  if (addresses.length === 0 || !addresses.every(isPublicAddress))
    throw new Error('the host is not on the public internet')
  const [address = ''] = addresses
  const pinned: LookupFunction = (_host, settings, done) => {
    const family = address.includes(':') ? 6 : 4
    if (settings.all === true) done(null, [{ address, family }])
    else done(null, address, family)
  }
  return new Promise((settle, reject) => {
    // Loaded here: few installations fetch anything, and the module brings TLS and its root certificates.
    const { request } = process.getBuiltinModule('node:https')
    const sent = request(target, {
      lookup: pinned,
      agent: false,
      headers: { accept: 'application/json' },
      signal,
    })
    sent.on('error', reject)
    sent.on('response', response => {
      // What is thrown here, or by a listener of the answer, nobody could catch: the process would end.
      bytesOf(response, maxBytes)
        .then(body => settle(readResponse(response, body)))
        .catch(reject)
    })
    sent.end()
  })
}

/** What a work brings, unless the signal comes first. @throws Error when it does */
async function inTime<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>()
  const end = (): void => reject(new Error('the name of the host was not resolved in time'))
  signal.addEventListener('abort', end)
  try {
    return await Promise.race([work, promise])
  } finally {
    signal.removeEventListener('abort', end)
    work.catch(() => undefined)
  }
}

/**
 * Asks name servers, on the event loop. The `lookup` of the system takes a thread of the pool that also
 * hashes passwords and reads files, for as long as a stranger's name server lets it wait, and cannot be
 * stopped.
 */
async function systemResolve(host: string, signal: AbortSignal): Promise<readonly string[]> {
  const resolver = new Resolver({ timeout: 1_500, tries: 2 })
  const cancel = (): void => resolver.cancel()
  signal.addEventListener('abort', cancel)
  try {
    const found = await Promise.allSettled([resolver.resolve4(host), resolver.resolve6(host)])
    return found.flatMap(result => (result.status === 'fulfilled' ? result.value : []))
  } finally {
    signal.removeEventListener('abort', cancel)
  }
}

/** @throws Error for a status without a body, or one that no server may send */
function readResponse({ statusCode: status = 502, headers }: IncomingMessage, body: Uint8Array): Response {
  if (status < 200 || status > 599 || BODILESS.has(status))
    throw new Error(`the answer has status ${status}, which brings no document`)
  const kept = new Headers()
  for (const name of ['content-type', 'cache-control', 'expires']) {
    const value = headers[name]
    if (typeof value === 'string') kept.set(name, value)
  }
  return new Response(new Uint8Array(body), { status, headers: kept })
}
