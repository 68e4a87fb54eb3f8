import { type Clock, type Event, errorCode } from '@postern/core'

/** Milliseconds: everybody can fail handshakes without end, and one line says what is wrong. */
const QUIET_MS = 10_000

/** By the code of the error, first match wins. */
const CAUSES: readonly (readonly [code: RegExp, problem: string])[] = [
  [/UNSUPPORTED_PROTOCOL|VERSION_TOO_LOW|PROTOCOL_VERSION/, 'the client speaks no TLS from 1.2 on'],
  [
    /NO_SHARED_CIPHER|NO_SUITABLE_|NO_SHARED_GROUP|HANDSHAKE_FAILURE/,
    'the client offers no cipher or signature that goes with the certificate',
  ],
  [/NO_APPLICATION_PROTOCOL/, 'the client offers neither h2 nor http/1.1 (ALPN)'],
  [
    /UNKNOWN_CA|CERTIFICATE_UNKNOWN|CERTIFICATE_EXPIRED|BAD_CERTIFICATE|UNSUPPORTED_CERTIFICATE/,
    'the client does not trust the certificate; is its chain complete, and is it valid for the name and today?',
  ],
]

/** TLS handshakes that fail: an event for the first of them, then one for all of a while. */
export class FailedHandshakes {
  readonly #clock: Clock
  #last = Number.NEGATIVE_INFINITY
  #more = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /**
   * @param peer address of the client
   * @returns undefined where the connection only broke, or there was an event a short while ago
   */
  take(error: Error, peer: string | undefined): Event | undefined {
    const code = errorCode(error) ?? ''
    if (!code.startsWith('ERR_SSL_')) return undefined
    const now = this.#clock.monotonic()
    if (now - this.#last < QUIET_MS) {
      this.#more++
      return undefined
    }
    const more = this.#more
    this.#last = now
    this.#more = 0
    return {
      type: 'gateway.tls-failed',
      time: this.#clock.now(),
      actor: peer === undefined ? {} : { address: peer },
      data: {
        problem: CAUSES.find(([pattern]) => pattern.test(code))?.[1] ?? 'the handshake failed',
        code: code.slice(0, 100),
        ...(more > 0 && { more }),
      },
    }
  }
}
