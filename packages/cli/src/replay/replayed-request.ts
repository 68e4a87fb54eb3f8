import type { LogRecord } from '@postern/access-log'
import { mergedTarget, parseAddress, type RawHeaders, type RequestSource } from '@postern/core'

const UNKNOWN_HOST = 'log.invalid'
const MAX_HEADERS = 8_192
/** Longer ones are not kept. */
const MAX_LENGTH = 512

type ByHost = Map<string | undefined, RawHeaders>
type ByReferer = Map<string | undefined, ByHost>

/**
 * Log lines as requests: what the log does not keep (body, most headers) is absent, so rules over those stay
 * silent.
 *
 * A log says few agents and referers over and over: lines that agree in host, agent and referer get the same
 * headers, one object, so that what is looked up by them is found without reading them again. A fixed number
 * is kept.
 */
export class ReplayedRequests {
  #byAgent = new Map<string | undefined, ByReferer>()
  #headers = 0

  /** The request of a line; undefined when its address is invalid. */
  of(entry: LogRecord): RequestSource | undefined {
    if (parseAddress(entry.address) === undefined) return undefined
    return {
      method: entry.method,
      target: mergedTarget(entry.target),
      headers: this.#headersOf(entry),
      peer: entry.address,
      secure: false,
      httpVersion: entry.httpVersion,
      body: undefined,
      native: undefined,
    }
  }

  #headersOf({ host, agent, referer, forwardedFor }: LogRecord): RawHeaders {
    if (forwardedFor !== undefined)
      return [...this.#known(host, agent, referer), 'x-forwarded-for', forwardedFor]
    return this.#known(host, agent, referer)
  }

  #known(host: string | undefined, agent: string | undefined, referer: string | undefined): RawHeaders {
    const known = this.#byAgent.get(agent)?.get(referer)?.get(host)
    if (known !== undefined) return known
    const headers = ['host', host ?? UNKNOWN_HOST]
    if (agent !== undefined) headers.push('user-agent', agent)
    if (referer !== undefined) headers.push('referer', referer)
    if (lengthOf(host) + lengthOf(agent) + lengthOf(referer) <= MAX_LENGTH)
      this.#keep(headers, host, agent, referer)
    return headers
  }

  #keep(
    headers: RawHeaders,
    host: string | undefined,
    agent: string | undefined,
    referer: string | undefined,
  ): void {
    if (this.#headers >= MAX_HEADERS) {
      this.#byAgent = new Map()
      this.#headers = 0
    }
    this.#headers++
    const byReferer: ByReferer = this.#byAgent.get(agent) ?? new Map()
    const byHost: ByHost = byReferer.get(referer) ?? new Map()
    byHost.set(host, headers)
    byReferer.set(referer, byHost)
    this.#byAgent.set(agent, byReferer)
  }
}

function lengthOf(text: string | undefined): number {
  return text === undefined ? 0 : text.length
}
