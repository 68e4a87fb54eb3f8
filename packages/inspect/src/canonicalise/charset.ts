/** How the bytes of a text are to be read where ASCII does not stand for itself, and from which byte on. */
export interface Charset {
  readonly name: 'utf-16le' | 'utf-16be' | 'utf-32le' | 'utf-32be' | 'ebcdic'
  /** What stands before is ASCII. */
  readonly from: number
}

/** Characters at the start that tell a wide encoding: parsers look at no more (RFC 4627 section 3). */
const UNITS = 2
/** Characters in which the declaration of an XML document ends. */
const DECLARATION = 200
/** `<?xm` in code page 37. */
const EBCDIC = 0x4c6fa794
const DECLARED_WIDE = /^<\?xml[^>]{0,160}?encoding\s{0,4}=\s{0,4}["'](?:utf-?16|utf-?32|ucs-?[24]|iso-10646)/i

/**
 * The charset of a text whose bytes do not stand for ASCII: by its mark, by the charset of the content type,
 * or, as parsers of XML tell it (XML 1.0 appendix F), by the zeros between its first characters. Undefined
 * for UTF-8, everything like it, and bytes that are not text.
 */
export function charsetOf(bytes: Uint8Array, contentType: string): Charset | undefined {
  // By index: an iterator over bytes takes longer than all that follows.
  const a = bytes[0]
  const b = bytes[1]
  const c = bytes[2]
  const d = bytes[3]
  if (a === 0xff && b === 0xfe) return whole(c === 0 && d === 0 ? 'utf-32le' : 'utf-16le')
  if (a === 0xfe && b === 0xff) return whole('utf-16be')
  if (a === 0 && b === 0 && c === 0xfe && d === 0xff) return whole('utf-32be')
  const named = namedCharset(contentType, a === 0)
  if (named !== undefined) return named
  // Most bodies end here: their second byte is not a zero, and they declare nothing.
  if (a === 0 || b === 0) return zerosOf(bytes, 0)
  if (a === 0x4c && bytes.length >= 4 && viewOf(bytes).getUint32(0) === EBCDIC) return whole('ebcdic')
  return a === 0x3c && b === 0x3f ? charsetBehindDeclaration(bytes) : undefined
}

/** The text of bytes in a charset. */
export function decodeCharset(bytes: Uint8Array, { name, from }: Charset): string {
  const start = Buffer.from(bytes.buffer, bytes.byteOffset, from).toString('latin1')
  const rest = bytes.subarray(from)
  if (name === 'ebcdic')
    return start + Buffer.from(rest.map(byte => EBCDIC_TO_ASCII[byte] as number)).toString('latin1')
  if (name === 'utf-16le' || name === 'utf-16be') return start + new TextDecoder(name).decode(rest)
  return start + decodeUtf32(rest, name === 'utf-32le')
}

/** UTF-32. Characters beyond the first plane mean nothing to any parser of syntax, and are not kept. */
function decodeUtf32(bytes: Uint8Array, isLittle: boolean): string {
  const view = viewOf(bytes)
  const units = Buffer.alloc((bytes.length >> 2) * 2)
  let length = 0
  for (let at = 0; at + 4 <= bytes.length; at += 4) {
    const code = view.getUint32(at, isLittle)
    if (code !== 0xfeff) length = units.writeUInt16LE(code <= 0xffff ? code : 0xfffd, length)
  }
  return units.toString('utf16le', 0, length)
}

/** The form of UTF-16 that a content type names. */
function namedCharset(contentType: string, beginsWithZero: boolean): Charset | undefined {
  if (contentType.length <= 16) return undefined
  const named = /charset\s{0,4}=\s{0,4}"?(utf-16(?:le|be)?)\b/i.exec(contentType)?.[1]
  if (named === undefined) return undefined
  return whole(beginsWithZero || named.toLowerCase() === 'utf-16be' ? 'utf-16be' : 'utf-16le')
}

function whole(name: Charset['name']): Charset {
  return { name, from: 0 }
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
}

/** The charset in which `UNITS` characters of ASCII begin at `from`, the first of which opens a document. */
function zerosOf(bytes: Uint8Array, from: number): Charset | undefined {
  for (const { name, width, place } of WIDE) {
    if (bytes.length < from + UNITS * width) continue
    let units = 0
    while (units < UNITS && isAscii(bytes, from + units * width, width, place)) units++
    const first = bytes.subarray(from).find(byte => byte > 32)
    if (units === UNITS && first !== undefined && OPENING.has(first)) return { name, from }
  }
  return undefined
}

/** `<`, `{`, `[` and `"`. */
const OPENING: ReadonlySet<number> = new Set([0x3c, 0x7b, 0x5b, 0x22])

const WIDE: readonly { readonly name: Charset['name']; readonly width: number; readonly place: number }[] = [
  { name: 'utf-32le', width: 4, place: 0 },
  { name: 'utf-32be', width: 4, place: 3 },
  { name: 'utf-16le', width: 2, place: 0 },
  { name: 'utf-16be', width: 2, place: 1 },
]

/** Whether a unit holds one character of ASCII, at a place, and zeros. */
function isAscii(bytes: Uint8Array, at: number, width: number, place: number): boolean {
  for (let i = 0; i < width; i++) {
    const byte = bytes[at + i] as number
    if (i === place ? byte < 9 || byte > 126 : byte !== 0) return false
  }
  return true
}

/** A document that goes on, behind a declaration in ASCII, in the wide encoding that it declared. */
function charsetBehindDeclaration(bytes: Uint8Array): Charset | undefined {
  const start = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, DECLARATION))
  const head = start.toString('latin1')
  if (!DECLARED_WIDE.test(head)) return undefined
  const end = head.indexOf('?>')
  return end < 0 ? undefined : zerosOf(bytes, end + 2)
}

const EBCDIC_TO_ASCII: Uint8Array = ebcdic()

/** Code page 37, as far as it stands for ASCII. */
function ebcdic(): Uint8Array {
  const table = new Uint8Array(256).fill(0x20)
  const put = (from: number, letters: string): void => {
    for (let i = 0; i < letters.length; i++) table[from + i] = letters.charCodeAt(i)
  }
  put(0x81, 'abcdefghi')
  put(0x91, 'jklmnopqr')
  put(0xa2, 'stuvwxyz')
  put(0xc1, 'ABCDEFGHI')
  put(0xd1, 'JKLMNOPQR')
  put(0xe2, 'STUVWXYZ')
  put(0xf0, '0123456789')
  put(0x4b, '.<(+|&')
  put(0x5a, '!$*);')
  put(0x60, '-/')
  put(0x6b, ',%_>?')
  put(0x79, '`:#@\'="')
  put(0xba, '[]')
  return table
}
