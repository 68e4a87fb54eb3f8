import { HASH_SEED, hashStep } from '../value/words.ts'
import { LEXER_BOUNDS } from './lexer-bounds.ts'
import { SHELL_NAMES } from './shell-words.ts'

const {
  word: MAX_WORD,
  wordParts: MAX_PARTS,
  bracedVariable: MAX_VARIABLE,
  bareVariable: MAX_NAME,
} = LEXER_BOUNDS.shell

// Held, not looked up: see CONTRIBUTING.md.
const { charCodeAt } = String.prototype

/**
 * 1: part of a word as it stands; 2: ends a word; 0: a shell may drop it, or it begins something that it
 * does; 3: part of a word that says where a program lies or gives a variable its value.
 */
const IN_WORD = new Uint8Array(128).fill(1)
for (let code = 0; code <= 32; code++) IN_WORD[code] = 2
for (const sign of ';|&<>(),}') IN_WORD[charCodeAt.call(sign, 0)] = 2
for (const sign of '\'"\\^`$') IN_WORD[charCodeAt.call(sign, 0)] = 0
for (const sign of '/=.') IN_WORD[charCodeAt.call(sign, 0)] = 3

const HYPHEN = 45
/** Variables of one sign. */
const IS_SPECIAL = new Uint8Array(128)
for (const sign of '@*!#?') IS_SPECIAL[charCodeAt.call(sign, 0)] = 1

/** Of variables in braces. */
const IN_VARIABLE = new Uint8Array(128)
for (const sign of 'abcdefghijklmnopqrstuvwxyz0123456789_@*#:^~!,/') IN_VARIABLE[charCodeAt.call(sign, 0)] = 1

const SLOTS = 8_192
/** By its hash, whether a word may be a command. */
const POSSIBLE = new Uint8Array(SLOTS)
for (const name of SHELL_NAMES) {
  let hash = HASH_SEED
  for (let i = 0; i < name.length; i++) hash = hashStep(hash, charCodeAt.call(name, i))
  POSSIBLE[hash & (SLOTS - 1)] = 1
}

/**
 * Reads words as a shell would, leaving out what a shell drops. A text can hold thousands of places where a
 * command could start, and nearly no word there is one: a word becomes a string only when its hash says
 * that it may be, or when it has a path or an assignment in it.
 */
export class ShellWordReader {
  /** Where the last word ends in the text. */
  end = 0
  /** Whether a shell drops something of the last word. */
  hasDropped = false
  /** Parts of disguised words that were read: whoever reads many sets it back. */
  parts = 0
  #hash = 0
  /** Whether the word is looked at whatever its hash says. */
  #isOpen = false
  /** Where the parts of a disguised word begin and end. */
  readonly #places: number[] = []

  /**
   * Reads the word at `start`; stops at white space, separators and `$IFS`.
   * @returns the word, empty where there is none; undefined when it is surely no command
   */
  read(lower: string, start: number): string | undefined {
    const limit = Math.min(lower.length, start + MAX_WORD)
    this.hasDropped = false
    let hash = HASH_SEED
    let isOpen = charCodeAt.call(lower, start) === HYPHEN
    let at = start
    for (; at < limit; at++) {
      const code = charCodeAt.call(lower, at)
      const kind = code < 128 ? (IN_WORD[code] as number) : 1
      if (kind === 3) isOpen = true
      else if (kind !== 1) break
      hash = hashStep(hash, code)
    }
    // A backtick behind a word closes what was opened; one with another behind it is nothing.
    const code = charCodeAt.call(lower, at)
    if (at >= limit || IN_WORD[code] === 2 || (code === 96 && charCodeAt.call(lower, at + 1) !== 96)) {
      this.end = at
      if (at === start) return ''
      return isOpen || POSSIBLE[hash & (SLOTS - 1)] === 1 ? lower.slice(start, at) : undefined
    }
    return this.#readDisguised(lower, start, limit)
  }

  /** A word with something in it that a shell drops. */
  // biome-ignore lint/complexity/noExcessiveCognitiveComplexity: one pass over what a shell drops from a word; a call for each sign costs more than the sign.
  #readDisguised(lower: string, start: number, limit: number): string | undefined {
    this.#hash = HASH_SEED
    this.#isOpen = false
    let length = 0
    let at = start
    const places = this.#places
    places.length = 0
    for (let parts = 0; at < limit && parts < MAX_PARTS; parts++) {
      this.parts++
      const code = charCodeAt.call(lower, at)
      if (code === 39 || code === 34 || code === 92 || code === 94) {
        const next = charCodeAt.call(lower, at + 1)
        const isInside = (next >= 97 && next <= 122) || (next >= 48 && next <= 57)
        if (isInside && (length > 0 || code === 92)) this.hasDropped = true
        at++
        continue
      }
      // An empty substitution in the middle of a word is nothing.
      if (length > 0 && isEmptySubstitution(lower, at, code)) {
        at += code === 36 ? 3 : 2
        this.hasDropped = true
        continue
      }
      if (code === 36) {
        const end = variableEnd(lower, at)
        if (end < 0) break
        at = end
        this.hasDropped = true
        continue
      }
      if (code < 128 && (code === 96 || IN_WORD[code] === 2)) break
      const from = at
      if (length === 0 && code === HYPHEN) this.#isOpen = true
      at = this.#readPart(lower, at, limit)
      length += at - from
      places.push(from, at)
    }
    this.end = at
    if (length === 0) return ''
    if (!this.#isOpen && POSSIBLE[this.#hash & (SLOTS - 1)] !== 1) return undefined
    let text = ''
    for (let i = 0; i < places.length; i += 2) text += lower.slice(places[i], places[i + 1])
    return text
  }

  /** Passes over what of a word stands as it is, one character at least. @returns where it ends */
  #readPart(lower: string, from: number, limit: number): number {
    let at = from
    let hash = this.#hash
    for (;;) {
      const code = charCodeAt.call(lower, at)
      if (IN_WORD[code] === 3) this.#isOpen = true
      hash = hashStep(hash, code)
      at++
      const next = charCodeAt.call(lower, at)
      if (at >= limit || !(next < 128) || (IN_WORD[next] !== 1 && IN_WORD[next] !== 3)) break
    }
    this.#hash = hash
    return at
  }
}

function isEmptySubstitution(lower: string, at: number, code: number): boolean {
  const next = charCodeAt.call(lower, at + 1)
  return code === 96 ? next === 96 : code === 36 && next === 40 && charCodeAt.call(lower, at + 2) === 41
}

/** Where the variable at `at` ends; -1 when there is none, or it is one of those that stand for a space. */
function variableEnd(lower: string, at: number): number {
  const first = charCodeAt.call(lower, at + 1)
  let end = at + 2
  if (first === 123) {
    while (end - at - 2 < MAX_VARIABLE && IN_VARIABLE[charCodeAt.call(lower, end)] === 1) end++
    if (charCodeAt.call(lower, end) !== 125) return -1
    end++
  } else if ((first >= 97 && first <= 122) || first === 95) {
    while (end - at - 2 < MAX_NAME && isNameCode(charCodeAt.call(lower, end))) end++
  } else if (!(first >= 48 && first <= 57) && !(first < 128 && IS_SPECIAL[first] === 1)) return -1
  return lower.slice(at, end).includes('ifs') ? -1 : end
}

function isNameCode(code: number): boolean {
  return (code >= 97 && code <= 122) || (code >= 48 && code <= 57) || code === 95
}
