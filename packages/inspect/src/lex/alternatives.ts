/** Behind one of the words of a choice: the next one, or its end. */
const ALTERNATIVE_AFTER = /^(?:\|[\w.*+?-]{1,24}){0,40}\)/
/** Before it: a bracket which no shell takes where it stands, and words. */
const ALTERNATIVES_BEFORE =
  /(?:^|[^$<>;|&\s"'`={(!])\((?:\?[:=!])?(?:[\w.*+?-]{1,24}\|){0,40}[\w.*+?-]{1,24}$/

/** Whether a word is one of those among which an expression chooses, in brackets: `\\.(css|js|sh)$`. */
export function isAmongAlternatives(before: string, rest: string): boolean {
  return ALTERNATIVE_AFTER.test(rest) && ALTERNATIVES_BEFORE.test(before)
}
