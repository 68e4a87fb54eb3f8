/** Lines a consumer gets at once, and how many bytes of the file they took. */
export interface LineBatch {
  readonly lines: readonly string[]
  readonly bytes: number
}

const MAX_REST = 1_048_576
const LINE_END = 10

/**
 * The lines of a stream in batches, one per chunk: memory stays at one chunk however long the file, a line
 * without end is cut. Each line is decoded by itself: a part of a chunk's text would keep the whole chunk
 * alive for as long as anybody remembers an address.
 */
export async function* logLines(stream: AsyncIterable<Buffer>): AsyncGenerator<LineBatch> {
  let rest: Buffer = Buffer.alloc(0)
  for await (const chunk of stream) {
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    const lines: string[] = []
    let start = 0
    for (let end = bytes.indexOf(LINE_END); end >= 0; end = bytes.indexOf(LINE_END, start)) {
      lines.push(bytes.toString('utf8', start, end))
      start = end + 1
    }
    if (start === 0 && bytes.length > MAX_REST) {
      lines.push(bytes.toString())
      start = bytes.length
    }
    rest = bytes.subarray(start)
    yield { lines, bytes: chunk.length }
  }
  if (rest.length > 0) yield { lines: [rest.toString()], bytes: 0 }
}
