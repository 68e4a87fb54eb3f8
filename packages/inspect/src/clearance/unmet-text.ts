import { isGraphql } from '../body/graphql.ts'
import { startsLikeJson } from '../body/json.ts'
import { mayHoldDocument } from '../body/may-hold-document.ts'
import type { RuleSet } from '../matching/rule-set.ts'
import { CHAR, type Features } from '../value/features.ts'
import type { Place } from '../value/reading.ts'
import { ENCODED } from './clearance.ts'

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
export function isUnmet(text: string, scanned: Features, place: Place, rules: RuleSet): boolean {
  const { chars } = scanned
  if (place === 'file-name' || text.length > SHORT || (chars & CHANGED) !== 0) return false
  if ((chars & MARKUP) === MARKUP) return false
  if (mayHoldDocument(text) && (startsLikeJson(text) || isGraphql(text))) return false
  return !rules.couldHit(text, scanned, place)
}
