import { StringDecoder } from 'node:string_decoder'

/** Lines a consumer gets at once, and how many bytes of the file they took. */
export interface LineBatch {
  readonly lines: readonly string[]
  readonly bytes: number
}

const MAX_REST = 1_048_576

/** The lines of a stream in batches, one per chunk: memory stays at one chunk however long the file, a line without end is cut. */
export async function* logLines(stream: AsyncIterable<Buffer>): AsyncGenerator<LineBatch> {
  const decoder = new StringDecoder('utf8')
  let rest = ''
  for await (const chunk of stream) {
    const text = rest + decoder.write(chunk)
    const end = text.lastIndexOf('\n')
    if (end < 0 && text.length <= MAX_REST) {
      rest = text
      yield { lines: [], bytes: chunk.length }
      continue
    }
    rest = end < 0 ? '' : text.slice(end + 1)
    yield { lines: (end < 0 ? text : text.slice(0, end)).split('\n'), bytes: chunk.length }
  }
  rest += decoder.end()
  if (rest !== '') yield { lines: [rest], bytes: 0 }
}
