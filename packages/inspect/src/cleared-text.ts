import { isGraphql } from './body/graphql.ts'
import { startsLikeJson } from './body/json.ts'
import { mayHoldDocument } from './body/may-hold-document.ts'
import { Clearance, ENCODED } from './clearance.ts'
import { isWords } from './common-value.ts'
import { CHAR, type Features } from './features.ts'
import type { Place } from './reading.ts'
import type { RuleSet } from './rule-set.ts'

const WORDS_ONLY = CHAR.plus | CHAR.space

/**
 * Why no rule can find anything in a text that was scanned: it is the name of a parameter that is known
 * (`known`), one of those that `OpaqueValues` tells, nothing but words, or lacks what each rule needs
 * (`unmet`). Undefined: it is to be looked at.
 */
export function clearedBy(
  text: string,
  scanned: Features,
  place: Place,
  rules: RuleSet,
): 'known' | 'opaque' | 'words' | 'unmet' | undefined {
  const { chars, words } = scanned
  const { opaque, parameters } = Clearance.of(rules)
  // Most names come with every request: it takes less to know one again than to tell what it lacks.
  if (place === 'name' && parameters.has('', text)) return 'known'
  if (place !== 'file-name' && opaque.has(text, chars, words)) return 'opaque'
  if ((chars & ~WORDS_ONLY) === 0 && isWords(text) && rules.isClear(0, words)) return 'words'
  return isUnmet(text, scanned, place, rules) ? 'unmet' : undefined
}

/** What may stand for another text, or be cut out of it. */
const CHANGED = ENCODED | CHAR.comment
/** Of which what stands between them may be cut out. */
const MARKUP = CHAR.less | CHAR.greater
/** Of longer texts few lack much. */
const SHORT = 256

/**
 * Whether no rule could hit a short text or a part of it, for lack of what each needs: one that stands for
 * nothing else and begins no document. It need not be looked at.
 */
function isUnmet(text: string, scanned: Features, place: Place, rules: RuleSet): boolean {
  const { chars } = scanned
  if (place === 'file-name' || text.length > SHORT || (chars & CHANGED) !== 0) return false
  if ((chars & MARKUP) === MARKUP) return false
  if (mayHoldDocument(text) && (startsLikeJson(text) || isGraphql(text))) return false
  return !rules.couldHit(text, scanned, place)
}
