import { isBody, type Reading } from '../value/reading.ts'
import { isFreeText, isOperandParameter } from '../value/value-setting.ts'
import { isAmongAlternatives } from './alternatives.ts'
import { isCutOff, isIsolated, isLeading, isPipeline, isSpacedAmpersand } from './before-command.ts'
import { endsElement } from './element-end.ts'
import { isFiltering } from './filter-command.ts'
import { isIdling } from './idle-command.ts'
import { LEXER_BOUNDS } from './lexer-bounds.ts'
import type { SensitiveTexts } from './sensitive-texts.ts'
import {
  isAdvisedCommand,
  isCapitalised,
  isEnglishCommand,
  isTellingCommand,
  looksAround,
} from './shell-words.ts'
import { isTalkedOf, isToldToFetch } from './talked-of.ts'

const {
  argument: ARGUMENT_REACH,
  before: BEFORE_REACH,
  sensitive: SENSITIVE_REACH,
  beforeTried: TRIED_REACH,
} = LEXER_BOUNDS.shell

// Held, not looked up: see CONTRIBUTING.md.
const { charCodeAt } = String.prototype

/** How a place in a text where a command could start was reached. */
export type Opening = 'start' | 'separator' | 'substitution' | 'line'

/**
 * What behind a command makes it one: a switch, a path, a URL, a variable, a quote, an address, a
 * redirection, or nothing more.
 */
const ARGUMENT =
  /^\s{0,8}(?:-{1,2}[a-z\d]|\/[a-z?*]|\.{0,2}\/|~|\$|https?:|["'`\\]|\d{1,3}(?:\.\d{1,3}){3}|[;|&><`)#]|[a-z]:\\|%[a-z]|\w[\w.-]{0,39}\s{0,2}>|[\w.-]{1,64}(?:\.[a-z]{2,12}\b|\/)|[io]f=[\w/]|$)/
const SOLID =
  /^\s{0,8}(?:-{1,2}[a-z]|-\d{1,3}\s|\/[a-z?*]|\.{0,2}\/|~\/|\$|https?:|\d{1,3}(?:\.\d{1,3}){3}|[<>]|%[a-z_]{2,24}%|[a-z]:\\|[\w.-]{1,64}\/|[\w.-]{1,64}\.[a-z]{2,12}\b|[io]f=[\w/]|["'][^"'\n]{0,60}["']\s{0,2}>)/
/** The same behind words, which are not enough: `chmod 777 /tmp/x`, `systemctl stop x)`. */
const LATER_ARGUMENT =
  /^(?:\s{1,4}[\w=.:+-]{1,40}){1,3}(?:\s{1,4}(?:-{1,2}[a-z]|\.{0,2}\/|~\/|\$|https?:|\d{1,3}(?:\.\d{1,3}){3})|\s{0,2}[)`|;>])/
/** Commands that run another, less those that are words too (`time`, `start`). */
const RUNS =
  /^(?:[\w./-]{0,40}\/)?(?:sudo|doas|nohup|setsid|env|busybox|timeout|stdbuf|ionice|xargs|[sl]trace)\s/
/** Where a command stands. */
export interface Spot {
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
export class FoundCommand {
  readonly command: string
  readonly end: number
  readonly wrapped: boolean
  /** Written as only someone who hides it does, or with its folder. */
  readonly certain: boolean
  readonly #reading: Reading
  readonly #spot: Spot
  readonly #sensitive: SensitiveTexts
  readonly #rest: string
  #before: string | undefined

  constructor(reading: Reading, spot: Spot, sensitive: SensitiveTexts) {
    this.#reading = reading
    this.#spot = spot
    this.#sensitive = sensitive
    this.command = spot.command
    this.end = spot.end
    this.wrapped = spot.wrapped
    this.certain = spot.isDisguised
    const rest = reading.lower.slice(spot.end, spot.end + ARGUMENT_REACH)
    this.#rest = endsElement(rest) ? '' : rest
  }

  /** What stands before the separator. */
  get before(): string {
    const { separator } = this.#spot
    this.#before ??= this.#reading.lower.slice(Math.max(0, separator - BEFORE_REACH), separator).trim()
    return this.#before
  }

  /** The command is also a word people write. */
  get english(): boolean {
    return isEnglishCommand(this.command) || isCapitalised(this.#reading.text, this.#spot.at)
  }

  hasArgument(opening: Opening): boolean {
    const rest = this.#rest
    if (ARGUMENT.test(rest)) return true
    if (opening !== 'substitution') return false
    if (/^\s{0,4}[\w.-]{0,24}[)`]/.test(rest) || this.#isWhole) return true
    return !this.english && this.#isWrittenAsCommand && LATER_ARGUMENT.test(rest)
  }

  /** In a substitution that sets no code: `$(` or backticks that nobody sets code with. */
  get #isWrittenAsCommand(): boolean {
    return charCodeAt.call(this.#reading.lower, this.#spot.separator) !== 96 || this.isSubstituted
  }

  /** Run by another command whose name people do not write as a word: `sudo id`, `busybox id`. */
  get #isRun(): boolean {
    const { at, end } = this.#spot
    return this.wrapped && RUNS.test(this.#reading.lower.slice(at, end))
  }

  /** The value of a parameter is one substitution, in a place where people do not write shell. */
  get #isWhole(): boolean {
    const { lower, place } = this.#reading
    return place !== 'body' && this.#spot.separator === 0 && SUBSTITUTED.test(lower)
  }

  get sensitive(): boolean {
    return this.#sensitive.standIn(this.#spot.separator, this.#within(SENSITIVE_REACH))
  }

  /** Where what belongs to the command ends, at most so far behind it: at the backtick that closes it. */
  #within(reach: number): number {
    const { lower } = this.#reading
    if (this.#rest === '') return this.end
    if (charCodeAt.call(lower, this.#spot.separator) !== 96) return this.end + reach
    const close = lower.indexOf('`', this.end)
    return close < 0 ? this.end + reach : Math.min(close, this.end + reach)
  }

  /**
   * Reads what is piped into it and shows a part of that: of another command it makes no other one, and it
   * names no file.
   */
  get isFilter(): boolean {
    return this.#isPiped && !this.certain && !this.wrapped && isFiltering(this.command, this.#rest)
  }

  /** Behind one bar, not two. */
  get #isPiped(): boolean {
    const { lower } = this.#reading
    const { separator } = this.#spot
    return charCodeAt.call(lower, separator) === 124 && charCodeAt.call(lower, separator + 1) !== 124
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
    return /^[\s;|&)}]{0,4}(?:\s#\s?)?$/.test(this.#rest) && this.before === ''
  }

  /**
   * A command that shows where one is, to the end of the value, behind something that a list of words does
   * not have.
   */
  get probing(): boolean {
    const isMark = this.command === 'echo' && ECHOED.test(this.#rest)
    if (!isMark && (!looksAround(this.command) || !ENDS.test(this.#rest))) return false
    if (this.#isRun) return true
    if (isCutOff(this.#reading.lower, this.#spot.separator, this.before)) return true
    if (isPipeline(this.before)) return true
    const isList = !isClosed(this.#rest) || /\s/.test(this.before)
    if (!isList && (/^\d{1,12}$/.test(this.before) || this.#reading.place !== 'body')) return true
    return isOperandParameter(this.#reading.name) && this.#reading.name !== 'sort_by'
  }

  /** A look around, behind nothing or an address, to the end of the value. */
  get isHungOn(): boolean {
    return /^(?:\d{1,3}(?:\.\d{1,3}){3})?$/.test(this.before) && looksAround(this.command) && this.bare
  }

  /** The value starts with a separator that no list starts with. */
  get leading(): boolean {
    return (
      this.before === '' &&
      isLeading(this.#reading.lower, this.#spot.separator) &&
      /^\s{1,4}[\w<>./-]/.test(this.#rest)
    )
  }

  /**
   * Between backticks that nobody sets code with: right behind a word (`` a`id` ``), or
   * around the whole value and what an intruder tries first.
   */
  get isSubstituted(): boolean {
    const { lower } = this.#reading
    const { separator } = this.#spot
    if (charCodeAt.call(lower, separator) !== 96) return false
    const close = lower.indexOf('`', separator + 1)
    if (close < 0) return false
    const before = charCodeAt.call(lower, separator - 1)
    if (isNamePart(before) || (before === 47 && isNamePart(charCodeAt.call(lower, separator - 2))))
      return true
    // Programs take their settings so, and people write it of harmless commands.
    if (before === 61 && isNamePart(charCodeAt.call(lower, separator - 2)) && this.sensitive) return true
    return (
      close === lower.length - 1 &&
      BEFORE_TRIED.test(lower.slice(0, Math.min(separator, TRIED_REACH))) &&
      TRIED_FIRST.test(lower.slice(separator))
    )
  }

  /** Between backticks in a value of a document, where Markdown sets code so. */
  get quoted(): boolean {
    const { lower } = this.#reading
    if (charCodeAt.call(lower, this.#spot.separator) !== 96 || this.isSubstituted) return false
    const { place, name } = this.#reading
    if (place !== 'form') return place === 'body' && !isOperandParameter(name)
    return isFreeText(name) && !this.sensitive && !this.wrapped && !isTellingCommand(this.command)
  }

  /**
   * A word between backticks that is also the name of a function or of a command people tell of, and nothing
   * else there.
   */
  get isMention(): boolean {
    if (charCodeAt.call(this.#reading.lower, this.#spot.separator) !== 96 || this.certain) return false
    if (this.isSubstituted) return false
    if (INSTALLS.test(this.command)) return /^(?:\s[a-z@][\w@.-]{0,40}){0,3}`/.test(this.#rest)
    return (
      this.#rest.startsWith('`') &&
      this.english &&
      (!looksAround(this.command) || OF_LIBRARIES.test(this.command))
    )
  }

  /** Behind one ampersand with space around it in a value of a document: `Tea & curl cream`. */
  get spaced(): boolean {
    return isSpacedAmpersand(this.#reading.lower, this.#spot.separator) && this.#reading.place === 'body'
  }

  /** The argument is a switch, a path, a URL, a variable or an address. */
  get solid(): boolean {
    return SOLID.test(this.#rest)
  }

  /**
   * A program that people talk of, in a sentence that goes on with words and has nothing else to its end:
   * `fixed; curl now follows redirects`.
   */
  get isSentence(): boolean {
    return (
      !this.certain && isTalkedOf(this.command, this.#rest, this.#reading.lower, this.end) && !this.sensitive
    )
  }

  /** A shell that reads what is fetched, in a sentence of a body that tells people to type so. */
  get isTold(): boolean {
    if (this.certain || !isBody(this.#reading.place) || !this.#isPiped) return false
    return isToldToFetch(this.command, this.before, this.#rest) && !isOperandParameter(this.#reading.name)
  }

  /** One of the words among which an expression chooses, in brackets: `\.(css|js|sh)$`. */
  get isAlternative(): boolean {
    const { lower } = this.#reading
    const { separator } = this.#spot
    if (this.certain || charCodeAt.call(lower, separator) !== 124) return false
    return isAmongAlternatives(this.before, this.#rest)
  }

  /** A program that does nothing as it stands. */
  get isIdle(): boolean {
    if (this.certain || this.wrapped) return false
    return isIdling(this.command, this.#rest, this.#reading, this.#spot.separator)
  }

  /** A change of folder, and nothing done there. */
  get isChangeOfFolder(): boolean {
    return this.command === 'cd' && !this.certain && FOLDER.test(this.#rest)
  }

  /** Some argument follows. */
  get followed(): boolean {
    return charCodeAt.call(this.#rest, 0) <= 32
  }

  /**
   * Right behind a separator that has a space before it, with a switch: who writes sentences or code sets the
   * space behind the separator. Or with no space on either side, and a name that nobody writes otherwise.
   */
  get isGlued(): boolean {
    const { at, separator } = this.#spot
    const isSpaced = charCodeAt.call(this.#reading.lower, separator - 1) <= 32
    const tells = this.command !== 'wget' && isTellingCommand(this.command)
    return at === separator + 1 && (isSpaced ? this.flagged : tells)
  }

  get flagged(): boolean {
    return /^\s{1,8}-{1,2}[a-z]/.test(this.#rest)
  }

  get addressed(): boolean {
    return /\s\d{1,3}(?:\.\d{1,3}){3}\b/.test(this.#rest)
  }
}

const SUBSTITUTED = /^\$\([^()`\n]{1,200}\)$/
const FOLDER = /^\s{1,4}[\w/.~-]{1,64}\s{0,4}(?:\n|$)/
/** Nothing, a number, a date or an address, or a name and an equals sign; and what ends a command. */
const BEFORE_TRIED = /^(?:[\d.:/-]{0,40}\s?|[\w.-]{1,24}=|[\w.-]{0,24}[;|&]{1,2}\s?)$/

/** A command that shows an intruder where he is, or that he was heard, between backticks. */
const TRIED_FIRST =
  /^`(?:id|whoami|uname(?: -a)?|hostname|ifconfig|reboot|(?:sleep|ping -c) ?[^`\n]{1,40}|id ?>[^`\n]{1,80})`$/

function isNamePart(code: number): boolean {
  return (code >= 97 && code <= 122) || (code >= 48 && code <= 57)
}

/** Commands with which people tell each other to install something. */
const INSTALLS = /^(?:npm|pip3?|gem|apt|apt-get|yum|dnf|brew|apk|git)$/

/** Commands that look around and are the names of functions and parts of languages as well. */
const OF_LIBRARIES = /^(?:set|w|who|ver|dir)$/

/** How surely a command acts where it stands: 0 not at all, to 6. */
// biome-ignore lint/complexity/noExcessiveCognitiveComplexity: a table of openings; each line is one row, and rows read no state of others.
export function rate(opening: Opening, found: FoundCommand): number {
  switch (opening) {
    case 'start':
      return rateStart(found)
    case 'line':
      if (!found.isIsolated('line')) return found.certain && found.hasArgument('line') ? 4 : 2
      if (found.probing) return 5
      return found.hasArgument('line') && (!found.english || found.sensitive || found.certain) ? 5 : 2
    case 'substitution':
      if (found.isMention) return 4
      if (found.quoted) return !found.english && found.hasArgument(opening) && found.sensitive ? 4 : 2
      if (found.certain || !found.english) return found.hasArgument(opening) ? 6 : 3
      return found.hasArgument(opening) ? 5 : 2
    default:
      return rateSeparated(found)
  }
}

// biome-ignore lint/complexity/noExcessiveCognitiveComplexity: a list of cases from the surest to the least sure; the order is the rule.
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
  if (found.isChangeOfFolder || found.isSentence || found.isAlternative || found.isIdle || found.isTold)
    return 3
  const argument = found.hasArgument('separator')
  if (found.certain) return argument || found.isIsolated('separator') ? 6 : 4
  if (found.spaced && !isTellingCommand(found.command) && !found.flagged && !found.sensitive) return 3
  if (found.alone || found.probing || found.leading) return 5
  if (found.english && !found.solid) return found.isIsolated('separator') && found.sensitive ? 5 : 1
  if (!argument) return found.followed && found.isIsolated('separator') ? 5 : 3
  if (found.isIsolated('separator')) return 6
  if (found.sensitive || found.isGlued) return 5
  return found.english ? 3 : 4
}

/** Behind the command stands a separator, and nothing but a comment behind that: `2;id;`. */
function isClosed(rest: string): boolean {
  return /^\s{0,4}[;|&]\s{0,4}(?:#|$)/.test(rest)
}

/** A number that comes back in the answer if the command ran. */
const ECHOED = /^\s{1,4}["'`]?\d{1,12}["'`]?\s{0,4}(?:$|[;|&#"'`)])/
/** The command is the last thing, or the application's own quote or another separator follows. */
const ENDS = /^\s{0,4}["'`)]{0,2}\s{0,4}(?:$|[;|&#]|\n)/
