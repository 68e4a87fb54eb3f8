import { decodeBase64Value, isBase64Value } from '../canonicalise/base64.ts'
import { isSerialisedObject } from '../lex/serialised-object.ts'
import { findUnsignedToken } from '../rules/objects.ts'
import { CHAR, type Features } from '../value/features.ts'
import { isBody, type Place } from '../value/reading.ts'
import { THRESHOLDS } from '../value/thresholds.ts'
import { beginsLikeToken, tokenText } from './token-text.ts'

/** Serialised objects of Java, Python and Ruby, by how their base64 begins. */
const SERIALISED =
  /^(?:rO0AB|KztAAU|Cs7QAF|gA(?:S[VW]|[IJN]j)|BAh[7bJsSov]|AAEAAAD|\/wE[a-zA-Z0-9+/]{0,24}(?:AAEAAAD\/|ABAAAA\/|AQAAAP\/))/

/** A file as browsers hand it to scripts (`readAsDataURL`), unless of a kind that acts where it is shown. */
const FILE_URL =
  /^data:(?!text\/(?:html|xml|(?:java|ecma)script)|image\/svg|application\/(?:xhtml|xml|x-javascript|(?:java|ecma)script))[\w.+-]{1,40}\/[\w.+-]{1,80}(?:;[\w-]{1,24}=[\w.-]{1,80}){0,4};base64,/
/** What PHP runs of an address that it includes. */
export const PHP = '<?'

/** Names with slashes between them. */
const PATH = /^[\w-]*\/[\w/-]*$/

/** Characters that no base64 has. */
const FOREIGN = ~(CHAR.plus | CHAR.slash | CHAR.base64 | CHAR.dashes | CHAR.equals | CHAR.run)

/**
 * What is to be read of a value: of base64, what it stands for, of a file in base64 its start and its end,
 * and of a token what it says.
 * @param scanned what a scan of the text saw, if there was one
 * @returns undefined when there is nothing to read: the base64 of bytes that are not text
 */
export function readableText(text: string, place: Place, scanned: Features | undefined): string | undefined {
  if (isTokenPlace(place) && beginsLikeToken(text)) return readableToken(text)
  if (isBody(place) && text.startsWith('data:')) return fileText(text)
  if (scanned !== undefined && (scanned.chars & FOREIGN) !== 0) return text
  if (!isCoded(text, text, place)) return text
  const decoded = decodeBase64Value(text)
  return decoded === undefined || !isBody(place) ? decoded : edgesOf(decoded)
}

/** What is to be read of what begins like a token. */
export function readableToken(text: string): string {
  return findUnsignedToken(text) === undefined ? (tokenText(text) ?? text) : text
}

/**
 * Whether a text is judged by what its base64 stands for.
 * @param coded the same without what stands before or between the base64
 */
export function isCoded(coded: string, text: string, place: Place): boolean {
  // Names in a path are in the alphabet of base64 too, and whoever asks chooses upper or lower case.
  if (place === 'path' && PATH.test(text)) return false
  return isBase64Value(coded) && !SERIALISED.test(coded) && !isSerialisedObject(coded)
}

/** Where the base64 of a file begins in an address that may hold one; 0: it holds none. */
export function fileStart(address: string): number {
  return FILE_URL.exec(address)?.[0].length ?? 0
}

/** What is to be read of an address that may be a file: the text behind it, nothing, or the address. */
function fileText(text: string): string | undefined {
  const start = fileStart(text)
  const coded = start === 0 ? '' : text.slice(start)
  if (!isBase64Value(coded) || isSerialisedObject(coded)) return text
  const decoded = decodeBase64Value(coded)
  if (decoded === undefined) return undefined
  return decoded.includes(PHP) ? text : edgesOf(decoded)
}

/** The start and the end of a file. */
export function edgesOf(text: string): string {
  if (text.length <= THRESHOLDS.file) return text
  return `${text.slice(0, THRESHOLDS.window)}\n${text.slice(-THRESHOLDS.window)}`
}

/** Whether a value may be a token: files and fields can be called like one, and then the name counts. */
export function isTokenPlace(place: Place): boolean {
  return place !== 'file-name' && place !== 'name' && place !== 'path'
}
