import {
  NO_SIGNS,
  type RequiredSigns,
  signsOfBoth,
  signsOfClass,
  signsOfEither,
  signsOfMember,
  signsOfText,
} from './required-signs.ts'

/** Texts of which a match holds at least one. */
export type OneOf = readonly string[]

/** Lists of texts; a match holds a text of each. */
export type Requirement = readonly OneOf[]

/**
 * Before or behind a text, a word of a match begins or ends there (`\b`): of a longer word it says nothing.
 * No expression asks for the character itself.
 */
export const WORD_END = '\b'
const WORD_ENDS = /[\b]/g
/** One that says nothing: between characters, or beside one that words do not hold. */
const IDLE_END = /(?<!^)[\b](?!$)|^[\b]+(?!\w)|(?<!\w)[\b]+$|(?<=[\b])[\b]/g

/** A required text as it stands in a match. */
export function withoutEnds(text: string): string {
  return text.includes(WORD_END) ? text.replace(WORD_ENDS, '') : text
}

/**
 * How much a required text tells: the longer, the more, and a whole word more than a part of one. In
 * characters.
 */
export function weightOf(text: string): number {
  return (text.length + withoutEnds(text).length) / 2
}

/** Most texts in one list: checking a longer one costs as much as searching. */
const MAX_TEXTS = 48
/** Exact texts that are followed through a sequence. */
const MAX_EXACT = 16
/** Characters of a class that are told apart. */
const MAX_CLASS = 4
const LINE_ENDS: Readonly<Record<string, string>> = { t: '\t', n: '\n', r: '\r' }
/** Shorter texts stand nearly everywhere. */
const SHORTEST = 2

/** What is known of the texts that a part of an expression matches. */
interface Known {
  /** All of them, where they are few. */
  readonly exact: readonly string[] | undefined
  /** Lists of which every match holds a text. */
  readonly all: Requirement
  /** Every match is at least so long. */
  readonly least: number
  /** The kinds of characters in every match. */
  readonly signs: RequiredSigns
}

const ANYTHING: Known = { exact: undefined, all: [], least: 0, signs: NO_SIGNS }
const ANY_CHARACTER: Known = { exact: undefined, all: [], least: 1, signs: NO_SIGNS }
const NO_TEXT: readonly string[] = ['']
const EMPTY: Known = { exact: NO_TEXT, all: [], least: 0, signs: NO_SIGNS }
const END_OF_WORD: Known = { ...EMPTY, exact: [WORD_END] }
/** What stands for itself in an expression. */
const LETTERS = /[^()[\]{}|\\^$.*+?\b]+/y
/** A class of a few characters, of which each stands for itself. */
const PLAIN_CLASS = /^(?:[^\\^\b-]|\\[^\w]|\\[tnr]|-$)(?:[^\\\b-]|\\[^\w]|\\[tnr]|-$){0,7}$/
const ESCAPE = /\\(?:x[\da-f]{2}|u[\da-f]{4}|[\s\S])/iy
const QUANTIFIER = /(?:[*+?]|\{(\d{1,6})(?:,\d{0,6})?\})\??/y

/** An expression with more alternatives is asked for what they share. */
const MOST_ALTERNATIVES = 12

/**
 * What a text must hold for an expression to match it, read from its source. A text that does not hold it
 * need not be searched. Errs on one side only: what is not understood requires nothing. The idea is that of
 * code search by trigrams (Cox, 2012).
 */
export interface RequiredOfText {
  /**
   * The texts without which it cannot match, in lower case: one requirement for each of its alternatives, of
   * which one must be met. Undefined when some alternative requires nothing.
   */
  readonly requires: readonly Requirement[] | undefined
  /** How long a text must be, at least. */
  readonly least: number
  /**
   * The kinds of characters without which it cannot match, for each of its alternatives. Undefined when some
   * alternative requires none.
   */
  readonly signs: readonly RequiredSigns[] | undefined
}

function requirementsOf(parts: readonly Known[]): readonly Requirement[] | undefined {
  const found = parts.map(listsOf)
  return found.some(lists => lists.length === 0) ? undefined : found
}

function signsOf(parts: readonly Known[]): readonly RequiredSigns[] | undefined {
  const each = parts.map(part => part.signs)
  const signs = each.length > MOST_ALTERNATIVES ? [signsOfEither(each)] : each
  return signs.includes(NO_SIGNS) ? undefined : signs
}

function shortestOf(parts: readonly Known[]): number {
  return Math.min(...parts.map(part => part.least))
}

function listsOf({ exact, all }: Pick<Known, 'exact' | 'all'>): Requirement {
  if (exact === undefined) return all
  const lists = [...all]
  addList(lists, exact)
  return lists
}

/** Adds a list, if it tells anything. */
function addList(lists: OneOf[], exact: readonly string[]): void {
  if (exact.length > MAX_TEXTS) return
  const texts = exact.map(text => (text.includes(WORD_END) ? text.replace(IDLE_END, '') : text))
  if (texts.some(text => withoutEnds(text).length < SHORTEST)) return
  lists.push(texts.length > 1 ? [...new Set(texts)] : texts)
}

/** The most telling of several lists: that of which the shortest text is longest. */
function mostTelling(all: Requirement): OneOf | undefined {
  const weight = (list: OneOf): number => Math.min(...list.map(weightOf)) * 64 - list.length
  return all.toSorted((a, b) => weight(b) - weight(a))[0]
}

/** What is known of a match of one of several parts. */
function eitherOf(parts: readonly Known[]): Known {
  const [only] = parts
  if (only !== undefined && parts.length === 1) return only
  const texts = parts.map(part => part.exact ?? mostTelling(part.all))
  const isExact = parts.every(part => part.exact !== undefined)
  const union = texts.every(list => list !== undefined) ? [...new Set(texts.flat())] : []
  const least = shortestOf(parts)
  const signs = signsOfEither(parts.map(part => part.signs))
  if (union.length === 0) return { ...ANYTHING, least, signs }
  if (isExact && union.length <= MAX_TEXTS) return { exact: union, all: [], least, signs }
  return { exact: undefined, all: listsOf({ exact: union, all: [] }), least, signs }
}

/**
 * Reads expressions. What it has read of a class or an escape it remembers: the rules that ship hold the same
 * third of theirs again and again, and all of them are read before the first request.
 */
export class ExpressionReader {
  readonly #classes = new Map<string, Known>()
  readonly #escapes = new Map<string, Known>()
  #source = ''
  #at = 0

  /** @param source of an expression that is valid */
  read(source: string): RequiredOfText {
    this.#source = source
    this.#at = 0
    const parts = this.#alternatives()
    return { requires: requirementsOf(parts), least: shortestOf(parts), signs: signsOf(parts) }
  }

  /** The alternatives up to a closing bracket or the end. */
  #alternatives(): readonly Known[] {
    const found = [this.#sequence()]
    while (this.#source[this.#at] === '|') {
      this.#at++
      found.push(this.#sequence())
    }
    return found
  }

  #sequence(): Known {
    /** The texts of the parts since the last one that could be anything. */
    let run: readonly string[] = NO_TEXT
    let isExact = true
    const all: OneOf[] = []
    let least = 0
    let signs = NO_SIGNS
    while (!this.#isAtEnd()) {
      const letters = this.#letters()
      if (letters !== '') {
        run = run.map(start => start + letters)
        least += letters.length
        signs = signsOfBoth(signs, signsOfText(letters))
        continue
      }
      const part = this.#quantified(this.#atom())
      least += part.least
      signs = signsOfBoth(signs, part.signs)
      all.push(...part.all)
      const { exact } = part
      if (exact !== undefined && run.length * exact.length <= MAX_EXACT) {
        if (exact !== NO_TEXT) run = run.flatMap(start => exact.map(end => start + end))
        continue
      }
      isExact = false
      addList(all, run)
      if (exact !== undefined && exact.length > MAX_EXACT) addList(all, exact)
      run = exact !== undefined && exact.length <= MAX_EXACT ? exact : NO_TEXT
    }
    if (isExact) return { exact: run, all, least, signs }
    addList(all, run)
    return { exact: undefined, all, least, signs }
  }

  #isAtEnd(): boolean {
    const character = this.#source[this.#at]
    return character === undefined || character === '|' || character === ')'
  }

  /**
   * Takes the letters that stand next and are not quantified, in lower case. One at a time, with lists of one
   * text each, the rules that ship left 28 MB of garbage when they were loaded.
   */
  #letters(): string {
    LETTERS.lastIndex = this.#at
    const found = LETTERS.exec(this.#source)?.[0]
    if (found === undefined) return ''
    const end = this.#at + found.length
    QUANTIFIER.lastIndex = end
    const taken = QUANTIFIER.test(this.#source) ? found.slice(0, -1) : found
    this.#at += taken.length
    return taken.toLowerCase()
  }

  #atom(): Known {
    const character = this.#source[this.#at++] as string
    switch (character) {
      case '(':
        return this.#group()
      case '[':
        return this.#class()
      case '\\':
        return this.#escape()
      case '^':
      case '$':
        return EMPTY
      case '.':
      case WORD_END:
        return ANY_CHARACTER
      default:
        return {
          exact: [character.toLowerCase()],
          all: [],
          least: 1,
          signs: signsOfText(character),
        }
    }
  }

  #group(): Known {
    const prefix =
      /^\?(?:[:=!]|<[=!]|<\w{1,40}>)/.exec(this.#source.slice(this.#at, this.#at + 48))?.[0] ?? ''
    this.#at += prefix.length
    const found = eitherOf(this.#alternatives())
    this.#at++
    // What is looked for ahead or behind is not part of the match.
    return /^\?<?[=!]$/.test(prefix) ? EMPTY : found
  }

  #class(): Known {
    const start = this.#at
    if (this.#source[this.#at] === '^') this.#at++
    while (this.#at < this.#source.length && this.#source[this.#at] !== ']')
      this.#at += this.#source[this.#at] === '\\' ? 2 : 1
    return remembered(this.#classes, this.#source.slice(start, this.#at++), knownOfClass)
  }

  #escape(): Known {
    ESCAPE.lastIndex = this.#at - 1
    const text = ESCAPE.exec(this.#source)?.[0] ?? '\\'
    this.#at += text.length - 1
    return remembered(this.#escapes, text, knownOfEscape)
  }

  #quantified(atom: Known): Known {
    QUANTIFIER.lastIndex = this.#at
    const found = QUANTIFIER.exec(this.#source)
    if (found === null) return atom
    this.#at += found[0].length
    const [sign, least] = found
    if (sign === '?' || sign === '??' || sign === '{0,1}')
      return atom.exact === undefined
        ? ANYTHING
        : { exact: ['', ...atom.exact], all: [], least: 0, signs: NO_SIGNS }
    if (least === '1' && sign === '{1}') return atom
    const isNeeded = sign.startsWith('+') || (least !== undefined && Number(least) > 0)
    const times = least === undefined ? 1 : Number(least)
    return isNeeded
      ? { exact: undefined, all: listsOf(atom), least: atom.least * times, signs: atom.signs }
      : ANYTHING
  }
}

function remembered(known: Map<string, Known>, source: string, read: (source: string) => Known): Known {
  const before = known.get(source)
  if (before !== undefined) return before
  const found = read(source)
  known.set(source, found)
  return found
}

/** @param inside of a class, without its brackets */
function knownOfClass(inside: string): Known {
  const signs = signsOfClass(inside)
  if (!PLAIN_CLASS.test(inside) || inside.includes('\\\\')) return { ...ANY_CHARACTER, signs }
  const spelt = inside.replace(/\\([tnr])/g, (_, letter: string) => LINE_ENDS[letter] ?? '')
  const characters = [...new Set(spelt.replaceAll('\\', '').toLowerCase())]
  return characters.length <= MAX_CLASS
    ? { exact: characters, all: [], least: 1, signs }
    : { ...ANY_CHARACTER, signs }
}

/** @param text from its backslash on */
function knownOfEscape(text: string): Known {
  const character = text.charAt(1)
  if (character === 'b') return END_OF_WORD
  if (character === 'B') return EMPTY
  const signs = signsOfMember(text, 0)
  const named = LINE_ENDS[character]
  if (named !== undefined) return { exact: [named], all: [], least: 1, signs }
  if (!/\w/.test(character)) return { exact: [character], all: [], least: 1, signs }
  // What stood before, or under a name, may be nothing.
  if (/[\dkpP]/.test(character)) return ANYTHING
  if (text.length === 2) return { ...ANY_CHARACTER, signs }
  const numbered = String.fromCharCode(Number.parseInt(text.slice(2), 16)).toLowerCase()
  if (numbered === WORD_END) return { ...ANY_CHARACTER, signs }
  return { exact: [numbered], all: [], least: 1, signs }
}
