// Held, not looked up: see CONTRIBUTING.md.
const { charCodeAt } = String.prototype

/** Characters of a word, those included that a shell drops. */
export const MAX_WORD = 48
/** Of how many parts and dropped signs a word is put together. */
const MAX_PARTS = 24

/** What `readWord` saw besides the word. */
export interface WordRead {
  /** Where it ends in the text. */
  end: number
  /** Whether a shell drops something of it. */
  hasDropped: boolean
}

/** Of the last word: read it before the next one. */
export const word: WordRead = { end: 0, hasDropped: false }

/**
 * 1: part of a word as it stands; 2: ends a word; 0: a shell may drop it, or it begins something that it
 * does.
 */
const IN_WORD = new Uint8Array(128).fill(1)
for (let code = 0; code <= 32; code++) IN_WORD[code] = 2
for (const sign of ';|&<>(),}') IN_WORD[charCodeAt.call(sign, 0)] = 2
for (const sign of '\'"\\^`$') IN_WORD[charCodeAt.call(sign, 0)] = 0

/**
 * Reads one word as a shell would, leaving out what a shell drops; stops at white space, separators and
 * `$IFS`.
 */
export function readWord(lower: string, start: number): string {
  const limit = Math.min(lower.length, start + MAX_WORD)
  word.hasDropped = false
  let at = start
  for (; at < limit; at++) {
    const code = charCodeAt.call(lower, at)
    if (code < 128 && IN_WORD[code] !== 1) break
  }
  // A backtick behind a word closes what was opened; one with another behind it is nothing.
  const code = charCodeAt.call(lower, at)
  if (at >= limit || IN_WORD[code] === 2 || (code === 96 && charCodeAt.call(lower, at + 1) !== 96)) {
    word.end = at
    return lower.slice(start, at)
  }
  return readDisguisedWord(lower, start, limit)
}

/** A word with something in it that a shell drops. */
function readDisguisedWord(lower: string, start: number, limit: number): string {
  let text = ''
  let at = start
  for (let parts = 0; at < limit && parts < MAX_PARTS; parts++) {
    const code = charCodeAt.call(lower, at)
    if (code === 39 || code === 34 || code === 92 || code === 94) {
      const next = charCodeAt.call(lower, at + 1)
      const isInside = (next >= 97 && next <= 122) || (next >= 48 && next <= 57)
      if (isInside && (text !== '' || code === 92)) word.hasDropped = true
      at++
      continue
    }
    // An empty substitution in the middle of a word is nothing.
    if (text !== '' && (lower.startsWith('``', at) || lower.startsWith('$()', at))) {
      at += code === 36 ? 3 : 2
      word.hasDropped = true
      continue
    }
    if (code === 36) {
      const variable = /^\$(?:\{[\w@*#:^~!,/]{0,16}\}|[@*!#?]|[a-z_]\w{0,8}|\d)/.exec(
        lower.slice(at, at + 24),
      )
      if (variable === null || variable[0].includes('ifs')) break
      at += variable[0].length
      word.hasDropped = true
      continue
    }
    if (code < 128 && (code === 96 || IN_WORD[code] === 2)) break
    const from = at
    do at++
    while (at < limit && IN_WORD[charCodeAt.call(lower, at)] === 1)
    text += lower.slice(from, at)
  }
  word.end = at
  return text
}
