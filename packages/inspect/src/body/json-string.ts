import { PART } from '../canonicalise/in-parts.ts'
import { CharacterCodes, MOST_COPIED } from '../value/character-codes.ts'
import { scanCodes } from '../value/features.ts'
import type { TextPart } from '../value/value-visitor.ts'

// Held, not looked up: see CONTRIBUTING.md.
const { charCodeAt } = String.prototype

const QUOTE = 34
const BACKSLASH = 92
const LETTER_U = 117

/** Shared by all walks: each looks whether what it copied is still there. */
const copied = new CharacterCodes()

/** A string of a JSON text: where it stands, and its characters. One object for the whole walk. */
export class JsonString implements TextPart {
  start = 0
  end = 0
  /** Whether it holds no escapes, and is short enough to be scanned at once. */
  isPlain = false
  readonly #text: string
  #codes: Uint16Array | undefined
  /** Which copy of the text the codes are of, and where in the text it starts and ends. */
  #copy = 0
  #from = 0
  #to = 0

  constructor(text: string) {
    this.#text = text
  }

  /** Whether it is to be decoded in parts. */
  get isLong(): boolean {
    return this.end - this.start > PART
  }

  /** Goes to the string behind a quote: up to the next that is not escaped, or the end of the text. */
  open(start: number): void {
    this.start = start
    if (this.#isCopied(start) && this.#read(start)) return
    this.#load(start)
    if (this.#read(start)) return
    this.end = stringEnd(this.#text, start)
    this.isPlain = false
  }

  scan(): void {
    if (!this.#isCopied(this.start)) this.#load(this.start)
    scanCodes(this.#codes as Uint16Array, this.start - this.#from, this.end - this.#from)
  }

  toString(): string {
    return this.cut(this.start, this.end)
  }

  /** Another part of the same text. */
  cut(start: number, end: number): string {
    return this.#text.slice(start, end)
  }

  #isCopied(at: number): boolean {
    return this.#copy === copied.copies && at >= this.#from && at < this.#to
  }

  #load(from: number): void {
    this.#from = from
    this.#to = Math.min(this.#text.length, from + MOST_COPIED)
    this.#codes = copied.copy(this.#text, from, this.#to)
    this.#copy = copied.copies
  }

  /** Looks for the end of the string in what was copied. @returns whether it is there */
  #read(start: number): boolean {
    const codes = this.#codes as Uint16Array
    const end = this.#to - this.#from
    let isPlain = true
    let at = start - this.#from
    for (; at < end; at++) {
      const code = codes[at]
      if (code === QUOTE) break
      if (code !== BACKSLASH) continue
      isPlain = false
      at++
    }
    if (at >= end && this.#to < this.#text.length) return false
    this.end = this.#from + Math.min(at, end)
    this.isPlain = isPlain
    return true
  }
}

function stringEnd(text: string, from: number): number {
  let end = text.indexOf('"', from)
  while (end > 0 && charCodeAt.call(text, end - 1) === BACKSLASH) {
    let slashes = 1
    while (charCodeAt.call(text, end - 1 - slashes) === BACKSLASH && end - 1 - slashes >= from) slashes++
    if (slashes % 2 === 0) break
    end = text.indexOf('"', end + 1)
  }
  return end < 0 ? text.length : end
}

/** Undoes the escapes of a JSON or GraphQL string; what is not such a string is undone as far as it goes. */
export function unescapeJson(raw: string): string {
  if (!raw.includes('\\')) return raw
  return (raw.length > MOST_JOINED ? parsed(raw) : unescaped(raw)) ?? undoneLeniently(raw)
}

/** Longer strings are for the parser: a text put together of many pieces has to be read together again. */
const MOST_JOINED = 1_024

/** Escapes of one letter, by its code (RFC 8259 section 7). */
const ESCAPES: ReadonlyMap<number, string> = new Map(
  Object.entries({ '"': '"', '\\': '\\', '/': '/', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' }).map(
    ([letter, plain]) => [charCodeAt.call(letter, 0), plain],
  ),
)
const HEXADECIMAL = /^[\da-f]{4}$/i

/**
 * What the parser makes of a string, its control characters as spaces; undefined where it would refuse it. An
 * exception of the parser takes longer than a hundred short strings.
 */
function unescaped(raw: string): string | undefined {
  let value = ''
  let from = 0
  // Quotes stand in the block strings of GraphQL, which know few escapes.
  let hasQuote = false
  let isPlain = true
  for (let at = 0; at < raw.length; at++) {
    const code = charCodeAt.call(raw, at)
    if (code === QUOTE) hasQuote = true
    else if (code < 32) {
      isPlain = false
      value += `${raw.slice(from, at)} `
      from = at + 1
    } else if (code === BACKSLASH) {
      const character = escaped(raw, at + 1)
      if (character === undefined) return undefined
      value += raw.slice(from, at) + character
      const isCode = charCodeAt.call(raw, at + 1) === LETTER_U
      if (isCode) isPlain = false
      at += isCode ? 5 : 1
      from = at + 1
    }
  }
  return hasQuote && !isPlain ? undefined : value + raw.slice(from)
}

/** What an escape stands for, from behind its backslash. */
function escaped(raw: string, at: number): string | undefined {
  const letter = charCodeAt.call(raw, at)
  if (letter !== LETTER_U) return ESCAPES.get(letter)
  const digits = raw.slice(at + 1, at + 5)
  return HEXADECIMAL.test(digits) ? String.fromCharCode(Number.parseInt(digits, 16)) : undefined
}

/** As `unescaped`, for long strings. */
function parsed(raw: string): string | undefined {
  try {
    const value: unknown = JSON.parse(`"${raw.replace(/[\u0000-\u001f]/g, ' ')}"`)
    return typeof value === 'string' ? value : undefined
  } catch {
    return undefined
  }
}

function undoneLeniently(raw: string): string {
  return raw.replace(/\\n/g, '\n').replace(/\\(["\\/])/g, '$1')
}

/** A backslash that begins none of the escapes of RFC 8259 section 7, behind those that do. */
const ODD_ESCAPE = /(?<!\\)(?:\\\\)*\\(?!["\\/bfnrtu]|$)/
/** As lenient parsers read them: any letter stands for itself (`json` of Ruby), or for a code (fastjson). */
const LENIENT_ESCAPE = /\\(?:u([\da-fA-F]{4})|x([\da-fA-F]{2})|([\s\S]))/g

/** Whether parsers that do not refuse a string may read more in it than `unescapeJson` does. */
export function hasOddEscape(raw: string): boolean {
  return raw.includes('\\') && ODD_ESCAPE.test(raw)
}

/** Undoes the escapes of a string as parsers do that take any letter behind a backslash. */
export function unescapeOddly(raw: string): string {
  return raw.replace(LENIENT_ESCAPE, (_, long?: string, short?: string, letter?: string) => {
    // JSON5 and YAML go on in the next line.
    if (letter === '\n') return ''
    if (letter !== undefined) return ESCAPES.get(charCodeAt.call(letter, 0)) ?? letter
    return String.fromCharCode(Number.parseInt(long ?? short ?? '', 16))
  })
}
