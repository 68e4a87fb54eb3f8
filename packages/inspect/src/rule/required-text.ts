import {
  ANY_CHARACTER,
  EMPTY,
  END,
  eitherOf,
  type KnownMatch,
  KnownSequence,
  knownOfCharacter,
  knownOfClass,
  knownOfEscape,
  listsOf,
  referredTo,
  repeated,
  START,
} from './known-match.ts'
import { ANYWHERE, type Requirement, WORD_END } from './required-list.ts'
import {
  kindsIn,
  NO_SIGNS,
  type RequiredSigns,
  type SignSet,
  signsOfEither,
  unionOf,
} from './required-signs.ts'

/** What stands for itself in an expression. */
const LETTERS = /[^()[\]{}|\\^$.*+?\b]+/y
const ESCAPE = /\\(?:x[\da-f]{2}|u[\da-f]{4}|[\s\S])/iy
const QUANTIFIER = /(?:[*+?]|\{(\d{1,6})(,(\d{0,6}))?\})\??/y

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
  /** How long a text must be, at least ... */
  readonly least: number
  /** ... and how long it may be, at most, in characters. Undefined: there is no bound. */
  readonly most?: number | undefined
  /** The kinds of characters with which a text must begin. Undefined: any. */
  readonly first?: SignSet | undefined
  /**
   * The kinds of characters without which it cannot match, for each of its alternatives. Undefined when some
   * alternative requires none.
   */
  readonly signs: readonly RequiredSigns[] | undefined
}

/** How far from where a text begins is known only of what is matched there alone. */
function requirementOf(part: KnownMatch): Requirement {
  const lists = listsOf(part)
  return part.isAnchored ? lists : lists.map(({ texts }) => ({ texts }))
}

function requirementsOf(parts: readonly KnownMatch[]): readonly Requirement[] | undefined {
  const found = parts.map(requirementOf)
  return found.some(lists => lists.length === 0) ? undefined : found
}

function signsOf(parts: readonly KnownMatch[]): readonly RequiredSigns[] | undefined {
  const each = parts.map(part => part.signs)
  const signs = each.length > MOST_ALTERNATIVES ? [signsOfEither(each)] : each
  return signs.includes(NO_SIGNS) ? undefined : signs
}

function longestOf(parts: readonly KnownMatch[]): number {
  return Math.max(...parts.map(part => (part.isAnchored && part.isClosed ? part.most : ANYWHERE)))
}

/** Who begins with more kinds of characters begins like most texts. */
const MOST_KINDS = 16

/** How a text begins in which one of the parts is matched. */
function firstOf(parts: readonly KnownMatch[]): SignSet | undefined {
  let found: SignSet = { chars: 0, holds: 0 }
  for (const { isAnchored, isClosed, least, first } of parts) {
    if (!isAnchored || first === undefined || (least === 0 && !isClosed)) return undefined
    found = unionOf(found, first)
  }
  return kindsIn(found) > MOST_KINDS ? undefined : found
}

/**
 * Reads expressions. What it has read of a class or an escape it remembers: the rules that ship hold the same
 * third of theirs again and again, and all of them are read before the first request.
 */
export class ExpressionReader {
  readonly #classes = new Map<string, KnownMatch>()
  readonly #escapes = new Map<string, KnownMatch>()
  #source = ''
  #at = 0
  /** How long what the groups hold may be, of those that were read: they may be referred to. */
  #groups: number[] = []

  /** @param source of an expression that is valid */
  read(source: string): RequiredOfText {
    this.#source = source
    this.#at = 0
    this.#groups = []
    const parts = this.#alternatives()
    const first = firstOf(parts)
    const most = longestOf(parts)
    return {
      requires: requirementsOf(parts),
      least: Math.min(...parts.map(part => part.least)),
      ...(most < ANYWHERE && { most }),
      ...(first !== undefined && { first }),
      signs: signsOf(parts),
    }
  }

  /** The alternatives up to a closing bracket or the end. */
  #alternatives(): readonly KnownMatch[] {
    const found = [this.#sequence()]
    while (this.#source[this.#at] === '|') {
      this.#at++
      found.push(this.#sequence())
    }
    return found
  }

  #sequence(): KnownMatch {
    const sequence = new KnownSequence()
    while (!this.#isAtEnd()) {
      const letters = this.#letters()
      if (letters === '') sequence.add(this.#quantified(this.#atom()))
      else sequence.addLetters(letters)
    }
    return sequence.known()
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

  #atom(): KnownMatch {
    const character = this.#source[this.#at++] as string
    switch (character) {
      case '(':
        return this.#group()
      case '[':
        return this.#class()
      case '\\':
        return this.#escape()
      case '^':
        return START
      case '$':
        return END
      case '.':
      case WORD_END:
        return ANY_CHARACTER
      default:
        return knownOfCharacter(character)
    }
  }

  #group(): KnownMatch {
    const prefix =
      /^\?(?:[:=!]|<[=!]|<\w{1,40}>)/.exec(this.#source.slice(this.#at, this.#at + 48))?.[0] ?? ''
    this.#at += prefix.length
    const group = prefix === '' || /\w/.test(prefix) ? this.#groups.push(ANYWHERE) : 0
    const found = eitherOf(this.#alternatives())
    this.#at++
    if (group > 0) this.#groups[group - 1] = found.most
    // What is looked for ahead or behind is not part of the match.
    return /^\?<?[=!]$/.test(prefix) ? EMPTY : found
  }

  #class(): KnownMatch {
    const start = this.#at
    if (this.#source[this.#at] === '^') this.#at++
    while (this.#at < this.#source.length && this.#source[this.#at] !== ']')
      this.#at += this.#source[this.#at] === '\\' ? 2 : 1
    return remembered(this.#classes, this.#source.slice(start, this.#at++), knownOfClass)
  }

  #escape(): KnownMatch {
    ESCAPE.lastIndex = this.#at - 1
    const text = ESCAPE.exec(this.#source)?.[0] ?? '\\'
    this.#at += text.length - 1
    if (/^\\[1-9]$/.test(text)) return referredTo(this.#groups[Number(text.charAt(1)) - 1])
    return remembered(this.#escapes, text, knownOfEscape)
  }

  #quantified(atom: KnownMatch): KnownMatch {
    QUANTIFIER.lastIndex = this.#at
    const found = QUANTIFIER.exec(this.#source)
    if (found === null) return atom
    this.#at += found[0].length
    const [sign, least, comma, most] = found
    if (least !== undefined) {
      const atMost = comma === undefined ? least : most
      return repeated(atom, Number(least), atMost === undefined || atMost === '' ? ANYWHERE : Number(atMost))
    }
    return repeated(atom, sign.startsWith('+') ? 1 : 0, sign.startsWith('?') ? 1 : ANYWHERE)
  }
}

function remembered(
  known: Map<string, KnownMatch>,
  source: string,
  read: (source: string) => KnownMatch,
): KnownMatch {
  const before = known.get(source)
  if (before !== undefined) return before
  const found = read(source)
  known.set(source, found)
  return found
}
