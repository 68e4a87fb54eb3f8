import type { Reading } from '../reading.ts'
import type { Span } from '../rule.ts'
import {
  isAdvisedCommand,
  isEnglishCommand,
  isShellCommand,
  isTellingCommand,
  isWrapperCommand,
  looksAround,
} from './shell-words.ts'

// Held, not looked up: see CONTRIBUTING.md.
const { charCodeAt } = String.prototype

const MAX_WORD = 48
/** Commands that are weighed in one text. One that has more is not read to its end, and inspection says so. */
const MAX_WEIGHED = 384

/** How a place in a text where a command could start was reached. */
type Opening = 'start' | 'separator' | 'substitution' | 'line'

/**
 * What behind a command makes it one: a switch, a path, a URL, a variable, a quote, an address, a redirection, or nothing more.
 */
const ARGUMENT =
  /^\s{0,8}(?:-{1,2}[a-z\d]|\/[a-z?*]|\.{0,2}\/|~|\$|https?:|["'`\\]|\d{1,3}(?:\.\d{1,3}){3}|[;|&><`)#]|[a-z]:\\|%[a-z]|[\w.-]{1,64}(?:\.[a-z]{2,12}\b|\/)|$)/
const SOLID =
  /^\s{0,8}(?:-{1,2}[a-z]|-\d{1,3}\s|\/[a-z?*]|\.{0,2}\/|~\/|\$|https?:|\d{1,3}(?:\.\d{1,3}){3}|[<>]|[a-z]:\\|[\w.-]{1,64}\/|[\w.-]{1,64}\.[a-z]{2,12}\b)/
const SENSITIVE =
  /\/etc\/|\/bin\/|\/dev\/(?:tcp|udp)|passwd|sleep\s{1,4}\d|net\s{1,4}(?:user|localgroup|share|view|use)\b|\/proc\/|\/tmp\/|https?:\/\/|\|\s{0,4}(?:ba|z|k|da)?sh\b|\$ifs|burpcollaborator|interact\.sh|oast\./

/**
 * Where a value would start a command of its own: behind a separator, a line end or inside a substitution, undoing what shells drop from a word (quotes, backslashes, empty
 * variables, carets). A command that is also an English word needs an argument that only a shell takes; a separator deep inside a sentence counts less than one behind a single word.
 */
export function findShellCommand(reading: Reading): Span | undefined {
  const { lower } = reading
  let best: Span | undefined
  weighed = 0
  if (reading.fromStart) best = commandAt(reading, 0, 'start', 0)
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
    if (charCodeAt.call(lower, at) === 96 && (isFence(lower, at) || ++backticks % 2 === 0)) continue
    // `like this' is how people quote: nothing closes it.
    if (charCodeAt.call(lower, at) === 96 && lower.indexOf('`', at + 1) < 0) continue
    // `$(MAKE)` is a variable of make.
    if (opening === 'substitution' && /^\$\([A-Z_]{2,24}\)/.test(reading.text.slice(at, at + 28))) continue
    const skip = opening === 'substitution' && charCodeAt.call(lower, at) !== 96 ? 2 : 1
    const found = commandAt(reading, at + skip, opening, separator)
    if (found !== undefined && (best === undefined || (found.score ?? 0) > (best.score ?? 0))) best = found
    if (best !== undefined && (best.score ?? 0) >= 6) break
    if (weighed > MAX_WEIGHED) return { start: 0, end: 1, score: 10, id: 'bounds/effort' }
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
  switch (charCodeAt.call(lower, at)) {
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
      return charCodeAt.call(lower, at + 1) === 40 ? 'substitution' : undefined
    case 60: // <(
    case 62: // >( behind a space: behind a letter or a quote it is the end of a tag
      return charCodeAt.call(lower, at + 1) === 40 && !/[\w"'/>-]/.test(lower[at - 1] ?? ' ')
        ? 'substitution'
        : undefined
    default:
      return undefined
  }
}

let weighed = 0
let wordEnd = 0
let dropped = false

/** Reads one word as a shell would, leaving out what a shell drops; stops at white space, separators and `$IFS`. */
function readWord(lower: string, start: number): string {
  let word = ''
  let at = start
  dropped = false
  const limit = Math.min(lower.length, start + MAX_WORD)
  while (at < limit) {
    const code = charCodeAt.call(lower, at)
    if (code === 39 || code === 34 || code === 92 || code === 94) {
      const next = lower[at + 1] ?? ' '
      if (/[a-z\d]/.test(next) && (word !== '' || code === 92)) dropped = true
      at++
      continue
    }
    // An empty substitution in the middle of a word is nothing.
    if (word !== '' && (lower.startsWith('``', at) || lower.startsWith('$()', at))) {
      at += code === 36 ? 3 : 2
      dropped = true
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

function commandAt(
  { text, lower, place }: Reading,
  from: number,
  opening: Opening,
  separator: number,
): Span | undefined {
  let at = from
  while (
    at < lower.length &&
    (charCodeAt.call(lower, at) <= 32 || '({!@&|,'.includes(lower[at] as string)) &&
    at - from < 16
  )
    at++
  let word = readWord(lower, at)
  if (word === '' && dropped) word = readWord(lower, skipSpace(lower, wordEnd))
  let wrapped = false
  for (let n = 0; n < 3 && (isWrapperCommand(word) || /^\w{1,16}=[^\s]{0,32}$/.test(word)); n++) {
    const own = wordEnd
    let next = wordEnd
    while (charCodeAt.call(lower, next) <= 32 || charCodeAt.call(lower, next) === 59) next++
    const flags = /^(?:-{1,2}[\w=-]{1,16}\s{1,4}(?:\d{1,4}\s{1,4})?|\d{1,4}\s{1,4}){1,3}/.exec(
      lower.slice(next, next + 64),
    )
    const inner = readWord(lower, next + (flags?.[0].length ?? 0))
    if (inner === '' || inner.startsWith('-')) {
      wordEnd = own
      break
    }
    wrapped = isWrapperCommand(word) || wrapped
    word = inner
  }
  if (word === '' || word.length > 48) return undefined
  const path = word.lastIndexOf('/')
  const rooted = path >= 0 && (/^(?:\.{0,2}|~)\//.test(word) || word.startsWith('bin/'))
  if (path >= 0 && !rooted) return undefined
  const command = (path >= 0 ? word.slice(path + 1) : word).replace(/\.exe$/, '')
  const inBin = path >= 0 && /(?:^|\/)(?:s?bin|local)\/$/.test(word.slice(0, path + 1))
  if (
    /^\/[\w?*[\]-]{1,12}\/[\w?*[\]/-]{1,24}$/.test(word) &&
    /[?*[]/.test(word) &&
    opening !== 'line' &&
    !(place === 'body' && opening === 'substitution')
  ) {
    return { start: separator, end: wordEnd, score: 6, id: 'rce/glob' }
  }
  const isTitle = /^[A-Z][a-z]/.test(text.slice(at, at + 2))
  const english = isEnglishCommand(command) || isTitle
  if (!isShellCommand(command)) return undefined
  weighed++
  const rest = lower.slice(wordEnd, wordEnd + 96)
  const before = lower.slice(Math.max(0, separator - 200), separator).trim()
  const isData = place === 'body'
  const score = rate(opening, {
    english,
    argument: ARGUMENT.test(rest) || (opening === 'substitution' && /^\s{0,4}[\w.-]{0,24}[)`]/.test(rest)),
    certain: (dropped && command.length > 1) || inBin,
    sensitive: SENSITIVE.test(lower.slice(separator, wordEnd + 160)),
    isolated: isIsolated(before) || (opening === 'separator' && isPipeline(before)),
    wrapped,
    advised: isAdvisedCommand(command),
    bare: /^[\s;|&]{0,4}$/.test(rest),
    hyphenated: command.includes('-') && from === 0,
    alone: /^[\s;|&)}]{0,4}$/.test(rest) && before === '',
    probing:
      looksAround(command) &&
      ENDS.test(rest) &&
      (isCutOff(lower, separator, before) || (!isData && isClosed(rest) && !/\s/.test(before))),
    leading: before === '' && isLeading(lower, separator) && /^\s{1,4}[\w<>./-]/.test(rest),
    quoted: isData && charCodeAt.call(lower, separator) === 96,
    spaced: isData && isSpacedAmpersand(lower, separator),
    telling: isTellingCommand(command),
    solid: SOLID.test(rest),
    followed: /^\s/.test(rest),
    flagged: /^\s{1,8}-{1,2}[a-z]/.test(rest),
    addressed: /\s\d{1,3}(?:\.\d{1,3}){3}\b/.test(rest),
  })
  return score <= 0
    ? undefined
    : {
        start: separator,
        end: Math.min(lower.length, wordEnd + 40),
        score,
        id: 'rce/command',
        bare: opening === 'start',
      }
}

function skipSpace(lower: string, from: number): number {
  let at = from
  while (charCodeAt.call(lower, at) <= 32) at++
  return at
}

/** What is read off the text around a command. */
interface Signs {
  /** The command is also a word people write. */
  readonly english: boolean
  readonly argument: boolean
  /** Written as only someone who hides it does, or with its folder. */
  readonly certain: boolean
  readonly sensitive: boolean
  /** What stands before the separator is one argument, or a command itself. */
  readonly isolated: boolean
  /** Another command runs it: `time x`, `sudo x`. */
  readonly wrapped: boolean
  /** People tell each other to type it. */
  readonly advised: boolean
  readonly bare: boolean
  /** A command like `ansible-doc`, which no sentence starts with. */
  readonly hyphenated: boolean
  /** The value is the separator and the command. */
  readonly alone: boolean
  /** A command that shows where one is, to the end of the value, behind something that a list of words does not have. */
  readonly probing: boolean
  /** The value starts with a separator that no list starts with. */
  readonly leading: boolean
  /** Some argument follows. */
  readonly followed: boolean
  readonly flagged: boolean
  readonly addressed: boolean
  /** The argument is a switch, a path, a URL, a variable or an address. */
  readonly solid: boolean
  /** Between backticks in a value of a document, where Markdown sets code so. */
  readonly quoted: boolean
  /** Behind one ampersand with space around it in a value of a document: `Tea & curl cream`. */
  readonly spaced: boolean
  /** A command that no text has for another reason. */
  readonly telling: boolean
}

function rate(opening: Opening, signs: Signs): number {
  const { english, argument, certain, sensitive, isolated } = signs
  switch (opening) {
    case 'start':
      if (certain) return signs.bare || argument ? 5 : 3
      if (signs.advised) return argument && sensitive && !english ? 4 : 3
      if (signs.hyphenated) return argument || signs.bare ? 5 : 3
      if (signs.wrapped && !english && (signs.bare || argument)) return 5
      if (signs.flagged && (sensitive || signs.addressed)) return 5
      return argument && sensitive ? (english ? 4 : 5) : signs.flagged && !english ? 4 : 0
    case 'line':
      if (!isolated) return certain && argument ? 4 : 2
      if (signs.probing) return 5
      return argument && (!english || sensitive) ? 5 : 2
    case 'substitution':
      if (signs.quoted) return sensitive && argument && !english ? 4 : 2
      if (certain || !english) return argument ? 6 : 3
      return argument ? 5 : 2
    default:
      if (certain) return isolated || argument ? 6 : 4
      if (signs.spaced && !signs.telling && !signs.flagged && !sensitive) return 3
      if (signs.alone || signs.probing || signs.leading) return 5
      if (english && !signs.solid) return sensitive && isolated ? 5 : 1
      if (!argument) return isolated && signs.followed ? 5 : 3
      if (isolated) return 6
      return sensitive ? 5 : english ? 3 : 4
  }
}

/** `tea & curl`: one ampersand with a space on both sides. */
function isSpacedAmpersand(lower: string, separator: number): boolean {
  return (
    charCodeAt.call(lower, separator) === 38 &&
    !isDouble(lower, separator) &&
    charCodeAt.call(lower, separator + 1) === 32 &&
    charCodeAt.call(lower, separator - 1) === 32
  )
}

/** Behind the command stands a separator, and nothing but a comment behind that: `2;id;`. */
function isClosed(rest: string): boolean {
  return /^\s{0,4}[;|&]\s{0,4}(?:#|$)/.test(rest)
}

/** The command is the last thing, or the application's own quote or another separator follows. */
const ENDS = /^\s{0,4}["'`)]{0,2}\s{0,4}(?:$|[;|&#]|\n)/
/** What a value is that an attack is hung onto: an address, a file, a number with a unit, something in quotes; a plain word makes a list with what follows. */
const CUT_OFF = /["'`)\]}]$|^[\w.-]{0,32}\.\w{1,16}$|^\d{1,3}(?:\.\d{1,3}){3}$/

function isCutOff(lower: string, separator: number, before: string): boolean {
  if (isDouble(lower, separator)) return !/\s/.test(before)
  if (before === '') return charCodeAt.call(lower, separator) < 32
  return CUT_OFF.test(before) && !/\s/.test(before)
}

function isDouble(lower: string, separator: number): boolean {
  const code = charCodeAt.call(lower, separator)
  return (code === 38 || code === 124) && charCodeAt.call(lower, separator + 1) === code
}

function isLeading(lower: string, separator: number): boolean {
  const behind = charCodeAt.call(lower, separator + 1)
  return (
    isDouble(lower, separator) ||
    (charCodeAt.call(lower, separator) === 59 && ((behind >= 97 && behind <= 122) || behind === 32))
  )
}

/** Whether what stands before the separator is one argument rather than a sentence. */
function isIsolated(before: string): boolean {
  if (!/\s/.test(before)) return true
  return /["'`)\]}]$/.test(before) && before.split(/\s/, 5).length < 4
}

/** The last place before where a command could start ... */
const LAST_OPENING = /(?:[;|&`]|\$\()([^;|&`]{0,120})$/

/** ... and whether one of few words did, hung onto one argument: `x;echo aWQ= |` goes on as a pipeline. */
function isPipeline(before: string): boolean {
  const found = LAST_OPENING.exec(before)
  if (found === null || /\s/.test(before.slice(0, found.index).trim())) return false
  const words = (found[1] ?? '').trim().split(/\s{1,8}/, 6)
  return words.length < 6 && isShellCommand(words[0] ?? '')
}
