import type { EffortMeter } from '../bounds/effort-meter.ts'
import type { RuleSet } from '../matching/rule-set.ts'
import { couldAct, isUngatedAction } from '../sinks/could-act.ts'
import { CHAR, type Features } from '../value/features.ts'
import type { Place } from '../value/reading.ts'
import { Clearance } from './clearance.ts'
import { isCommonName, isWords } from './common-value.ts'
import { isUnmet } from './unmet-text.ts'

const WORDS_ONLY = CHAR.plus | CHAR.space

/**
 * What a text could do that was scanned, and in which no rule can find anything though it opens some;
 * undefined for one that must be looked at.
 */
export function clearedText(
  text: string,
  scanned: Features,
  place: Place,
  rules: RuleSet,
  meter: EffortMeter,
): 'inert' | 'acting' | undefined {
  const { chars, words } = scanned
  const { opaque, parameters } = Clearance.of(rules)
  // Most names come with every request: it takes less to know one again than to tell what it lacks.
  if (place === 'name' && parameters.has('', text)) return 'inert'
  if (place !== 'file-name' && opaque.has(text, chars, words))
    return isUngatedAction(text) ? 'acting' : 'inert'
  if ((chars & ~WORDS_ONLY) === 0 && isWords(text) && rules.isClear(0, words)) return 'inert'
  meter.spend(text.length)
  if (!isUnmet(text, scanned, place, rules)) return undefined
  // Names come again (`session`, `user`): the next header of cookies, or query, is cleared by one scan.
  if (place === 'name' && isCommonName(text)) parameters.add('', text)
  return couldAct(text) ? 'acting' : 'inert'
}
