const utf8 = new TextDecoder('utf-8')

/** Bytes as text: UTF-8, or Latin-1 when they are none, so that no byte is lost to a replacement character. */
export function decodeBytes(bytes: Uint8Array): string {
  const text = utf8.decode(bytes)
  return text.includes('\ufffd')
    ? Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1')
    : text
}

/** As `decodeBytes`, in the charset a content type names where that changes what ASCII means. */
export function decodeText(bytes: Uint8Array, contentType: string): string {
  const charset = /charset\s{0,4}=\s{0,4}"?([\w-]{1,24})/i.exec(contentType)?.[1]?.toLowerCase()
  if (charset === 'utf-16' || charset === 'utf-16le' || charset === 'utf-16be')
    return new TextDecoder(charset).decode(bytes)
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return new TextDecoder('utf-16le').decode(bytes)
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return new TextDecoder('utf-16be').decode(bytes)
  return decodeBytes(bytes)
}

/** Whether the start of a body is no text: it has a NUL or many control bytes. */
export function isBinary(bytes: Uint8Array): boolean {
  const head = bytes.subarray(0, 512)
  let controls = 0
  for (const byte of head) {
    if (byte === 0) return true
    if (byte < 32 && byte !== 9 && byte !== 10 && byte !== 13) controls++
  }
  return controls * 10 > head.length
}
