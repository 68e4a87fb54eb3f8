import { Readable } from 'node:stream'

/** All of a stream, as text; of one that breaks off, that it did. */
export async function text(stream: AsyncIterable<Uint8Array | string>): Promise<string> {
  const chunks: Buffer[] = []
  try {
    for await (const chunk of stream) chunks.push(Buffer.from(chunk))
  } catch {
    return 'broken off'
  }
  return Buffer.concat(chunks).toString()
}

/** `one two three`, in three pieces. */
export function threePieces(): Readable {
  return Readable.from([Buffer.from('one '), Buffer.from('two '), Buffer.from('three')])
}

/** One piece, and never an end. */
export function endless(): Readable {
  const stream = new Readable({ read() {} })
  stream.push('first')
  return stream
}

/** What the suite asks a handler of its request headers. */
export function seen(headers: Readonly<Record<string, unknown>>): object {
  return {
    cookie: headers['cookie'] ?? null,
    secret: headers['x-secret'] ?? null,
    added: headers['x-added'] ?? null,
  }
}
