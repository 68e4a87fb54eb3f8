const REACH = 80
const WORD = /^[("'`«„]?\p{L}[\p{L}\p{M}.,:'’-]{1,15}$/u
/** Scripts that put no spaces between words. */
const IDEOGRAPHS = /[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]/g
const ENOUGH = 4

/**
 * Whether a span of lower-case text stands in a sentence: four plain words or more around it. What only harms when it is the value (a file name, a variable) is talked about there.
 */
export function isInSentence(lower: string, start: number, end: number): boolean {
  const around = `${lower.slice(Math.max(0, start - REACH), start + 1)} ${lower.slice(end, end + REACH)}`
  let words = 0
  for (const word of around.split(/\s{1,8}/)) if (WORD.test(word) && ++words === ENOUGH) return true
  return (around.match(IDEOGRAPHS)?.length ?? 0) >= ENOUGH
}

/** What ends a string, a statement or a comment: prose before it is inside of those, and code may follow. */
const CODE_MARK = /['"`;{}#]|\/[*/]|--|\*\//g

/**
 * Whether plain words lead up to a place in a text in lower case, outside of any quote, comment or statement. To an interpreter they would be an
 * error before the place is reached: code behind them is talked about.
 */
export function isBehindProse(lower: string, start: number): boolean {
  const before = lower.slice(Math.max(0, start - REACH), start).replace(/[\s"'`([]{1,4}$/, '')
  let from = 0
  for (const mark of before.matchAll(CODE_MARK)) from = mark.index + mark[0].length
  let words = 0
  for (const word of before.slice(from).split(/\s{1,8}/))
    if (WORD.test(word) && ++words === ENOUGH) return true
  return false
}
