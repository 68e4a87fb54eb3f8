import { couldAct } from '../sinks/could-act.ts'
import type { Place } from '../value/reading.ts'
import type { Locator } from '../value/value-visitor.ts'

const COMMON_WORD = /^[a-z]{1,16}$/
/** With the brackets of lists and objects. Two dots are a step upwards, where a name becomes a path. */
const COMMON_NAME = /^(?!.*\.\.)[\w.-]{1,32}(?:\[[\w-]{0,24}\]){0,4}$/

/**
 * Under which name a clean value may be remembered: none for the name of a query parameter, such a name for
 * a short word. Undefined for
 * everything that could be a secret or is hardly ever sent twice.
 */
export function commonName(text: string, place: Place, locator: Locator): string | undefined {
  if (place === 'name') return isCommonName(text) ? '' : undefined
  if (place !== 'query' || !COMMON_WORD.test(text)) return undefined
  const name = locator.name()
  return COMMON_NAME.test(name) ? name : undefined
}

/** Whether a name that was found clean may be remembered as one that says nothing: it acts nowhere either. */
export function isCommonName(name: string): boolean {
  return COMMON_NAME.test(name) && !couldAct(name)
}

/** Words with a plus between them, as a form sends what was typed: decoded there is nothing but the words. */
export function isWords(text: string): boolean {
  return /^[a-z0-9+ ]*$/.test(text)
}
