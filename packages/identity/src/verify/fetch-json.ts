import { boundedText, StoreError } from '@postern/core'

/** The network, passed in: the global `fetch`, or one of a test. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>

const MAX_BYTES = 262_144

/**
 * Fetches a JSON document of at most 256 KiB within five seconds, following no redirect: an address in the
 * configuration must not be made to lead elsewhere.
 * @throws StoreError, retryable, when it is unavailable
 */
export async function fetchJson(fetch: Fetch, url: string, init: RequestInit = {}): Promise<unknown> {
  const store = new URL(url).origin
  try {
    const response = await fetch(url, {
      ...init,
      headers: { accept: 'application/json', ...init.headers },
      redirect: 'error',
      signal: AbortSignal.timeout(5_000),
    })
    if (!response.ok) throw new Error(`answered with status ${response.status}`)
    return JSON.parse(await boundedText(response, MAX_BYTES)) as unknown
  } catch (cause) {
    throw new StoreError(`could not be read: ${cause instanceof Error ? cause.message : 'no reason given'}`, {
      store,
      retryable: true,
      cause,
    })
  }
}
