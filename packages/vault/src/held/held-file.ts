import { type Bytes, concat, equalBytes, hmac, randomBytes, utf8, type WebKey } from './bytes.ts'
import { HeldError } from './held-error.ts'

const CHUNK = 65_536
const TAG = 16
const MAGIC = Uint8Array.of(0xb7, 0x46, 1, 0)
const HEADER = MAGIC.length + 16 + 16
/** 2^32 chunks of 64 KiB: 256 TiB. */
const MAX_CHUNKS = 2 ** 32

/**
 * Seals a stream in chunks of 64 KiB with flat memory (STREAM of Hoang, Reyhanitabar, Rogaway, Vizár 2015): a
 * chunk cannot be changed, moved, repeated or dropped, nor the end cut off.
 * @param key 32 bytes: a space key, or a record key
 * @param place where the file belongs, as text of your own; it opens under no other
 */
export async function* sealFile(
  key: Uint8Array,
  place: string,
  source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): AsyncGenerator<Bytes> {
  const salt = randomBytes(16)
  const { cipher, commitment, prefix } = await fileMaterial(key, place, salt)
  yield concat(MAGIC, salt, commitment)
  let index = 0
  let held: Bytes | undefined
  for await (const chunk of chunksOf(source, CHUNK)) {
    if (held !== undefined) yield sealChunk(cipher, prefix, index++, 0, held)
    held = chunk
  }
  yield sealChunk(cipher, prefix, index, 1, held ?? new Uint8Array(0))
}

/**
 * Opens what `sealFile` made. Nothing unauthenticated is yielded; an error may come late, so keep
 * what came until the end. @throws HeldError
 */
export async function* openFile(
  key: Uint8Array,
  place: string,
  source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): AsyncGenerator<Bytes> {
  let opened: Awaited<ReturnType<typeof fileMaterial>> | undefined
  let index = 0
  let held: Bytes | undefined
  for await (const piece of chunksOf(source, CHUNK + TAG, HEADER)) {
    if (opened === undefined) {
      if (piece.length !== HEADER || !equalBytes(piece.subarray(0, 4), MAGIC))
        throw new HeldError('held file: it does not begin as one')
      opened = await fileMaterial(key, place, piece.slice(4, 20))
      if (!equalBytes(opened.commitment, piece.subarray(20))) throw damaged()
      continue
    }
    if (held !== undefined) yield await openChunk(opened, index++, 0, held)
    held = piece
  }
  if (opened === undefined || held === undefined) throw new HeldError('held file: it ends too early')
  yield await openChunk(opened, index, 1, held)
}

interface FileMaterial {
  readonly cipher: WebKey
  readonly commitment: Bytes
  readonly prefix: Bytes
}

async function fileMaterial(key: Uint8Array, place: string, salt: Bytes): Promise<FileMaterial> {
  const bytes = utf8(place)
  const size = Uint8Array.of(bytes.length >> 24, bytes.length >> 16, bytes.length >> 8, bytes.length)
  const output = await hmac('SHA-512', concat(key), concat(utf8('postern vault file 1'), size, bytes, salt))
  const cipher = await crypto.subtle.importKey('raw', output.slice(0, 32), 'AES-GCM', false, [
    'encrypt',
    'decrypt',
  ])
  return { cipher, commitment: output.slice(32, 48), prefix: output.slice(48, 55) }
}

function nonceOf(prefix: Bytes, index: number, last: 0 | 1): Bytes {
  if (index >= MAX_CHUNKS) throw new HeldError('held file: it is too long')
  return concat(prefix, Uint8Array.of(index >>> 24, index >>> 16, index >>> 8, index, last))
}

async function sealChunk(
  cipher: WebKey,
  prefix: Bytes,
  index: number,
  last: 0 | 1,
  chunk: Bytes,
): Promise<Bytes> {
  return new Uint8Array(
    await crypto.subtle.encrypt({ name: 'AES-GCM', iv: nonceOf(prefix, index, last) }, cipher, chunk),
  )
}

async function openChunk(
  { cipher, prefix }: FileMaterial,
  index: number,
  last: 0 | 1,
  chunk: Bytes,
): Promise<Bytes> {
  try {
    return new Uint8Array(
      await crypto.subtle.decrypt({ name: 'AES-GCM', iv: nonceOf(prefix, index, last) }, cipher, chunk),
    )
  } catch {
    throw damaged()
  }
}

function damaged(): HeldError {
  return new HeldError('held file: it was changed, cut, or belongs elsewhere')
}

/** Pieces of one size, the first of another when given, the last shorter. */
async function* chunksOf(
  source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  size: number,
  first: number = size,
): AsyncGenerator<Bytes> {
  let buffer = new Uint8Array(first)
  let filled = 0
  for await (const piece of source) {
    for (let at = 0; at < piece.length; ) {
      const taken = Math.min(buffer.length - filled, piece.length - at)
      buffer.set(piece.subarray(at, at + taken), filled)
      filled += taken
      at += taken
      if (filled === buffer.length) {
        yield buffer
        buffer = new Uint8Array(size)
        filled = 0
      }
    }
  }
  if (filled > 0) yield buffer.slice(0, filled)
}
