/** What the codes of Snappy's elements say in their two lowest bits. */
const LITERAL = 0
const COPY_1 = 1
const COPY_2 = 2
/** Bytes that state the length of a block at most (32 bits, seven a byte). */
const MAX_LENGTH_BYTES = 5

/**
 * Undoes one block of Snappy (github.com/google/snappy, format_description.txt), as Prometheus and Loki send
 * it; not the framed form of files. A block that was cut is decoded as far as it goes.
 * @throws RangeError with the code `ERR_BUFFER_TOO_LARGE` when it would give more than `limit` bytes
 * @throws RangeError when it is malformed
 */
export function snappyDecompress(block: Uint8Array, limit: number): Uint8Array {
  let at = 0
  const byte = (): number => {
    const value = block[at++]
    if (value === undefined) throw new RangeError('a Snappy block ends inside an element')
    return value
  }
  const number = (bytes: number): number => {
    let value = 0
    for (let i = 0; i < bytes; i++) value += byte() * 2 ** (8 * i)
    return value
  }
  const length = lengthOf(byte)
  if (length > limit)
    throw Object.assign(new RangeError('a Snappy block is too long'), { code: 'ERR_BUFFER_TOO_LARGE' })
  const found = new Uint8Array(length)
  let end = 0
  while (at < block.length && end < length) {
    const tag = byte()
    const kind = tag & 3
    if (kind === LITERAL) {
      const short = tag >> 2
      const size = 1 + (short < 60 ? short : number(short - 59))
      if (size > length - end) throw new RangeError('a literal of a Snappy block is too long')
      // Fewer bytes than it says where the block was cut.
      const literal = block.subarray(at, at + size)
      found.set(literal, end)
      at += size
      end += literal.length
      continue
    }
    const size = kind === COPY_1 ? 4 + ((tag >> 2) & 7) : 1 + (tag >> 2)
    const offset = kind === COPY_1 ? ((tag >> 5) << 8) | byte() : number(kind === COPY_2 ? 2 : 4)
    copyBack(found, end, offset, size)
    end += size
  }
  return found.subarray(0, end)
}

/** Writes again what stands `offset` bytes before `at`. */
function copyBack(into: Uint8Array, at: number, offset: number, size: number): void {
  if (offset === 0 || offset > at || size > into.length - at)
    throw new RangeError('a copy of a Snappy block is outside of it')
  // Byte by byte: a copy may reach into what it writes.
  for (let end = at; end < at + size; end++) into[end] = into[end - offset] as number
}

function lengthOf(byte: () => number): number {
  let value = 0
  for (let i = 0; i < MAX_LENGTH_BYTES; i++) {
    const part = byte()
    value += (part & 0x7f) * 2 ** (7 * i)
    if (part < 0x80) return value
  }
  throw new RangeError('the length of a Snappy block is malformed')
}
