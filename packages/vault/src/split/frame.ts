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

/** Puts the messages of a byte stream together again. */
export class FrameReader {
  #chunks: Buffer[] = []
  #length = 0

  /**
   * The messages that are complete with this chunk.
   * @throws RangeError when one is too large, SyntaxError when one is not JSON: end the connection then
   */
  push(chunk: Buffer): readonly unknown[] {
    this.#chunks.push(chunk)
    this.#length += chunk.length
    const messages: unknown[] = []
    while (this.#length >= 4) {
      const size = this.#peek()
      if (size > MAX_FRAME) throw new RangeError('frame too large')
      if (this.#length < 4 + size) break
      const all =
        this.#chunks.length === 1 ? (this.#chunks[0] as Buffer) : Buffer.concat(this.#chunks, this.#length)
      messages.push(JSON.parse(all.toString('utf8', 4, 4 + size)))
      const rest = all.subarray(4 + size)
      this.#chunks = rest.length > 0 ? [rest] : []
      this.#length = rest.length
    }
    return messages
  }

  #peek(): number {
    if ((this.#chunks[0]?.length ?? 0) < 4) this.#chunks = [Buffer.concat(this.#chunks, this.#length)]
    return (this.#chunks[0] as Buffer).readUInt32BE(0)
  }
}
