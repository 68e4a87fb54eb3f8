import type { PagedRequest } from '@postern/console'
import { mergedTarget, type RawHeaders, type RequestSource } from '@postern/core'

const MAX_HEADERS = 8_192

/** Makes requests of what was kept. Equal headers are one object, by which inspection knows them again. */
export class KeptRequests {
  #headers = new Map<string, RawHeaders>()

  source({ method, path, query, host, agent, address }: PagedRequest): RequestSource {
    return {
      method,
      target: mergedTarget(query === '' ? path : `${path}?${query}`),
      headers: this.#headersOf(host, agent),
      peer: address,
      secure: false,
      httpVersion: '1.1',
      body: undefined,
      native: undefined,
    }
  }

  #headersOf(host: string, agent: string | undefined): RawHeaders {
    const name = `${host}\n${agent}`
    const known = this.#headers.get(name)
    if (known !== undefined) return known
    const headers = ['host', host === '' ? 'traffic.invalid' : host]
    if (agent !== undefined) headers.push('user-agent', agent)
    if (this.#headers.size >= MAX_HEADERS) this.#headers = new Map()
    this.#headers.set(name, headers)
    return headers
  }
}
