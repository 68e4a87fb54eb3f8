import { type RandomSource, systemRandom } from '@postern/core'
import { SALT_BYTES } from './record-format.ts'

/** Salts asked of the generator at once: one call for 256 of them costs what one call for one does. */
const BATCH = 256

/** Random salts, one by one. A salt is never handed out twice. */
export class SaltSource {
  readonly #random: RandomSource
  #pool: Uint8Array = new Uint8Array(0)
  #at = 0

  constructor(random: RandomSource = systemRandom) {
    this.#random = random
  }

  next(): Uint8Array {
    if (this.#at === this.#pool.length) {
      this.#pool = this.#random.bytes(BATCH * SALT_BYTES)
      this.#at = 0
    }
    const start = this.#at
    this.#at += SALT_BYTES
    return this.#pool.subarray(start, this.#at)
  }
}
