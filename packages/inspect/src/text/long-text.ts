import { decodeBase64File, decodeBase64Value, LONGEST_LOOSE } from '../canonicalise/base64.ts'
import { type CodedText, edgesOfCoded } from '../canonicalise/coded-text.ts'
import { PART, type Pausing } from '../canonicalise/in-parts.ts'
import { isBody, type Place } from '../value/reading.ts'
import type { Steps } from '../value/steps.ts'
import { edgesOf, fileStart, isCoded, isTokenPlace, PHP, readableToken } from './readable-text.ts'
import { beginsLikeToken } from './token-text.ts'

/** Of longer texts `readLongText` finds out in steps what is to be read. */
export const LONGEST_AT_ONCE: number = LONGEST_LOOSE
/** The first line of a file in base64 (MIME sets 76 characters on a line, PEM 64). */
const FIRST_LINE = /^[A-Za-z0-9+/]{60,1024}(\r?\n)/
/** What looking at each character of a text costs, in characters that are decoded: one of so many. */
const LOOKED_AT = 5

/** As `readableText`, of a text longer than `LONGEST_AT_ONCE`: files in base64 have their line ends cut. */
export function* readLongText(text: string, place: Place, driver: Pausing): Steps<string | undefined> {
  if (isTokenPlace(place) && beginsLikeToken(text)) return readableToken(text)
  const isAddress = isBody(place) && text.startsWith('data:')
  const start = isAddress ? fileStart(text) : 0
  if (isAddress && start === 0) return text
  const coded = isAddress ? text.slice(start) : isBody(place) ? yield* unwrapped(text, driver) : text
  if (!isCoded(coded, text, place)) return text
  driver.work(coded.length >> LOOKED_AT)
  if (driver.isPaused) yield
  const decoded =
    coded.length > LONGEST_LOOSE ? yield* decodeBase64File(coded, driver) : decodeBase64Value(coded)
  if (driver.isPaused) yield
  if (isAddress && (typeof decoded === 'string' ? decoded : decoded?.bytes)?.includes(PHP) === true)
    return text
  return partRead(decoded, place)
}

/** What is read of what a value was decoded to: of a file in a body its start and its end. */
function partRead(decoded: CodedText | string | undefined, place: Place): string | undefined {
  if (decoded === undefined) return undefined
  if (typeof decoded === 'string') return isBody(place) ? edgesOf(decoded) : decoded
  return isBody(place) ? edgesOfCoded(decoded) : decoded.bytes.toString(decoded.encoding)
}

/** A file in base64 without its line ends, where all lines are as long as the first; else as it is. */
function* unwrapped(text: string, driver: Pausing): Steps<string> {
  const first = FIRST_LINE.exec(text)
  const lineEnd = first?.[1]
  if (first === null || lineEnd === undefined) return text
  const end = text.endsWith(lineEnd) ? text.length - lineEnd.length : text.length
  const line = first[0].length
  const lines = Math.ceil(PART / line) * line
  let joined = ''
  for (let at = 0; at < end; at += lines) {
    const part = joinedLines(text.slice(at, Math.min(at + lines, end)), line, lineEnd)
    if (part === undefined) return text
    joined += part
    driver.work(part.length >> LOOKED_AT)
    if (driver.isPaused) yield
  }
  return joined
}

/** Lines as one; undefined where a line end is missing, or stands anywhere else. */
function joinedLines(text: string, line: number, lineEnd: string): string | undefined {
  let breaks = 0
  for (let at = line - lineEnd.length; at < text.length; at += line) {
    if (!text.startsWith(lineEnd, at)) return undefined
    breaks++
  }
  const joined = text.replaceAll(lineEnd, '')
  return joined.length === text.length - breaks * lineEnd.length ? joined : undefined
}
