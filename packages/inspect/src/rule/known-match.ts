import {
  ANYWHERE,
  addList,
  behind,
  farther,
  isShortList,
  mostTelling,
  type RequiredList,
  type Requirement,
  WORD_END,
} from './required-list.ts'
import {
  NO_SIGNS,
  type RequiredSigns,
  type SignSet,
  signsOfBoth,
  signsOfClass,
  signsOfEither,
  signsOfMember,
  signsOfText,
  unionOf,
} from './required-signs.ts'

/** What is known of the texts that a part of an expression matches. */
export interface KnownMatch {
  /** All of them, where they are few. */
  readonly exact: readonly string[] | undefined
  /** Lists of which every match holds a text. */
  readonly all: Requirement
  /** Every match is at least so long ... */
  readonly least: number
  /** ... and at most so long, in characters. */
  readonly most: number
  /** The kinds of characters in every match. */
  readonly signs: RequiredSigns
  /** The kinds of characters with which a match that is not empty begins; undefined: any. */
  readonly first: SignSet | undefined
  /** Whether every match begins where the text does. */
  readonly isAnchored: boolean
  /** Whether every match ends where the text does. */
  readonly isClosed: boolean
}

const NO_TEXT: readonly string[] = ['']
const INSIDE = { isAnchored: false, isClosed: false } as const
const NO_KINDS: SignSet = { chars: 0, holds: 0 }

const ANYTHING: KnownMatch = {
  exact: undefined,
  all: [],
  least: 0,
  most: ANYWHERE,
  signs: NO_SIGNS,
  first: undefined,
  ...INSIDE,
}
export const ANY_CHARACTER: KnownMatch = { ...ANYTHING, least: 1, most: 1 }
/** What takes no characters. */
export const EMPTY: KnownMatch = { ...ANYTHING, exact: NO_TEXT, most: 0, first: NO_KINDS }
export const START: KnownMatch = { ...EMPTY, isAnchored: true }
export const END: KnownMatch = { ...EMPTY, isClosed: true }
const END_OF_WORD: KnownMatch = { ...EMPTY, exact: [WORD_END] }

/** Exact texts that are followed through a sequence. */
const MAX_EXACT = 16
/** Characters of a class that are told apart. */
const MAX_CLASS = 4
const LINE_ENDS: Readonly<Record<string, string>> = { t: '\t', n: '\n', r: '\r' }
/** A class of a few characters, of which each stands for itself. */
const PLAIN_CLASS = /^(?:[^\\^\b-]|\\[^\w]|\\[tnr]|-$)(?:[^\\\b-]|\\[^\w]|\\[tnr]|-$){0,7}$/

/** The lists of a part, with one of its texts where they are few. */
export function listsOf({ exact, all }: Pick<KnownMatch, 'exact' | 'all'>): Requirement {
  if (exact === undefined) return all
  const lists = [...all]
  addList(lists, exact, 0)
  return lists
}

/** What is known of a match of one of several parts. */
export function eitherOf(parts: readonly KnownMatch[]): KnownMatch {
  const [only] = parts
  if (only !== undefined && parts.length === 1) return only
  const lists = parts.map(part =>
    part.exact === undefined ? mostTelling(part.all) : { texts: part.exact, within: 0 },
  )
  const isExact = parts.every(part => part.exact !== undefined)
  const known = {
    least: Math.min(...parts.map(part => part.least)),
    most: Math.max(...parts.map(part => part.most)),
    signs: signsOfEither(parts.map(part => part.signs)),
    first: firstOfEither(parts),
    isAnchored: parts.every(part => part.isAnchored),
    isClosed: parts.every(part => part.isClosed),
  }
  const union = lists.every(list => list !== undefined) ? [...new Set(lists.flatMap(list => list.texts))] : []
  if (union.length === 0) return { ...known, exact: undefined, all: [] }
  if (isExact && isShortList(union)) return { ...known, exact: union, all: [] }
  const all: RequiredList[] = []
  addList(all, union, Math.max(...lists.map(list => list?.within ?? ANYWHERE)))
  return { ...known, exact: undefined, all }
}

function firstOfEither(parts: readonly KnownMatch[]): SignSet | undefined {
  let first: SignSet | undefined = NO_KINDS
  for (const part of parts)
    first = first === undefined || part.first === undefined ? undefined : unionOf(first, part.first)
  return first
}

/** What is known of what a group held. @param most how long that may be, if it is known */
export function referredTo(most: number = ANYWHERE): KnownMatch {
  return { ...ANYTHING, most }
}

/** What is known of a part that may be repeated. @param most how often; `ANYWHERE`: there is no bound */
export function repeated(part: KnownMatch, least: number, most: number): KnownMatch {
  if (least === 1 && most === 1) return part
  const longest = part.most === 0 || most === 0 ? 0 : Math.min(part.most * most, ANYWHERE)
  if (least > 0) {
    const { signs, first } = part
    return {
      ...INSIDE,
      exact: undefined,
      all: listsOf(part),
      least: part.least * least,
      most: longest,
      signs,
      first,
    }
  }
  const rest = { ...ANYTHING, most: longest, first: part.first }
  return most === 1 && part.exact !== undefined ? { ...rest, exact: ['', ...part.exact] } : rest
}

/** Puts together what is known of parts that are matched one behind the other. */
export class KnownSequence {
  /** The texts of the parts since the last one that could be anything, and how far it begins at most. */
  #run: readonly string[] = NO_TEXT
  #runFrom = 0
  #isExact = true
  readonly #all: RequiredList[] = []
  #least = 0
  #most = 0
  #signs = NO_SIGNS
  #first: SignSet | undefined = NO_KINDS
  #isAnchored = false
  #isClosed = false

  /** Adds characters that stand for themselves, in lower case. */
  addLetters(letters: string): void {
    if (this.#run === NO_TEXT) this.#runFrom = this.#most
    this.#run = this.#run.map(start => start + letters)
    const signs = signsOfText(letters)
    this.#begin(signsOfText(letters.charAt(0)).all)
    this.#least += letters.length
    this.#most = farther(this.#most, letters.length)
    this.#signs = signsOfBoth(this.#signs, signs)
    this.#isClosed = false
  }

  add(part: KnownMatch): void {
    const from = this.#most
    if (part.isAnchored && from === 0) this.#isAnchored = true
    this.#isClosed = part.isClosed || (part.most === 0 && this.#isClosed)
    this.#begin(part.first)
    this.#least += part.least
    this.#most = farther(from, part.most)
    this.#signs = signsOfBoth(this.#signs, part.signs)
    for (const list of part.all) this.#all.push(behind(list, from))
    const { exact } = part
    if (exact !== undefined && this.#run.length * exact.length <= MAX_EXACT) {
      if (exact === NO_TEXT) return
      if (this.#run === NO_TEXT) this.#runFrom = from
      this.#run = this.#run.flatMap(start => exact.map(end => start + end))
      return
    }
    this.#isExact = false
    addList(this.#all, this.#run, this.#runFrom)
    if (exact !== undefined && exact.length > MAX_EXACT) addList(this.#all, exact, from)
    this.#run = exact !== undefined && exact.length <= MAX_EXACT ? exact : NO_TEXT
    this.#runFrom = from
  }

  /** Takes note of how a part begins: a match begins so if all parts before may be empty. */
  #begin(first: SignSet | undefined): void {
    if (this.#least > 0) return
    this.#first = this.#first === undefined || first === undefined ? undefined : unionOf(this.#first, first)
  }

  /** What is known of all that was added. */
  known(): KnownMatch {
    const known = {
      least: this.#least,
      most: this.#most,
      signs: this.#signs,
      first: this.#first,
      isAnchored: this.#isAnchored,
      isClosed: this.#isClosed,
    }
    if (this.#isExact) return { ...known, exact: this.#run, all: this.#all }
    addList(this.#all, this.#run, this.#runFrom)
    return { ...known, exact: undefined, all: this.#all }
  }
}

/** The kinds of what is one character and no more; undefined: any. */
function firstOf({ all, some }: RequiredSigns): SignSet | undefined {
  const [set] = some
  if (set !== undefined) return set
  return all.chars === 0 && all.holds === 0 ? undefined : all
}

function oneOf(exact: readonly string[] | undefined, signs: RequiredSigns): KnownMatch {
  return { ...ANY_CHARACTER, exact, signs, first: firstOf(signs) }
}

/** What is known of one character that stands for itself. */
export function knownOfCharacter(character: string): KnownMatch {
  return oneOf([character.toLowerCase()], signsOfText(character))
}

/** @param inside of a class, without its brackets */
export function knownOfClass(inside: string): KnownMatch {
  const signs = signsOfClass(inside)
  if (!PLAIN_CLASS.test(inside) || inside.includes('\\\\')) return oneOf(undefined, signs)
  const spelt = inside.replace(/\\([tnr])/g, (_, letter: string) => LINE_ENDS[letter] ?? '')
  const characters = [...new Set(spelt.replaceAll('\\', '').toLowerCase())]
  return oneOf(characters.length <= MAX_CLASS ? characters : undefined, signs)
}

/** @param text from its backslash on */
export function knownOfEscape(text: string): KnownMatch {
  const character = text.charAt(1)
  if (character === 'b') return END_OF_WORD
  if (character === 'B') return EMPTY
  const signs = signsOfMember(text, 0)
  const named = LINE_ENDS[character]
  if (named !== undefined) return oneOf([named], signs)
  if (!/\w/.test(character)) return oneOf([character], signs)
  // What stood before, or under a name, may be nothing.
  if (/[\dkpP]/.test(character)) return ANYTHING
  if (text.length === 2) return oneOf(undefined, signs)
  const numbered = String.fromCharCode(Number.parseInt(text.slice(2), 16)).toLowerCase()
  return oneOf(numbered === WORD_END ? undefined : [numbered], signs)
}
