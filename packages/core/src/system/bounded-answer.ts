/**
 * The body of an answer of another server, as text. What answers may be hostile, or somebody on the way:
 * `response.text()` takes whatever it sends until the deadline.
 * @param most bytes
 * @throws RangeError (rejects) when it is longer; nothing more is read then
 * @throws TypeError (rejects) when it is not UTF-8
 */
export async function boundedText(response: Response, most: number): Promise<string> {
  return textOf(response.body ?? [], most)
}

/**
 * The text of pieces of UTF-8.
 * @param most bytes
 * @throws RangeError (rejects) when they are longer; nothing more is read then
 * @throws TypeError (rejects) when they are not UTF-8
 */
export async function textOf(pieces: Pieces, most: number): Promise<string> {
  return new TextDecoder('utf-8', { fatal: true }).decode(await bytesOf(pieces, most))
}

/** What a stream or a list brings. */
type Pieces = AsyncIterable<Uint8Array> | Iterable<Uint8Array>

/**
 * All pieces in one.
 * @param most bytes
 * @throws RangeError (rejects) when they are longer; nothing more is read then
 */
export async function bytesOf(pieces: Pieces, most: number): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of pieces) {
    length += chunk.length
    if (length > most) throw new RangeError(`longer than ${most} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}
