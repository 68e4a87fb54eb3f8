import type { RuleSet } from '../matching/rule-set.ts'
import { isUngatedAction } from '../sinks/could-act.ts'
import { CHAR, type Features } from '../value/features.ts'
import type { Place } from '../value/reading.ts'
import { Clearance } from './clearance.ts'
import { isCommonName, isWords } from './common-value.ts'
import { isUnmet } from './unmet-text.ts'

const WORDS_ONLY = CHAR.plus | CHAR.space

/**
 * What a text could do that was scanned, and of which it is known at once that no rule can find anything in
 * it though it opens some; undefined for one that is not known.
 */
export function clearedAtOnce(
  text: string,
  { chars, words }: Readonly<Features>,
  place: Place,
  rules: RuleSet,
): 'inert' | 'acting' | undefined {
  const { opaque, parameters } = Clearance.of(rules)
  // Most names come with every request: it takes less to know one again than to tell what it lacks.
  if (place === 'name' && parameters.has('', text)) return 'inert'
  if (place !== 'file-name' && opaque.has(text, chars, words))
    return isUngatedAction(text) ? 'acting' : 'inert'
  return (chars & ~WORDS_ONLY) === 0 && isWords(text) && rules.isClear(0, words) ? 'inert' : undefined
}

/**
 * Whether no rule can find anything in a text that was scanned, or in a part of it, for lack of what each
 * needs.
 */
export function isClearedByLack(
  text: string,
  scanned: Readonly<Features>,
  place: Place,
  rules: RuleSet,
): boolean {
  if (!isUnmet(text, scanned, place, rules)) return false
  // Names come again (`session`, `user`): the next header of cookies, or query, is cleared by one scan.
  if (place === 'name' && isCommonName(text)) Clearance.of(rules).parameters.add('', text)
  return true
}
