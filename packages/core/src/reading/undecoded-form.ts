import type { Exchange } from '../exchange/exchange.ts'

/** A pair that some application may have a name for, up to the next one. */
const PAIR = /(?:^|&)[\w.[\]%:$+; -]{1,64}(?:\0[^&=]{0,64})?=[^&]*/g

/**
 * The form in the body of an exchange as it was sent under a content coding, as text of one byte a character.
 * Most backends do not undo codings, and find a form in whatever bytes they get; a coding has room for a text
 * that decoding drops (the file name of gzip, a skippable frame of Zstandard), and its own bytes can be made
 * to spell one. Undefined for a body without a coding.
 */
export async function undecodedForm(
  exchange: Exchange,
  kind: 'form' | 'multipart',
): Promise<string | undefined> {
  if (!exchange.hasBody || !isCoded(exchange.header('content-encoding'))) return undefined
  const { bytes } = await exchange.readBody()
  return kind === 'form' ? pairsIn(bytes) : latin1(bytes)
}

/** Whether `Content-Encoding` names a coding that changes the bytes. */
export function isCoded(contentEncoding: string | undefined): boolean {
  return contentEncoding?.split(',').some(coding => !/^\s*(?:identity\s*)?$/i.test(coding)) ?? false
}

/**
 * The pairs of a form among other bytes: those with a name of letters, digits, spaces and `.-_[]%:$+;`, which
 * PHP cuts at a zero byte.
 */
export function pairsIn(bytes: Uint8Array): string {
  const pairs = latin1(bytes).match(PAIR) ?? []
  return pairs.join('').replace(/^&/, '')
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')
}
