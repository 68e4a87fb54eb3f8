import { hexDigit } from './url.ts'

// Held, not looked up: see CONTRIBUTING.md.
const { charCodeAt } = String.prototype

/**
 * Undoes `\uXXXX`, `\u{X}`, `\xXX` and `\/` once, as JavaScript, JSON and most template languages read
 * them. Linear, never throws.
 */
export function decodeEscapes(text: string): string {
  let out = ''
  let from = 0
  let at = text.indexOf('\\')
  while (at >= 0 && at + 1 < text.length) {
    const end = escapeAt(text, at + 1)
    if (end > 0) {
      out += text.slice(from, at) + found
      from = end
      at = text.indexOf('\\', end)
    } else at = text.indexOf('\\', at + 2)
  }
  return from === 0 ? text : out + text.slice(from)
}

let found = ''

function escapeAt(text: string, at: number): number {
  const letter = charCodeAt.call(text, at) | 32
  if (letter === 120) return hexadecimal(text, at + 1, 2)
  if (letter === 117) {
    if (charCodeAt.call(text, at + 1) !== 123) return hexadecimal(text, at + 1, 4)
    const close = text.indexOf('}', at + 2)
    if (close < 0 || close - at > 8) return -1
    return hexadecimal(text, at + 2, close - at - 2) > 0 ? close + 1 : -1
  }
  if (charCodeAt.call(text, at) === 47) {
    found = '/'
    return at + 1
  }
  return -1
}

function hexadecimal(text: string, start: number, digits: number): number {
  if (digits === 0) return -1
  let value = 0
  for (let i = 0; i < digits; i++) {
    const digit = hexDigit(charCodeAt.call(text, start + i))
    if (digit < 0) return -1
    value = value * 16 + digit
  }
  if (value > 0x10ffff) return -1
  found = String.fromCodePoint(value)
  return start + digits
}
