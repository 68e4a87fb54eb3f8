import { boundedText, ConfigError, CredentialError, StoreError } from '@postern/core'

/** The part of `fetch` that key services are reached with, passed in. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>

const TIMEOUT_MS = 5_000
const MAX_ANSWER = 65_536

/** What is posted, and where. */
export interface JsonPost {
  /** The service as errors name it. */
  readonly name: string
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/**
 * Posts JSON and returns the object of the answer.
 * @throws ConfigError when it is not reached over TLS, CredentialError when it refuses, StoreError when it
 *   cannot be reached or answers otherwise. Never with a body
 */
export async function postJson(
  fetch: Fetch,
  { name, url, headers, body }: JsonPost,
): Promise<Readonly<Record<string, unknown>>> {
  assertConfidential(name, url)
  let response: Response
  let text: string | undefined
  try {
    response = await fetch(url, {
      method: 'POST',
      headers,
      body,
      signal: AbortSignal.timeout(TIMEOUT_MS),
      redirect: 'error',
    })
    text = await boundedText(response, MAX_ANSWER).catch((error: unknown) => {
      // Too long or not a text; whatever else went wrong is the connection's.
      if (error instanceof RangeError || error instanceof TypeError) return undefined
      throw error
    })
  } catch {
    throw new StoreError('cannot be reached', { store: name, retryable: true })
  }
  if (response.status >= 400 && response.status < 500 && response.status !== 429)
    throw new CredentialError(
      `${name}: refused (status ${response.status}); check the key's name and who may use it`,
    )
  if (!response.ok)
    throw new StoreError(`answered with status ${response.status}`, { store: name, retryable: true })
  try {
    const value: unknown = text === undefined ? undefined : JSON.parse(text)
    if (typeof value === 'object' && value !== null) return value as Readonly<Record<string, unknown>>
  } catch {
    // Said below.
  }
  throw new StoreError('answered something that is not a JSON object', { store: name, retryable: false })
}

/**
 * Without TLS the key and the credentials would go over the network as they are, and whoever is on the way
 * could answer with another key. Loopback is for a proxy on this machine.
 */
function assertConfidential(name: string, url: string): void {
  const { protocol, hostname } = new URL(url)
  if (protocol === 'https:' || /^(?:localhost|127(?:\.\d+){3}|\[::1\])$/.test(hostname)) return
  throw new ConfigError({ place: name, problem: 'is not reached over https', hint: 'give an https address' })
}

/** A text field of an answer as bytes of base64. @throws StoreError when it is missing */
export function base64Field(name: string, answer: Readonly<Record<string, unknown>>, field: string): Buffer {
  const value = answer[field]
  if (typeof value === 'string' && value !== '') return Buffer.from(value, 'base64')
  throw new StoreError(`its answer has no ${field}`, { store: name, retryable: false })
}
