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
/** Of how many parts and dropped signs a word is put together. */
const MAX_PARTS = 24
/**
 * Commands that are weighed in one text. One that has more is not read to its end, and inspection says so.
 */
const MAX_WEIGHED = 384

/** How a place in a text where a command could start was reached. */
type Opening = 'start' | 'separator' | 'substitution' | 'line'

/**
 * What behind a command makes it one: a switch, a path, a URL, a variable, a quote, an address, a
 * redirection, or nothing more.
 */
const ARGUMENT =
  /^\s{0,8}(?:-{1,2}[a-z\d]|\/[a-z?*]|\.{0,2}\/|~|\$|https?:|["'`\\]|\d{1,3}(?:\.\d{1,3}){3}|[;|&><`)#]|[a-z]:\\|%[a-z]|[\w.-]{1,64}(?:\.[a-z]{2,12}\b|\/)|$)/
const SOLID =
  /^\s{0,8}(?:-{1,2}[a-z]|-\d{1,3}\s|\/[a-z?*]|\.{0,2}\/|~\/|\$|https?:|\d{1,3}(?:\.\d{1,3}){3}|[<>]|[a-z]:\\|[\w.-]{1,64}\/|[\w.-]{1,64}\.[a-z]{2,12}\b)/
const SENSITIVE =
  /\/etc\/|\/bin\/|\/dev\/(?:tcp|udp)|passwd|sleep\s{1,4}\d|net\s{1,4}(?:user|localgroup|share|view|use)\b|\/proc\/|\/tmp\/|https?:\/\/|\|\s{0,4}(?:ba|z|k|da)?sh\b|\$ifs|burpcollaborator|interact\.sh|oast\./

/**
 * Where a value would start a command of its own: behind a separator, a line end or inside a substitution,
 * undoing what shells drop from a word (quotes, backslashes, empty
 * variables, carets). A command that is also an English word needs an argument that only a shell takes; a
 * separator deep inside a sentence counts less than one behind a single word.
 */
export function findShellCommand(reading: Reading): Span | undefined {
  const { lower } = reading
  let best: Span | undefined
  weighed = 0
  if (reading.fromStart) best = commandAt(reading, 0, 'start', 0)
  let backticks = 0
  // Where a run of separators (`&&`, `;;`) begins: what stands before it is what the command is separated
  // from.
  let run = -1
  let hasBacktick = true
  for (let at = 0; at < lower.length; at++) {
    const code = charCodeAt.call(lower, at)
    if (code > 127 || OPENS[code] === 0) continue
    const opening = openingAt(lower, at)
    if (opening === undefined) continue
    if (opening === 'separator' && openingAt(lower, at + 1) === 'separator') {
      if (run < 0) run = at
      continue
    }
    const separator = run < 0 ? at : run
    run = -1
    if (code === 96) {
      // Every second backtick closes what the one before opened.
      if (isFence(lower, at) || ++backticks % 2 === 0) continue
      // `like this' is how people quote: nothing closes it.
      hasBacktick &&= lower.indexOf('`', at + 1) >= 0
      if (!hasBacktick) continue
    } else if (opening === 'substitution') {
      // `$(MAKE)` is a variable of make.
      if (/^\$\([A-Z_]{2,24}\)/.test(reading.text.slice(at, at + 28))) continue
    }
    const skip = opening === 'substitution' && code !== 96 ? 2 : 1
    const found = commandAt(reading, at + skip, opening, separator)
    if (found !== undefined && (best === undefined || (found.score ?? 0) > (best.score ?? 0))) best = found
    if (best !== undefined && (best.score ?? 0) >= 6) break
    if (weighed > MAX_WEIGHED) return { start: 0, end: 1, score: 10, id: 'bounds/effort' }
  }
  return best
}

/** Three backticks fence a block in Markdown; no shell has a use for them. */
function isFence(lower: string, at: number): boolean {
  const before = charCodeAt.call(lower, at - 1) === 96
  const behind = charCodeAt.call(lower, at + 1) === 96
  return (
    (before && behind) ||
    (behind && charCodeAt.call(lower, at + 2) === 96) ||
    (before && charCodeAt.call(lower, at - 2) === 96)
  )
}

/** Characters at which a command could start, or a run of them goes on. */
const OPENS = new Uint8Array(128)
for (const sign of ';|&\n\r`$<>') OPENS[charCodeAt.call(sign, 0)] = 1

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
function readWord(lower: string, start: number): string {
  const limit = Math.min(lower.length, start + MAX_WORD)
  dropped = false
  let at = start
  for (; at < limit; at++) {
    const code = charCodeAt.call(lower, at)
    if (code < 128 && IN_WORD[code] !== 1) break
  }
  // A backtick behind a word closes what was opened; one with another behind it is nothing.
  const code = charCodeAt.call(lower, at)
  if (at >= limit || IN_WORD[code] === 2 || (code === 96 && charCodeAt.call(lower, at + 1) !== 96)) {
    wordEnd = at
    return lower.slice(start, at)
  }
  return readDisguisedWord(lower, start, limit)
}

/** A word with something in it that a shell drops. */
function readDisguisedWord(lower: string, start: number, limit: number): string {
  let word = ''
  let at = start
  for (let parts = 0; at < limit && parts < MAX_PARTS; parts++) {
    const code = charCodeAt.call(lower, at)
    if (code === 39 || code === 34 || code === 92 || code === 94) {
      const next = charCodeAt.call(lower, at + 1)
      const isInside = (next >= 97 && next <= 122) || (next >= 48 && next <= 57)
      if (isInside && (word !== '' || code === 92)) dropped = true
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
    if (code < 128 && (code === 96 || IN_WORD[code] === 2)) break
    const from = at
    do at++
    while (at < limit && IN_WORD[charCodeAt.call(lower, at)] === 1)
    word += lower.slice(from, at)
  }
  wordEnd = at
  return word
}

/** What may stand between a separator and a command. */
function isBeforeCommand(code: number): boolean {
  return (
    code <= 32 ||
    code === 40 ||
    code === 123 ||
    code === 33 ||
    code === 64 ||
    code === 38 ||
    code === 124 ||
    code === 44
  )
}

function commandAt(reading: Reading, from: number, opening: Opening, separator: number): Span | undefined {
  const { lower, place } = reading
  let at = from
  const limit = Math.min(lower.length, from + 16)
  while (at < limit && isBeforeCommand(charCodeAt.call(lower, at))) at++
  let word = readWord(lower, at)
  let hasDropped = dropped
  if (word === '' && dropped) {
    word = readWord(lower, skipSpace(lower, wordEnd))
    hasDropped ||= dropped
  }
  let wrapped = false
  for (let n = 0; n < 3 && (isWrapperCommand(word) || isAssignment(word)); n++) {
    const own = wordEnd
    let next = wordEnd
    while (charCodeAt.call(lower, next) <= 32 || charCodeAt.call(lower, next) === 59) next++
    const flags = /^(?:-{1,2}[\w=-]{1,16}\s{1,4}(?:\d{1,4}\s{1,4})?|\d{1,4}\s{1,4}){1,3}/.exec(
      lower.slice(next, next + 64),
    )
    const inner = readWord(lower, next + (flags?.[0].length ?? 0))
    hasDropped = dropped
    if (inner === '' || inner.startsWith('-')) {
      wordEnd = own
      break
    }
    wrapped = isWrapperCommand(word) || wrapped
    word = inner
  }
  if (word === '' || word.length > MAX_WORD) return undefined
  const path = word.lastIndexOf('/')
  if (path >= 0 && !/^(?:(?:\.{0,2}|~)\/|bin\/)/.test(word)) return undefined
  if (
    path >= 0 &&
    opening !== 'line' &&
    !(place === 'body' && opening === 'substitution') &&
    /[?*[]/.test(word) &&
    /^\/[\w?*[\]-]{1,12}\/[\w?*[\]/-]{1,24}$/.test(word)
  ) {
    return { start: separator, end: wordEnd, score: 6, id: 'rce/glob' }
  }
  const base = path >= 0 ? word.slice(path + 1) : word
  const command = base.endsWith('.exe') ? base.slice(0, -4) : base
  if (!isShellCommand(command)) return undefined
  weighed++
  const inBin = path >= 0 && /(?:^|\/)(?:s?bin|local)\/$/.test(word.slice(0, path + 1))
  const isDisguised = (hasDropped && command.length > 1) || inBin
  const found = new FoundCommand(reading, {
    command,
    at,
    from,
    end: wordEnd,
    separator,
    wrapped,
    isDisguised,
  })
  const score = rate(opening, found)
  if (score <= 0) return undefined
  const end = Math.min(lower.length, found.end + 40)
  return { start: separator, end, score, id: 'rce/command', bare: opening === 'start' || opening === 'line' }
}

/** `LANG=C`, before a command. */
function isAssignment(word: string): boolean {
  return word.includes('=') && /^\w{1,16}=[^\s]{0,32}$/.test(word)
}

function skipSpace(lower: string, from: number): number {
  let at = from
  while (charCodeAt.call(lower, at) <= 32) at++
  return at
}

/** Where a command stands. */
interface Spot {
  readonly command: string
  /** Where its word begins. */
  readonly at: number
  /** Behind the separator. */
  readonly from: number
  /** Behind the word. */
  readonly end: number
  readonly separator: number
  /** Another command runs it: `time x`, `sudo x`. */
  readonly wrapped: boolean
  /** Written as only someone who hides it does, or with its folder. */
  readonly isDisguised: boolean
}

/**
 * A command in a text, and what is read off the text around it; each question is answered when it is asked.
 */
class FoundCommand {
  readonly command: string
  readonly end: number
  readonly wrapped: boolean
  /** Written as only someone who hides it does, or with its folder. */
  readonly certain: boolean
  readonly #reading: Reading
  readonly #spot: Spot
  readonly #rest: string
  #before: string | undefined

  constructor(reading: Reading, spot: Spot) {
    this.#reading = reading
    this.#spot = spot
    this.command = spot.command
    this.end = spot.end
    this.wrapped = spot.wrapped
    this.certain = spot.isDisguised
    this.#rest = reading.lower.slice(spot.end, spot.end + 96)
  }

  /** What stands before the separator. */
  get before(): string {
    const { separator } = this.#spot
    this.#before ??= this.#reading.lower.slice(Math.max(0, separator - 200), separator).trim()
    return this.#before
  }

  /** The command is also a word people write. */
  get english(): boolean {
    const { at } = this.#spot
    return isEnglishCommand(this.command) || /^[A-Z][a-z]/.test(this.#reading.text.slice(at, at + 2))
  }

  hasArgument(opening: Opening): boolean {
    const rest = this.#rest
    return ARGUMENT.test(rest) || (opening === 'substitution' && /^\s{0,4}[\w.-]{0,24}[)`]/.test(rest))
  }

  get sensitive(): boolean {
    return SENSITIVE.test(this.#reading.lower.slice(this.#spot.separator, this.end + 160))
  }

  /** What stands before the separator is one argument, or a command itself. */
  isIsolated(opening: Opening): boolean {
    return isIsolated(this.before) || (opening === 'separator' && isPipeline(this.before))
  }

  /** Nothing but separators behind it. */
  get bare(): boolean {
    return /^[\s;|&]{0,4}$/.test(this.#rest)
  }

  /** A command like `ansible-doc`, which no sentence starts with. */
  get hyphenated(): boolean {
    return this.#spot.from === 0 && this.command.includes('-')
  }

  /** The value is the separator and the command. */
  get alone(): boolean {
    return /^[\s;|&)}]{0,4}$/.test(this.#rest) && this.before === ''
  }

  /**
   * A command that shows where one is, to the end of the value, behind something that a list of words does
   * not have.
   */
  get probing(): boolean {
    if (!looksAround(this.command) || !ENDS.test(this.#rest)) return false
    if (isCutOff(this.#reading.lower, this.#spot.separator, this.before)) return true
    return this.#reading.place !== 'body' && isClosed(this.#rest) && !/\s/.test(this.before)
  }

  /** The value starts with a separator that no list starts with. */
  get leading(): boolean {
    return (
      this.before === '' &&
      isLeading(this.#reading.lower, this.#spot.separator) &&
      /^\s{1,4}[\w<>./-]/.test(this.#rest)
    )
  }

  /** Between backticks in a value of a document, where Markdown sets code so. */
  get quoted(): boolean {
    return this.#reading.place === 'body' && charCodeAt.call(this.#reading.lower, this.#spot.separator) === 96
  }

  /**
   * A word between backticks that is also the name of a function or of a command people tell of, and nothing
   * else there.
   */
  get isMention(): boolean {
    if (charCodeAt.call(this.#reading.lower, this.#spot.separator) !== 96 || this.certain) return false
    if (isAdvisedCommand(this.command)) return /^(?:\s[\w@.:/-]{1,40}){0,3}`/.test(this.#rest)
    return this.#rest.startsWith('`') && this.english && !looksAround(this.command)
  }

  /** Behind one ampersand with space around it in a value of a document: `Tea & curl cream`. */
  get spaced(): boolean {
    return this.#reading.place === 'body' && isSpacedAmpersand(this.#reading.lower, this.#spot.separator)
  }

  /** The argument is a switch, a path, a URL, a variable or an address. */
  get solid(): boolean {
    return SOLID.test(this.#rest)
  }

  /** Some argument follows. */
  get followed(): boolean {
    return charCodeAt.call(this.#rest, 0) <= 32
  }

  get flagged(): boolean {
    return /^\s{1,8}-{1,2}[a-z]/.test(this.#rest)
  }

  get addressed(): boolean {
    return /\s\d{1,3}(?:\.\d{1,3}){3}\b/.test(this.#rest)
  }
}

function rate(opening: Opening, found: FoundCommand): number {
  switch (opening) {
    case 'start':
      return rateStart(found)
    case 'line':
      if (!found.isIsolated('line')) return found.certain && found.hasArgument('line') ? 4 : 2
      if (found.probing) return 5
      return found.hasArgument('line') && (!found.english || found.sensitive) ? 5 : 2
    case 'substitution':
      if (found.isMention) return 4
      if (found.quoted) return !found.english && found.hasArgument(opening) && found.sensitive ? 4 : 2
      if (found.certain || !found.english) return found.hasArgument(opening) ? 6 : 3
      return found.hasArgument(opening) ? 5 : 2
    default:
      return rateSeparated(found)
  }
}

function rateStart(found: FoundCommand): number {
  const argument = found.hasArgument('start')
  if (found.certain) return argument || found.bare ? 5 : 3
  if (isAdvisedCommand(found.command)) return argument && !found.english && found.sensitive ? 4 : 3
  if (found.hyphenated) return argument || found.bare ? 5 : 3
  if (found.wrapped && !found.english && (argument || found.bare)) return 5
  const { flagged } = found
  const sensitive = (flagged || argument) && found.sensitive
  if (flagged && (sensitive || found.addressed)) return 5
  return argument && sensitive ? (found.english ? 4 : 5) : flagged && !found.english ? 4 : 0
}

function rateSeparated(found: FoundCommand): number {
  const argument = found.hasArgument('separator')
  if (found.certain) return argument || found.isIsolated('separator') ? 6 : 4
  if (found.spaced && !isTellingCommand(found.command) && !found.flagged && !found.sensitive) return 3
  if (found.alone || found.probing || found.leading) return 5
  if (found.english && !found.solid) return found.isIsolated('separator') && found.sensitive ? 5 : 1
  if (!argument) return found.followed && found.isIsolated('separator') ? 5 : 3
  if (found.isIsolated('separator')) return 6
  return found.sensitive ? 5 : found.english ? 3 : 4
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
/**
 * What a value is that an attack is hung onto: an address, a file, a number with a unit, something in
 * quotes; a plain word makes a list with what follows.
 */
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
