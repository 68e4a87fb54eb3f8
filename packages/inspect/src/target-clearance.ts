import { Clearance } from './clearance.ts'
import { isWords } from './common-value.ts'
import { CHAR, scanFeatures, seen } from './features.ts'
import type { RuleSet } from './rule-set.ts'
import { WORD } from './words.ts'

const ENCODED = CHAR.percent | CHAR.backslash | CHAR.base64 | CHAR.wide | CHAR.control | CHAR.plus | CHAR.run
/** What a path is made of: these say nothing by themselves. */
const PATH_SYNTAX = ~(CHAR.ampersand | CHAR.equals | CHAR.slash | CHAR.colon)
const WORDS_ONLY = CHAR.plus | CHAR.space
/** A query with more pairs is walked. */
const MAX_PAIRS = 64

/**
 * Whether a target needs no look: its path and each name and value of its query are cleared by one scan, or
 * were looked at before and are common words. Reads each character once and makes hardly any strings; what
 * it does not clear is taken apart as usual.
 */
export function isTargetClear(target: string, rules: RuleSet): boolean {
  const mark = target.indexOf('?')
  return isPathClear(target, mark < 0 ? target.length : mark, rules) && isQueryClear(target, mark, rules)
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

function isPathClear(target: string, end: number, rules: RuleSet): boolean {
  scanFeatures(target, 0, end)
  const { chars, words } = seen
  if ((words & WORD.session) !== 0 || (chars & ENCODED) !== 0) return false
  return rules.isClear(chars & PATH_SYNTAX, words) || isPathOpaque(target.slice(0, end), rules)
}

function isQueryClear(target: string, mark: number, rules: RuleSet): boolean {
  if (mark < 0) return true
  let start = mark + 1
  for (let pairs = 0; start < target.length; pairs++) {
    const ampersand = target.indexOf('&', start)
    const end = ampersand < 0 ? target.length : ampersand
    const equals = target.indexOf('=', start)
    // A pair without "=" is a name and a value.
    const isPair = equals >= 0 && equals < end
    if (pairs === MAX_PAIRS || (!isPair && start < end)) return false
    if (isPair && !isNameClear(target, start, equals, rules)) return false
    if (isPair && !isValueClear(target, { start, equals, end }, rules)) return false
    start = end + 1
  }
  return true
}

function isNameClear(target: string, start: number, end: number, rules: RuleSet): boolean {
  scanFeatures(target, start, end)
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

function isValueClear(target: string, { start, equals, end }: Pair, rules: RuleSet): boolean {
  scanFeatures(target, equals + 1, end)
  const { chars, words } = seen
  if ((chars & ENCODED) === 0) {
    if (rules.isClear(chars, words)) return true
    const value = target.slice(equals + 1, end)
    return Clearance.of(rules).parameters.has(target.slice(start, equals), value)
  }
  if ((chars & ~WORDS_ONLY) !== 0 || !rules.isClear(0, words)) return false
  return isWords(target.slice(equals + 1, end))
}
