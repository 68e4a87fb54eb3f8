/**
 * The body of an answer of another server, as text. What answers may be hostile, or somebody on the way:
 * `response.text()` takes whatever it sends until the deadline.
 * @param most bytes
 * @throws RangeError (rejects) when it is longer; nothing more is read then
 * @throws TypeError (rejects) when it is not UTF-8
 */
export async function boundedText(response: Response, most: number): Promise<string> {
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of response.body ?? []) {
    length += chunk.length
    if (length > most) throw new RangeError(`the answer is longer than ${most} bytes`)
    chunks.push(chunk)
  }
  return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks))
}
