import type { Exchange, Principal } from '@postern/core'
import { backendCookies } from '../headers/cookie.ts'
import { type Fetch, fetchJson } from './fetch-json.ts'
import { assertFetchable } from './remote-key-set.ts'
import type { FoundSession, SessionMethodOptions } from './session-method.ts'

export interface SessionUrlOptions {
  /** Asked with the request's cookies and answers with JSON. HTTPS, or loopback. */
  readonly url: string
  /** Reads the answer; undefined when it says that nobody is signed in. */
  readonly principal: (answer: unknown) => Principal | undefined
  /** When the session began, epoch milliseconds. Default: when its principal was authenticated. */
  readonly issuedAt?: (answer: unknown) => number | undefined
  readonly fetch?: Fetch
}

/**
 * A look-up for `sessionMethod` that asks the application itself: `GET` with the `Cookie` header as it came.
 * @throws ConfigError for an address that is neither HTTPS nor loopback
 */
export function sessionUrl(options: SessionUrlOptions): SessionMethodOptions['find'] {
  assertFetchable(options.url, 'identify.session.url')
  const fetcher = options.fetch ?? fetch
  return async (_value: string, exchange: Exchange): Promise<FoundSession | undefined> => {
    const answer = await fetchJson(fetcher, options.url, {
      headers: { cookie: backendCookies(exchange) ?? '' },
    })
    const principal = options.principal(answer)
    const issuedAt = options.issuedAt?.(answer)
    return principal === undefined ? undefined : { principal, ...(issuedAt !== undefined && { issuedAt }) }
  }
}
