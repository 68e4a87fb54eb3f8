import { boundedText, type Duration, IntegrityError, parseDuration, StoreError } from '@postern/core'
import { parseCheckpoint } from '../format/checkpoint.ts'
import { parseWitnessKey, type WitnessKey } from '../format/cosignature.ts'
import { type NoteSignature, parseNote, parseSignatureLine } from '../format/note.ts'
import type { LogReader } from '../reader/log-reader.ts'

/** The URL and the key of a witness, and how long it may take. */
export interface WitnessClientOptions {
  /** Submission prefix: `add-checkpoint` is appended. */
  readonly url: string
  /** The witness's verifier key, type 4. */
  readonly verifierKey: string
  /** Default 5s. */
  readonly timeout?: Duration
  readonly fetch?: typeof globalThis.fetch
}

const MAX_ANSWER = 10_000

/** Asks one witness for cosignatures (C2SP tlog-witness, client side). */
export class WitnessClient {
  readonly name: string
  readonly #key: WitnessKey
  readonly #url: string
  readonly #timeout: number
  readonly #fetch: typeof globalThis.fetch
  /** What the witness cosigned last, as far as we know. */
  #size = 0n

  /** @throws ConfigError for a malformed key or duration */
  constructor(options: WitnessClientOptions) {
    this.#key = parseWitnessKey(options.verifierKey, 'witnesses.verifierKey')
    this.name = this.#key.name
    this.#url = `${options.url.replace(/\/+$/, '')}/add-checkpoint`
    this.#timeout = parseDuration(options.timeout ?? '5s', 'witnesses.timeout')
    this.#fetch = options.fetch ?? globalThis.fetch
  }

  /**
   * Has a checkpoint cosigned, proving that it extends what the witness saw last.
   * @throws IntegrityError when the witness saw more entries than this log has, or different
   *   ones: the log was rolled back or forked
   * @throws StoreError when it cannot be reached
   */
  async cosign(checkpoint: string, reader: LogReader): Promise<NoteSignature> {
    const { text } = parseNote(checkpoint)
    const { size } = parseCheckpoint(text)
    for (let attempt = 0; attempt < 2; attempt++) {
      const proof = await reader.consistency(this.#size, size)
      const lines = proof.map(hash => `${Buffer.from(hash).toString('base64')}\n`).join('')
      const response = await this.#post(`old ${this.#size}\n${lines}\n${checkpoint}`)
      const body = await boundedText(response, MAX_ANSWER).catch((cause: unknown) => {
        throw this.#error('gave an answer that cannot be read', cause)
      })
      if (response.ok) {
        this.#size = size
        return this.#accept(text, body)
      }
      if (response.status !== 409)
        throw this.#error(`answered ${response.status}: ${body.trim().slice(0, 100)}`)
      const seen = /^(0|[1-9]\d{0,18})\n$/.exec(body)
      if (seen === null) throw this.#error('answered 409 without a size')
      const last = BigInt(seen[1] ?? '0')
      if (last > size)
        throw new IntegrityError(
          `witness "${this.name}" saw ${last} entries, the log has ${size}: it was rolled back`,
        )
      if (last === this.#size)
        throw new IntegrityError(`witness "${this.name}" has seen a different log of ${last} entries`)
      this.#size = last
    }
    throw this.#error('named two different sizes')
  }

  async #post(body: string): Promise<Response> {
    try {
      return await this.#fetch(this.#url, {
        method: 'POST',
        body,
        redirect: 'error',
        signal: AbortSignal.timeout(this.#timeout),
      })
    } catch (cause) {
      throw new StoreError('does not answer', { store: `witness ${this.name}`, retryable: true, cause })
    }
  }

  #accept(text: string, body: string): NoteSignature {
    for (const line of body.split('\n').filter(one => one !== '')) {
      const signature = parseSignatureLine(line)
      if (signature.name !== this.#key.name || signature.keyId !== this.#key.keyId) continue
      if (this.#key.verify(text, signature.signature)) return signature
    }
    throw this.#error('answered without a valid cosignature')
  }

  #error(message: string, cause?: unknown): StoreError {
    return new StoreError(message, { store: `witness ${this.name}`, retryable: true, cause })
  }
}
