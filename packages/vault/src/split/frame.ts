/** Largest frame: a batch of 1,000 records with their contexts fits. */
const MAX_FRAME = 4 * 1_024 * 1_024

/** One message: 4 bytes of length, big-endian, then as many bytes of JSON in UTF-8. */
export function encodeFrame(message: object): Buffer {
  const text = JSON.stringify(message)
  const frame = Buffer.allocUnsafe(4 + Buffer.byteLength(text))
  frame.writeUInt32BE(frame.length - 4)
  frame.write(text, 4)
  if (frame.length - 4 > MAX_FRAME)
    throw new RangeError(`a message is larger than ${MAX_FRAME} bytes; ask for fewer records`)
  return frame
}

const NOTHING = Buffer.alloc(0)

/**
 * Puts the messages of a byte stream together again. What is not complete is copied into one buffer: a peer
 * that sends byte by byte would otherwise have each of them kept as an object of its own.
 */
export class FrameReader {
  /** Room for what is not complete yet; it begins with a length. */
  #room: Buffer = NOTHING
  #length = 0

  /** Bytes that are kept of a message that is not complete. */
  get incomplete(): number {
    return this.#room.length
  }

  /**
   * The messages that are complete with this chunk.
   * @throws RangeError when one is too large, SyntaxError when one is not JSON: end the connection then
   */
  push(chunk: Buffer): readonly unknown[] {
    const bytes = this.#length === 0 ? chunk : this.#append(chunk)
    const messages: unknown[] = []
    let at = 0
    while (bytes.length - at >= 4) {
      const end = at + 4 + bytes.readUInt32BE(at)
      if (end - at - 4 > MAX_FRAME) throw new RangeError('frame too large')
      if (end > bytes.length) break
      messages.push(JSON.parse(bytes.toString('utf8', at + 4, end)))
      at = end
    }
    this.#keep(bytes, at)
    return messages
  }

  #append(chunk: Buffer): Buffer {
    const length = this.#length + chunk.length
    if (length > this.#room.length) {
      const larger = Buffer.allocUnsafeSlow(length * 2)
      this.#room.copy(larger, 0, 0, this.#length)
      this.#room = larger
    }
    this.#room.set(chunk, this.#length)
    this.#length = length
    return this.#room.subarray(0, length)
  }

  /** Keeps what begins there: where it lies already, or in a buffer of its own. */
  #keep(bytes: Buffer, start: number): void {
    const left = bytes.length - start
    if (left > 0 && start === 0 && bytes.buffer === this.#room.buffer) return
    this.#room = left === 0 ? NOTHING : Buffer.allocUnsafeSlow(left)
    this.#room.set(bytes.subarray(start))
    this.#length = left
  }
}
