import { isGraphql } from '../body/graphql.ts'
import { startsLikeJson } from '../body/json.ts'
import { mayHoldDocument } from '../body/may-hold-document.ts'
import type { RuleSet } from '../matching/rule-set.ts'
import { CHAR, type Features } from '../value/features.ts'
import type { Place } from '../value/reading.ts'
import { WORD } from '../value/words.ts'
import { ENCODED } from './clearance.ts'

/** What may stand for another text, or be cut out of it. */
const CHANGED = ENCODED | CHAR.comment
/** What may be a reference to a character; other ampersands (`Tom & Jerry`) stand for themselves. */
const REFERENCE = /&[a-z#]/i
/** Of which what stands between them may be cut out. */
const MARKUP = CHAR.less | CHAR.greater
/** Of longer texts few lack much. */
const SHORT = 256

/** Whether a short text stands for nothing but itself and begins no document. */
export function isPlainText(text: string, { chars, words }: Readonly<Features>, place: Place): boolean {
  if (place === 'file-name' || text.length > SHORT) return false
  const changed = chars & CHANGED
  if (changed !== 0 && (changed !== CHAR.ampersand || REFERENCE.test(text))) return false
  if ((chars & MARKUP) === MARKUP) return false
  if ((chars & CHAR.space) !== 0 && (words & WORD.spaced) !== 0) return false
  return !mayHoldDocument(text) || !(startsLikeJson(text) || isGraphql(text))
}

/**
 * Whether no rule could hit such a text or a part of it, for lack of what each needs. It need not be looked
 * at.
 */
export function isUnmet(text: string, scanned: Readonly<Features>, place: Place, rules: RuleSet): boolean {
  return isPlainText(text, scanned, place) && !rules.couldHit(text, scanned, place)
}
