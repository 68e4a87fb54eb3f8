import { createReadStream } from 'node:fs'
import { resolve } from 'node:path'
import { Readable, type Transform } from 'node:stream'
import { createGunzip, createZstdDecompress } from 'node:zlib'
import { ConfigError, errorCode, fileProblem, shellWord } from '@postern/core'

/** Names standard input where a command takes a file. */
export const STANDARD_INPUT = '-'

const CHUNK_BYTES = 262_144

/** How a file begins, by what it is: its name says less, since rotated and copied logs lose their endings. */
const KINDS = [
  { begins: [0x1f, 0x8b], unpack: createGunzip, named: 'gzip' },
  { begins: [0x28, 0xb5, 0x2f, 0xfd], unpack: createZstdDecompress, named: 'zstd' },
  { begins: [0x42, 0x5a, 0x68], program: 'bzip2' },
  { begins: [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00], program: 'xz' },
  { begins: [0xff, 0xfe], encoding: 'utf-16le' },
  { begins: [0xfe, 0xff], encoding: 'utf-16be' },
] as const satisfies readonly {
  readonly begins: readonly number[]
  readonly unpack?: () => Transform
  readonly named?: string
  readonly program?: string
  readonly encoding?: string
}[]
const LONGEST_START = 6

/** The path of a file that a command was given; `-` stays what it is. */
export function namedFile(folder: string, name: string): string {
  return name === STANDARD_INPUT ? name : resolve(folder, name)
}

/**
 * The bytes of a text file, unpacked (gzip, zstd) and in UTF-8, whatever its name; `-` is standard input.
 * @throws ConfigError when it cannot be read, is torn, or is packed with what cannot be unpacked here
 */
export async function* openText(file: string): AsyncGenerator<Buffer> {
  const stream =
    file === STANDARD_INPUT
      ? // Waits for what another program has not written yet, also where the pipe does not block.
        process.stdin
      : createReadStream(file, { highWaterMark: CHUNK_BYTES })
  let named = ''
  try {
    const chunks = stream[Symbol.asyncIterator]() as AsyncIterableIterator<Buffer>
    const first = await atLeast(chunks, LONGEST_START)
    const kind = KINDS.find(({ begins }) => begins.every((byte, at) => first[at] === byte))
    if (kind === undefined) {
      yield first
      yield* chunks
    } else if ('program' in kind) throw packed(file, kind.program)
    else if ('encoding' in kind) yield* recoded(followed(first, chunks), kind.encoding)
    else {
      named = kind.named
      yield* unpacked(followed(first, chunks), kind.unpack())
    }
  } catch (cause) {
    throw cause instanceof ConfigError ? cause : unreadable(file, named, cause)
  } finally {
    stream.destroy()
  }
}

/** A pipe hands over what was written at once, however little. */
async function atLeast(chunks: AsyncIterator<Buffer>, bytes: number): Promise<Buffer> {
  let all: Buffer = Buffer.alloc(0)
  while (all.length < bytes) {
    const { done, value } = await chunks.next()
    if (done === true) break
    all = all.length === 0 ? value : Buffer.concat([all, value])
  }
  return all
}

async function* followed(first: Buffer, chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  yield first
  yield* chunks
}

async function* unpacked(chunks: AsyncGenerator<Buffer>, unpack: Transform): AsyncGenerator<Buffer> {
  const source = Readable.from(chunks)
  // A pipe passes no error on, and one that nobody hears ends the process.
  source.on('error', error => unpack.destroy(error))
  try {
    yield* source.pipe(unpack) as AsyncIterable<Buffer>
  } finally {
    source.destroy()
  }
}

async function* recoded(chunks: AsyncIterable<Buffer>, encoding: string): AsyncGenerator<Buffer> {
  const decoder = new TextDecoder(encoding)
  for await (const chunk of chunks) yield Buffer.from(decoder.decode(chunk, { stream: true }))
}

function packed(file: string, program: string): ConfigError {
  return new ConfigError({
    place: file,
    problem: `is packed with ${program}, which cannot be read here`,
    hint: unpacking(file, program),
  })
}

/** Of a file that ends in the middle, the program writes what there is. */
function unpacking(file: string, program: string): string {
  return file === STANDARD_INPUT
    ? `send it through ${program} -dc first`
    : `unpack it first: ${program} -dc < ${shellWord(file)} > unpacked.log`
}

function unreadable(file: string, named: string, cause: unknown): ConfigError {
  const code = errorCode(cause) ?? 'error'
  const isTorn = named !== '' && !/^E[A-Z]+$/.test(code)
  return new ConfigError(
    {
      place: file,
      problem: isTorn ? `is not a whole ${named} file (${code})` : fileProblem(cause),
      ...(isTorn && { hint: unpacking(file, named) }),
    },
    { cause },
  )
}
