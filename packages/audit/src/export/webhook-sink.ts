import { createHmac } from 'node:crypto'
import { type Clock, ConfigError, givenText, StoreError, systemClock } from '@postern/core'
import type { Entry } from '../entry/entry.ts'
import { isPrivate } from '../log/private-url.ts'
import { toNdjson } from './ndjson.ts'
import { toOcsf } from './ocsf.ts'
import { ReceiverBusy, retryAfter } from './receiver-busy.ts'
import type { Sink } from './sink.ts'

/** The URL that receives entries, and the secret that signs them. */
export interface WebhookSinkOptions {
  /** `https:`; `http:` on loopback, or anywhere with `plain: 'allow'`. */
  readonly url: string
  /** Whether entries may be sent to another machine without encryption. Default: `refuse`. */
  readonly plain?: 'allow' | 'refuse'
  /** At least 24 bytes, base64, with or without `whsec_` before it. A secret. */
  readonly secret: string
  /** `ndjson` (default), or `ocsf`: a JSON array. */
  readonly format?: 'ndjson' | 'ocsf'
  readonly clock?: Clock
  readonly fetch?: typeof globalThis.fetch
}

/** RFC 9110 section 15.5.14. */
const PAYLOAD_TOO_LARGE = 413

/**
 * Sends entries by POST, signed as Standard Webhooks defines it: `webhook-signature:
 * v1,base64(HMAC-SHA256(id.timestamp.body))`. The id is made of the entries' numbers and the last leaf
 * hash: the same entries sent again have the same id, and other entries under the same numbers (a log
 * restored from an old backup) have another.
 */
export class WebhookSink implements Sink {
  readonly name: string
  readonly #options: WebhookSinkOptions
  readonly #key: Buffer

  /** @throws ConfigError when the URL is invalid or the secret too short */
  constructor(options: WebhookSinkOptions) {
    this.#options = options
    this.#key = Buffer.from(
      givenText(options.secret, 'sink.secret', MAKE_SECRET).replace(/^whsec_/, ''),
      'base64',
    )
    if (this.#key.length < 24)
      throw new ConfigError({
        place: 'sink.secret',
        problem: 'has fewer than 24 bytes',
        hint: MAKE_SECRET,
      })
    givenText(options.url, 'sink.url')
    if (!URL.canParse(options.url))
      throw new ConfigError({
        place: 'sink.url',
        problem: 'is not a URL',
        hint: 'for example https://collector.example/entries',
      })
    if (options.plain !== 'allow' && !isPrivate(new URL(options.url)))
      throw new ConfigError({
        place: 'sink.url',
        problem: 'sends entries to another machine without encryption',
        hint: "use https:, or say plain: 'allow'",
      })
    this.name = `webhook ${new URL(options.url).host}`
  }

  async send(entries: readonly Entry[], signal: AbortSignal): Promise<'taken' | 'too-large'> {
    const { url, format = 'ndjson', clock = systemClock, fetch = globalThis.fetch } = this.#options
    const body = format === 'ndjson' ? entries.map(toNdjson).join('') : JSON.stringify(entries.map(toOcsf))
    const last = entries.at(-1)
    const id = `audit-${entries[0]?.index ?? 0n}-${last?.index ?? 0n}-${last?.leafHash.slice(0, 16) ?? ''}`
    const timestamp = Math.floor(clock.now() / 1_000)
    const signature = createHmac('sha256', this.#key).update(`${id}.${timestamp}.${body}`).digest('base64')
    let status: number
    let pause: number | undefined
    try {
      const response = await fetch(url, {
        method: 'POST',
        body,
        signal,
        redirect: 'error',
        headers: {
          'content-type': format === 'ndjson' ? 'application/x-ndjson' : 'application/json',
          'webhook-id': id,
          'webhook-timestamp': String(timestamp),
          'webhook-signature': `v1,${signature}`,
        },
      })
      status = response.status
      pause = retryAfter(response.headers.get('retry-after'), clock.now())
      // Its answer is of no interest, and neither is one that breaks off: the status has arrived.
      await response.body?.cancel().catch(() => {})
    } catch (cause) {
      throw new StoreError('cannot be reached', { store: this.name, retryable: true, cause })
    }
    if (status === PAYLOAD_TOO_LARGE) return 'too-large'
    if (status >= 200 && status <= 299) return 'taken'
    if (pause !== undefined) throw new ReceiverBusy(this.name, status, pause)
    throw new StoreError(`answered ${status}`, { store: this.name, retryable: true })
  }

  close(): void {}
}

const MAKE_SECRET = 'make one: openssl rand -base64 32'
