import type { Exchange } from '@postern/core'

/** What proxies write for a country they do not know (`XX`), or for Tor (`T1`), is not a code. */
const CODE = /^(?!XX)[A-Z]{2}$/

/**
 * Reads the country of a client from the header that a trusted proxy sets; from anybody else the header is
 * worth nothing.
 * @param header in any case; undefined where none is configured
 * @returns ISO 3166-1 alpha-2, empty where it is not known
 */
export function clientCountry(header: string | undefined): (exchange: Exchange) => string {
  if (header === undefined) return () => ''
  const name = header.toLowerCase()
  return exchange => {
    if (!exchange.trustsPeer) return ''
    const said = exchange.header(name)?.trim().toUpperCase() ?? ''
    return CODE.test(said) ? said : ''
  }
}
