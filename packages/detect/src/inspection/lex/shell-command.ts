import type { Reading } from '../reading.ts'
import type { Span } from '../rule.ts'
import { isEnglishCommand, isShellCommand, isWrapperCommand } from './shell-words.ts'

const MAX_WORD = 64

/** How a place in a text where a command could start was reached. */
type Opening = 'start' | 'separator' | 'substitution' | 'line'

/**
 * What behind a command makes it one: a switch, a path, a URL, a variable, a quote, an address, a redirection, or nothing more.
 */
const ARGUMENT =
  /^\s{0,8}(?:-{1,2}[a-z]|\/[a-z?*]|\.{0,2}\/|~|\$|https?:|["'`\\]|\d{1,3}\.\d|[;|&><`)#]|[a-z]:\\|%[a-z]|[\w.-]{1,64}(?:\.[a-z]{2,5}\b|\/)|$)/
const SOLID =
  /^\s{0,8}(?:-{1,2}[a-z]|\/[a-z?*]|\.{0,2}\/|~\/|\$|https?:|\d{1,3}\.\d|[<>]|[a-z]:\\|[\w.-]{1,64}\/|[\w.-]{1,64}\.[a-z]{2,5}\b)/
const SENSITIVE =
  /\/etc\/|\/bin\/|\/dev\/(?:tcp|udp)|passwd|sleep\s{1,4}\d|net\s{1,4}(?:user|localgroup|share|view|use)\b|\/proc\/|\/tmp\/|https?:\/\/|\|\s{0,4}(?:ba|z|k|da)?sh\b|\$ifs|burpcollaborator|interact\.sh|oast\./

/**
 * Where a value would start a command of its own: behind a separator, a line end or inside a substitution, undoing what shells drop from a word (quotes, backslashes, empty
 * variables, carets). A command that is also an English word needs an argument that only a shell takes; a separator deep inside a sentence counts less than one behind a single word.
 */
export function findShellCommand(reading: Reading): Span | undefined {
  const { lower } = reading
  let best: Span | undefined
  if (reading.fromStart) best = commandAt(lower, 0, 'start', 0)
  let backticks = 0
  // Where a run of separators (`&&`, `;;`) begins: what stands before it is what the command is separated from.
  let run = -1
  for (let at = 0; at < lower.length; at++) {
    const opening = openingAt(lower, at)
    if (opening === undefined) continue
    if (opening === 'separator' && openingAt(lower, at + 1) === 'separator') {
      if (run < 0) run = at
      continue
    }
    const separator = run < 0 ? at : run
    run = -1
    // Every second backtick closes what the one before opened.
    if (lower.charCodeAt(at) === 96 && (isFence(lower, at) || ++backticks % 2 === 0)) continue
    // `$(MAKE)` is a variable of make.
    if (opening === 'substitution' && /^\$\([A-Z_]{2,24}\)/.test(reading.text.slice(at, at + 28))) continue
    const skip = opening === 'substitution' && lower.charCodeAt(at) !== 96 ? 2 : 1
    const found = commandAt(lower, at + skip, opening, separator)
    if (found !== undefined && (best === undefined || (found.score ?? 0) > (best.score ?? 0))) best = found
    if (best !== undefined && (best.score ?? 0) >= 6) break
  }
  return best
}

/** Three backticks fence a block in Markdown; no shell has a use for them. */
function isFence(lower: string, at: number): boolean {
  return (
    lower.startsWith('```', at) ||
    (lower.startsWith('``', at - 1) && lower.startsWith('```', at - 1)) ||
    lower.startsWith('```', at - 2)
  )
}

function openingAt(lower: string, at: number): Opening | undefined {
  switch (lower.charCodeAt(at)) {
    case 59: // ;
    case 124: // |
    case 38: // &
      return 'separator'
    case 10:
    case 13:
      return 'line'
    case 96: // `
      return 'substitution'
    case 36: // $(
    case 60: // <(
    case 62: // >(
      return lower.charCodeAt(at + 1) === 40 ? 'substitution' : undefined
    default:
      return undefined
  }
}

let wordEnd = 0
let dropped = false

/** Reads one word as a shell would, leaving out what a shell drops; stops at white space, separators and `$IFS`. */
function readWord(lower: string, start: number): string {
  let word = ''
  let at = start
  dropped = false
  const limit = Math.min(lower.length, start + MAX_WORD)
  while (at < limit) {
    const code = lower.charCodeAt(at)
    if (code === 39 || code === 34 || code === 92 || code === 94) {
      if (word !== '' && /\w/.test(lower[at + 1] ?? ' ')) dropped = true
      else if (code === 92) dropped = true
      at++
      continue
    }
    if (code === 36) {
      const variable = /^\$(?:\{[\w@*#:^~!,/]{0,16}\}|[@*!#?]|[a-z_]\w{0,8}|\d)/.exec(
        lower.slice(at, at + 24),
      )
      if (variable === null || variable[0].includes('ifs')) break
      at += variable[0].length
      dropped = true
      continue
    }
    if (
      code <= 32 ||
      code === 59 ||
      code === 124 ||
      code === 38 ||
      code === 60 ||
      code === 62 ||
      code === 40 ||
      code === 41 ||
      code === 96 ||
      code === 44 ||
      code === 125
    )
      break
    word += lower[at]
    at++
  }
  wordEnd = at
  return word
}

function commandAt(lower: string, from: number, opening: Opening, separator: number): Span | undefined {
  let at = from
  while (
    at < lower.length &&
    (lower.charCodeAt(at) <= 32 || '({!@&|,'.includes(lower[at] as string)) &&
    at - from < 16
  )
    at++
  let word = readWord(lower, at)
  if (word === '' && dropped) word = readWord(lower, skipSpace(lower, wordEnd))
  let wrapped = false
  for (let n = 0; n < 3 && (isWrapperCommand(word) || /^\w{1,16}=[^\s]{0,32}$/.test(word)); n++) {
    let next = wordEnd
    while (lower.charCodeAt(next) <= 32 || lower.charCodeAt(next) === 59) next++
    const inner = readWord(lower, next)
    if (inner === '') break
    wrapped = isWrapperCommand(word) || wrapped
    word = inner
  }
  if (word === '' || word.length > 48) return undefined
  const path = word.lastIndexOf('/')
  const rooted = path >= 0 && (/^(?:\.{0,2}|~)\//.test(word) || word.startsWith('bin/'))
  if (path >= 0 && !rooted) return undefined
  const command = (path >= 0 ? word.slice(path + 1) : word).replace(/\.exe$/, '')
  const inBin = path >= 0 && /(?:^|\/)(?:s?bin|local)\/$/.test(word.slice(0, path + 1))
  if (/^\/[\w?*[\]-]{1,12}\/[\w?*[\]/-]{1,24}$/.test(word) && /[?*[]/.test(word) && opening !== 'line') {
    return { start: separator, end: wordEnd, score: 6, id: 'rce/glob' }
  }
  const known = isShellCommand(command)
  const english = isEnglishCommand(command)
  if (!known && !english) return undefined
  const rest = lower.slice(wordEnd, wordEnd + 96)
  const argument =
    ARGUMENT.test(rest) || (opening === 'substitution' && /^\s{0,4}[\w.-]{0,24}[)`]/.test(rest))
  const score = rate(opening, {
    english,
    argument,
    certain: (dropped && word.length > 1 && wordHasLetters(command)) || inBin,
    sensitive: SENSITIVE.test(lower.slice(separator, wordEnd + 160)),
    isolated: isIsolated(lower, separator),
    wrapped,
    bare: /^[\s;|&]{0,4}$/.test(rest),
    rest,
    hyphenated: command.includes('-') && from === 0,
    alone: /^[\s;|&]{0,4}$/.test(rest) && lower.slice(0, separator).trim() === '',
    markdown: lower.charCodeAt(separator) === 96 && isMarkdown(lower, separator),
    solid: SOLID.test(rest),
    flagged: /^\s{1,8}-{1,2}[a-z]/.test(rest),
  })
  return score <= 0
    ? undefined
    : { start: separator, end: Math.min(lower.length, wordEnd + 40), score, id: 'rce/command' }
}

function skipSpace(lower: string, from: number): number {
  let at = from
  while (lower.charCodeAt(at) <= 32) at++
  return at
}

function wordHasLetters(command: string): boolean {
  return command.length >= 2
}

interface Signs {
  readonly english: boolean
  readonly argument: boolean
  readonly certain: boolean
  readonly sensitive: boolean
  readonly isolated: boolean
  readonly wrapped: boolean
  readonly bare: boolean
  /** A command like `ansible-doc`, which no sentence starts with. */
  readonly rest: string
  readonly hyphenated: boolean
  /** The value is the separator and the command. */
  readonly alone: boolean
  readonly flagged: boolean
  /** The argument is a switch, a path, a URL, a variable or an address. */
  readonly solid: boolean
  /** Between backticks with a sentence around them. */
  readonly markdown: boolean
}

function rate(opening: Opening, signs: Signs): number {
  const { english, argument, certain, sensitive, isolated } = signs
  switch (opening) {
    case 'start':
      if (certain) return signs.bare || argument ? 5 : 3
      if (signs.hyphenated) return 5
      if (signs.wrapped && !english && (signs.bare || argument)) return 5
      if (signs.flagged && (sensitive || /\s\d{1,3}(?:\.\d{1,3}){3}\b/.test(signs.rest))) return 5
      return argument && sensitive ? (english ? 4 : 5) : signs.flagged && !english ? 4 : 0
    case 'line':
      if (!isolated) return certain && argument ? 4 : 2
      return argument && (!english || sensitive) ? 5 : 2
    case 'substitution':
      if (signs.markdown) return sensitive && argument ? 4 : 2
      if (certain || !english) return argument ? 6 : 3
      return argument ? 5 : 2
    default:
      if (certain) return isolated || argument ? 6 : 4
      if (signs.alone) return 5
      if (english && !signs.solid) return sensitive && isolated ? 5 : 1
      if (!argument) return isolated && /^\s/.test(signs.rest) ? 5 : 3
      if (isolated) return 6
      return sensitive ? 5 : english ? 3 : 4
  }
}

/** Whether the backtick at `open` sets a word in another face, as Markdown does: there are words, a list or a table around the pair. */
function isMarkdown(lower: string, open: number): boolean {
  const close = lower.indexOf('`', open + 1)
  const before = lower.slice(Math.max(0, open - 60), open)
  const behind = close < 0 ? '' : lower.slice(close + 1, close + 60)
  return (
    /\s/.test(before.trim()) ||
    /[\w*>)|[-]\s{1,3}$/.test(before) ||
    /^[^`]{0,4}\s{1,3}[a-z(`|/]/.test(behind) ||
    /[[\]|]/.test(before + behind)
  )
}

/** Whether what stands before the separator is one argument rather than a sentence. */
function isIsolated(lower: string, separator: number): boolean {
  const before = lower.slice(Math.max(0, separator - 200), separator).trim()
  if (!/\s/.test(before)) return true
  return /["'`)\]}]$/.test(before) && before.split(/\s/, 5).length < 4
}
