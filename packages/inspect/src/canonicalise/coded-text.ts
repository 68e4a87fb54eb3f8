import { isAscii, isUtf8 } from 'node:buffer'
import type { Steps } from '../value/steps.ts'
import { THRESHOLDS } from '../value/thresholds.ts'
import type { Pausing } from './in-parts.ts'
import { ControlBytes } from './text-runs.ts'

/** Characters that are decoded at a time: groups of four, each of which stands for three bytes. */
const PART = 131_072
const PADDING = /={1,2}$/
/** Bytes of the longest character (RFC 3629). */
const CHARACTER = 4

/** The text that the base64 of a file stands for. */
export interface CodedText {
  readonly bytes: Buffer
  readonly encoding: 'utf8' | 'latin1'
}

/**
 * The text that the base64 of a file stands for, decoded in parts.
 * @param coded in the alphabets of base64 alone, with padding at its end or none
 * @returns undefined where its bytes stand for something else
 */
export function* textOfCoded(coded: string, driver: Pausing): Steps<CodedText | undefined> {
  const digits = coded.length - (PADDING.exec(coded.slice(-2))?.[0].length ?? 0)
  const bytes = Buffer.allocUnsafe((digits * 3) >> 2)
  const controls = new ControlBytes(bytes.length)
  let length = 0
  for (let at = 0; at < digits; at += PART) {
    const from = length
    length += bytes.write(coded.slice(at, Math.min(at + PART, digits)), length, 'base64')
    if (!controls.read(bytes, from, length)) return undefined
    driver.work((length - from) >> 5)
    if (driver.isPaused) yield
  }
  return { bytes, encoding: controls.areFew && !isAscii(bytes) && isUtf8(bytes) ? 'utf8' : 'latin1' }
}

/** The start and the end of a text. A string of all of it would take a part of a slice. */
export function edgesOfCoded({ bytes, encoding }: CodedText): string {
  const { window, file } = THRESHOLDS
  const text = bytes.length <= file * CHARACTER ? bytes.toString(encoding) : undefined
  if (text !== undefined)
    return text.length <= file ? text : `${text.slice(0, window)}\n${text.slice(-window)}`
  const start = bytes.toString(encoding, 0, window * CHARACTER)
  return `${start.slice(0, window)}\n${bytes.toString(encoding, bytes.length - window * CHARACTER).slice(-window)}`
}
