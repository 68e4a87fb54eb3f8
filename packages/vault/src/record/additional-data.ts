import { HEADER_BYTES } from './record-format.ts'

/**
 * Header and context, as AES-GCM authenticates them. The header has a fixed length. The bytes are written
 * into one buffer that is used again for the next record, since the cipher copies them at once.
 */
export class AdditionalData {
  #buffer: Buffer = Buffer.allocUnsafeSlow(HEADER_BYTES + 256)
  /** View of as many bytes as were asked for last: the contexts of one table are mostly of one length. */
  #view: Buffer = this.#buffer

  /**
   * Overwritten by the next call.
   * @param record bytes that begin with a header
   */
  of(record: Uint8Array, context: Uint8Array): Buffer {
    const length = HEADER_BYTES + context.length
    if (length > this.#buffer.length) this.#buffer = Buffer.allocUnsafeSlow(length * 2)
    if (this.#view.length !== length || this.#view.buffer !== this.#buffer.buffer)
      this.#view = this.#buffer.subarray(0, length)
    for (let i = 0; i < HEADER_BYTES; i++) this.#view[i] = record[i] ?? 0
    this.#view.set(context, HEADER_BYTES)
    return this.#view
  }
}
