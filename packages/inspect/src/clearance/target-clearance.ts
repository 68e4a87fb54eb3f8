import type { RuleSet } from '../matching/rule-set.ts'
import { couldAct } from '../sinks/could-act.ts'
import { CharacterCodes } from '../value/character-codes.ts'
import { CHAR, scanCodes, scanFeatures, seen } from '../value/features.ts'
import { WORD } from '../value/words.ts'
import { Clearance } from './clearance.ts'
import { isWords } from './common-value.ts'
import { isUnmet } from './unmet-text.ts'

const ENCODED = CHAR.percent | CHAR.backslash | CHAR.base64 | CHAR.wide | CHAR.control | CHAR.plus | CHAR.run
/** What a path is made of: these say nothing by themselves. */
const PATH_SYNTAX = ~(CHAR.ampersand | CHAR.equals | CHAR.slash | CHAR.colon)
const WORDS_ONLY = CHAR.plus | CHAR.space
/** A query with more pairs is walked. */
const MAX_PAIRS = 64
const DOT = 46
const SLASH = 47
const copied = new CharacterCodes()

/**
 * Whether a target needs no look: its path and each name and value of its query are cleared by one scan and
 * what it tells the rules, or were looked at before and are common words. Reads each character once and
 * makes hardly any strings; what it does not clear is taken apart as usual.
 */
export function isTargetClear(target: string, rules: RuleSet): boolean {
  const mark = target.indexOf('?')
  const codes = copied.copy(target, 0, target.length)
  if (!isPathClear(target, codes, mark < 0 ? target.length : mark, rules)) return false
  return mark < 0 || isQueryClear({ target, codes, rules }, mark)
}

/**
 * Whether the path and everything that begins further in is opaque: pieces of such a text are such texts
 * too, but where they can be decoded.
 */
export function isPathOpaque(path: string, rules: RuleSet): boolean {
  scanFeatures(path, 0, path.length)
  const { chars, words } = seen
  return (chars & (CHAR.percent | CHAR.base64)) === 0 && Clearance.of(rules).opaque.has(path, chars, words)
}

function isPathClear(target: string, codes: Uint16Array, end: number, rules: RuleSet): boolean {
  // A single dot is not a sign of anything elsewhere.
  if (end > 2 && codes[1] === DOT && codes[2] === SLASH) return false
  scanCodes(codes, 0, end)
  const { chars, words } = seen
  if ((words & WORD.session) !== 0 || (chars & ENCODED) !== 0) return false
  return rules.isClear(chars & PATH_SYNTAX, words) || isPathOpaque(target.slice(0, end), rules)
}

/** A target, and what its parts are held against. */
interface Scanned {
  readonly target: string
  readonly codes: Uint16Array
  readonly rules: RuleSet
}

function isQueryClear(scanned: Scanned, mark: number): boolean {
  const { target } = scanned
  let start = mark + 1
  for (let pairs = 0; start < target.length; pairs++) {
    const ampersand = target.indexOf('&', start)
    const end = ampersand < 0 ? target.length : ampersand
    const equals = target.indexOf('=', start)
    // A pair without "=" is a name and a value.
    const isPair = equals >= 0 && equals < end
    if (pairs === MAX_PAIRS || (!isPair && start < end)) return false
    if (isPair && !isNameClear(scanned, start, equals)) return false
    if (isPair && !isValueClear(scanned, { start, equals, end })) return false
    start = end + 1
  }
  return true
}

function isNameClear({ target, codes, rules }: Scanned, start: number, end: number): boolean {
  scanCodes(codes, start, end)
  const { chars, words } = seen
  if ((words & WORD.session) !== 0 || (chars & ENCODED) !== 0) return false
  return rules.isClear(chars, words) || Clearance.of(rules).parameters.has('', target.slice(start, end))
}

/** Where a pair of a query stands in its target. */
interface Pair {
  readonly start: number
  readonly equals: number
  readonly end: number
}

function isValueClear({ target, codes, rules }: Scanned, { start, equals, end }: Pair): boolean {
  scanCodes(codes, equals + 1, end)
  const { chars, words } = seen
  if ((chars & ENCODED) === 0) {
    if (rules.isClear(chars, words)) return true
    const value = target.slice(equals + 1, end)
    // Under no name, names are remembered.
    if (equals > start && Clearance.of(rules).parameters.has(target.slice(start, equals), value)) return true
    // Words that open rules (`?sort=type`) mostly meet none.
    return !couldAct(value) && isUnmet(value, seen, 'query', rules)
  }
  if ((chars & ~WORDS_ONLY) !== 0 || !rules.isClear(0, words)) return false
  return isWords(target.slice(equals + 1, end))
}
