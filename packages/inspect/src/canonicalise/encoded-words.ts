import { decodeBytes } from './text.ts'

const WORD = /=\?[^?\s]{1,40}\?([bq])\?([^?\s]{0,1024})\?=/gi

/** Undoes the encoded words of mail headers (RFC 2047), which Tomcat and others read in names of files. */
export function decodeWords(text: string): string {
  if (!text.includes('=?')) return text
  return text.replace(WORD, (_, encoding: string, coded: string) =>
    decodeBytes(/b/i.test(encoding) ? Buffer.from(coded, 'base64') : quoted(coded)),
  )
}

function quoted(coded: string): Buffer {
  const bytes = coded
    .replaceAll('_', ' ')
    .replace(/=([\da-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
  return Buffer.from(bytes, 'latin1')
}
