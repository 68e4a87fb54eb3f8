import { bitsOf } from '../value/bits.ts'
import { CHAR, charBit, HOLDS } from '../value/features.ts'

// Held, not looked up: see CONTRIBUTING.md.
const { charCodeAt } = String.prototype

/** Kinds of characters, as a scan tells them: bits of `CHAR` and of `HOLDS`. */
export interface SignSet {
  readonly chars: number
  readonly holds: number
}

/** What every match of an expression holds. */
export interface RequiredSigns {
  /** Each of these kinds ... */
  readonly all: SignSet
  /** ... and of each of these sets one. */
  readonly some: readonly SignSet[]
}

const NOTHING: SignSet = { chars: 0, holds: 0 }
/** Of an expression that matches any text. */
export const NO_SIGNS: RequiredSigns = { all: NOTHING, some: [] }

/** Each character of ASCII is of one kind, and so are all others together. */
const SIGNS: readonly SignSet[] = Array.from({ length: 129 }, (_, code) => ({
  chars: charBit(code),
  holds: code < 128 ? (HOLDS[code] as number) : 0,
}))

/** The kind of a character, by its code. */
export function signOf(code: number): SignSet {
  return SIGNS[Math.min(code, 128)] as SignSet
}

/** The kinds of either. */
export function unionOf(a: SignSet, b: SignSet): SignSet {
  return { chars: a.chars | b.chars, holds: a.holds | b.holds }
}

/** What a text that is matched as it stands requires. */
export function signsOfText(text: string): RequiredSigns {
  let chars = 0
  let holds = 0
  for (let i = 0; i < text.length; i++) {
    const sign = signOf(charCodeAt.call(text, i))
    chars |= sign.chars
    holds |= sign.holds
  }
  return { all: { chars, holds }, some: [] }
}

const DIGIT = signOf(48)
const ESCAPED_CLASSES: Readonly<Record<string, SignSet>> = {
  d: DIGIT,
  s: { chars: CHAR.space | CHAR.newline | CHAR.control | CHAR.wide, holds: 0 },
  w: unionOf(signsOfText('abcdefghijklmnopqrstuvwxyz_').all, DIGIT),
}
/** Of which it is not followed what they leave out. */
const OPEN_CLASSES = 'DSWpPk'
const CONTROLS: Readonly<Record<string, number>> = { t: 9, n: 10, v: 11, f: 12, r: 13, 0: 0 }
/** One character of a class, or an escape. */
const MEMBER = /\\(?:x([\da-fA-F]{2})|u([\da-fA-F]{4})|([\s\S]))|[\s\S]/y

/** The kinds of one character or escape, and its code where it is a single character. */
interface Member {
  readonly signs: SignSet | undefined
  readonly code: number
  readonly end: number
}

function memberAt(source: string, at: number): Member {
  MEMBER.lastIndex = at
  const [whole, byte, unit, escaped] = MEMBER.exec(source) ?? ['']
  const end = at + Math.max(1, whole.length)
  if (escaped !== undefined && Object.hasOwn(ESCAPED_CLASSES, escaped))
    return { signs: ESCAPED_CLASSES[escaped], code: -1, end }
  // Of a backspace, a letter behind `\c`, and what comes to be known later, nothing is said.
  if (escaped !== undefined && (OPEN_CLASSES.includes(escaped) || /[bBc1-9]/.test(escaped)))
    return { signs: undefined, code: -1, end }
  const number = byte ?? unit
  const code =
    number === undefined
      ? ((escaped === undefined ? undefined : CONTROLS[escaped]) ?? charCodeAt.call(whole, whole.length - 1))
      : Number.parseInt(number, 16)
  return { signs: signOf(code), code, end }
}

/** What one escape (from its backslash on) or character requires. */
export function signsOfMember(source: string, at: number): RequiredSigns {
  const { signs } = memberAt(source, at)
  return signs === undefined ? NO_SIGNS : requiring(signs)
}

/** @param inside of a class, without its brackets */
export function signsOfClass(inside: string): RequiredSigns {
  if (inside === '' || inside.startsWith('^')) return NO_SIGNS
  let found = NOTHING
  for (let at = 0; at < inside.length; ) {
    const { signs, code, end } = memberAt(inside, at)
    if (signs === undefined) return NO_SIGNS
    found = unionOf(found, signs)
    at = end
    if (code < 0 || inside[at] !== '-' || at + 1 >= inside.length) continue
    const last = memberAt(inside, at + 1)
    if (last.code < 0) continue
    for (let each = code; each <= Math.min(last.code, 128); each++) found = unionOf(found, signOf(each))
    at = last.end
  }
  return requiring(found)
}

function requiring(set: SignSet): RequiredSigns {
  return kindsIn(set) === 1 ? { all: set, some: [] } : { all: NOTHING, some: [set] }
}

/** How many sets are kept: those that say most. */
const MOST = 6

/** What one text requires that is matched behind another. */
export function signsOfBoth(a: RequiredSigns, b: RequiredSigns): RequiredSigns {
  if (a === NO_SIGNS) return b
  if (b === NO_SIGNS) return a
  const some = b.some.length === 0 ? a.some : a.some.length === 0 ? b.some : [...a.some, ...b.some]
  return {
    all: unionOf(a.all, b.all),
    some: some.length > MOST ? some.toSorted(byWeight).slice(0, MOST) : some,
  }
}

/** What all of several texts require, of which one is matched: the kinds that they share, and one of each. */
export function signsOfEither(parts: readonly RequiredSigns[]): RequiredSigns {
  const [only] = parts
  if (only === undefined || parts.length === 1) return only ?? NO_SIGNS
  let chars = -1
  let holds = -1
  for (const { all } of parts) {
    chars &= all.chars
    holds &= all.holds
  }
  const sets = parts.map(lightestSets)
  const some: SignSet[] = []
  for (let rank = 0; rank < CHOSEN; rank++) {
    if (sets.some(list => list.length === 0)) break
    some.push(sets.map(list => list[Math.min(rank, list.length - 1)] as SignSet).reduce(unionOf))
  }
  return chars === 0 && holds === 0 && some.length === 0 ? NO_SIGNS : { all: { chars, holds }, some }
}

/** Sets that alternatives are summed up in. */
const CHOSEN = 3
/** What a set of a single kind weighs that is rare, and that is frequent. */
const RARE = 2
const OFTEN = 12

/** Of all that is required, as sets of which one kind each is, the few that say most; those first. */
function lightestSets({ all, some }: RequiredSigns): readonly SignSet[] {
  const chosen: SignSet[] = []
  const listed = some.length < 2 ? some : some.toSorted(byWeight)
  let at = 0
  const addListed = (heaviest: number): void => {
    for (; chosen.length < CHOSEN && at < listed.length; at++) {
      const set = listed[at] as SignSet
      if (weightOf(set) > heaviest) return
      chosen.push(set)
    }
  }
  const addSingle = (chars: number, holds: number): void => {
    for (let left = chars; left !== 0 && chosen.length < CHOSEN; left &= left - 1)
      chosen.push({ chars: left & -left, holds: 0 })
    for (let left = holds; left !== 0 && chosen.length < CHOSEN; left &= left - 1)
      chosen.push({ chars: 0, holds: left & -left })
  }
  addListed(RARE)
  addSingle(all.chars & ~FREQUENT.chars, all.holds & ~FREQUENT.holds)
  addListed(OFTEN)
  addSingle(all.chars & FREQUENT.chars, all.holds & FREQUENT.holds)
  addListed(Number.POSITIVE_INFINITY)
  return chosen
}

/** The most frequent kinds: most letters of English, digits and spaces. */
const FREQUENT = signsOfText('etaoinsrhld 0').all

function byWeight(a: SignSet, b: SignSet): number {
  return weightOf(a) - weightOf(b)
}

/** How likely a text holds one of a set, roughly. */
function weightOf(set: SignSet): number {
  const frequent = bitsOf(set.chars & FREQUENT.chars) + bitsOf(set.holds & FREQUENT.holds)
  return kindsIn(set) * RARE + frequent * (OFTEN - RARE)
}

/** How many kinds a set holds. */
export function kindsIn({ chars, holds }: SignSet): number {
  return bitsOf(chars) + bitsOf(holds)
}
