import { hash } from 'node:crypto'
import type { HmacKey } from '../primitive/hmac-key.ts'
import { encodedSize, type RecordContext, writeContext } from '../record/record-context.ts'
import type { OpenBatch } from '../split/open-batch.ts'
import { PART_BYTES } from '../split/part.ts'
import { VERSION_CHARACTERS } from './counted-records.ts'

const PLACE = Buffer.from('place')
/** Bytes of the version at the end of an encoded context. */
const VERSION_BYTES = 8

interface Input {
  readonly start: number
  /** Where the context ends and the salt begins. */
  readonly middle: number
  readonly end: number
}

/**
 * What the keyed functions of one request are computed over: context and salt of each item, one after the
 * other in one buffer. The buffer is used again for the next request, so that a holder leaves little to
 * collect: pauses of the collector were the slowest one in a hundred answers.
 */
export class BatchInputs {
  #own: Buffer = Buffer.allocUnsafeSlow(16_384)
  /** Where the inputs lie: in the buffer above, or in the request itself. */
  #bytes: Buffer = this.#own
  #inputs: readonly Input[] = []
  #added: Input[] = []
  #end = 0

  get count(): number {
    return this.#inputs.length
  }

  /** Forgets the items of the last request. */
  clear(): void {
    this.#added = []
    this.#inputs = this.#added
    this.#bytes = this.#own
    this.#end = 0
  }

  /** Takes the items of a request where they lie. */
  use({ bytes, items }: OpenBatch): void {
    this.#bytes = bytes
    this.#inputs = items
  }

  /**
   * Adds an item.
   * @param saltOf the salt, or what makes it from the encoded context; at most 64 bytes
   * @throws ConfigError as `encodeContext`
   */
  add(context: RecordContext, saltOf: Uint8Array | ((encoded: Uint8Array) => Uint8Array)): void {
    const start = this.#end
    const needed = start + encodedSize(context) + 64
    if (needed > this.#own.length) {
      const larger = Buffer.allocUnsafeSlow(needed * 2)
      this.#own.copy(larger, 0, 0, this.#end)
      this.#own = larger
      this.#bytes = larger
    }
    const middle = writeContext(this.#bytes, start, context)
    const salt = typeof saltOf === 'function' ? saltOf(this.#bytes.subarray(start, middle)) : saltOf
    this.#bytes.set(salt, middle)
    this.#end = middle + salt.length
    this.#added.push({ start, middle, end: this.#end })
  }

  /** An item as budgets count it: 16 bytes of a digest of its place and salt, one character a byte. */
  version(index: number): string {
    const { start, end } = this.#at(index)
    const digest = hash('sha256', this.#bytes.subarray(start, end), 'binary')
    return digest.slice(0, VERSION_CHARACTERS)
  }

  /** The place of an item, as `placeOf` of its encoded context. */
  place(index: number): string {
    const { start, middle } = this.#at(index)
    return placeOf(this.#bytes.subarray(start, middle))
  }

  /** A keyed function of every item: 32 bytes each, base64url. */
  outputs(prfOf: (index: number) => HmacKey): string {
    const outputs = Buffer.allocUnsafe(this.count * PART_BYTES)
    for (let index = 0; index < this.count; index++) {
      const { start, end } = this.#at(index)
      prfOf(index).digestInto(outputs, index * PART_BYTES, this.#bytes, start, end)
    }
    return outputs.toString('base64url')
  }

  #at(index: number): Input {
    return this.#inputs[index] as Input
  }
}

/** A place, whatever its version: a canary stays one when it is written again. */
export function placeOf(encodedContext: Uint8Array): string {
  const place = encodedContext.subarray(0, encodedContext.length - VERSION_BYTES)
  return hash('sha256', Buffer.concat([PLACE, place]), 'base64url')
}
