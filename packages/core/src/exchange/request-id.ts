import type { Clock } from '../system/clock.ts'
import { type RandomSource, systemRandom } from '../system/random.ts'

declare const brand: unique symbol

/** Id of one exchange: 20 letters and digits, sorting by time of arrival. Callers quote it to operators. */
export type RequestId = string & { readonly [brand]: 'request-id' }

const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz'
const PATTERN = /^[0-9a-hjkmnp-tv-z]{20}$/

function base32(value: number, length: number): string {
  let text = ''
  let rest = value
  for (let i = 0; i < length; i++) {
    text = ALPHABET[rest % 32] + text
    rest = Math.floor(rest / 32)
  }
  return text
}

/** The last two letters of an id, written once: all else changes every 1,024 ids or every millisecond. */
const PAIRS: readonly string[] = Array.from({ length: 1_024 }, (_, value) => base32(value, 2))

/** A maker of request ids: 9 letters of time, 6 of this process, 5 of a counter. */
export function requestIds(clock: Clock, random: RandomSource = systemRandom): () => RequestId {
  let origin = ''
  for (const byte of random.bytes(6)) origin += ALPHABET[byte % 32]
  let counter = 0
  let lastTime = -1
  let timeText = ''
  let counterText = base32(0, 3)
  let start = ''
  return () => {
    const now = Math.floor(clock.now())
    counter = (counter + 1) % 32 ** 5
    const pair = counter & 1_023
    if (now !== lastTime || pair === 0) {
      if (now !== lastTime) timeText = base32(now, 9)
      if (pair === 0) counterText = base32(counter >> 10, 3)
      lastTime = now
      start = timeText + origin + counterText
    }
    return (start + PAIRS[pair]) as RequestId
  }
}

/** Whether a text has the form of a request id. */
export function isRequestId(text: string): text is RequestId {
  return PATTERN.test(text)
}
