const REACH = 80
const WORD = /^[("'`]?[a-z][a-z.,:'-]{1,15}$/
const ENOUGH = 4

/**
 * Whether a span of lower-case text stands in a sentence: four plain words or more around it. What only harms when it is the value (a file name, a variable) is talked about there.
 */
export function isInSentence(lower: string, start: number, end: number): boolean {
  const around = `${lower.slice(Math.max(0, start - REACH), start + 1)} ${lower.slice(end, end + REACH)}`
  let words = 0
  for (const word of around.split(/\s{1,8}/)) if (WORD.test(word) && ++words === ENOUGH) return true
  return false
}
