import { shapeOf } from '../rule/expression-shape.ts'

/** Other people's expressions are matched against at most this many characters at once. */
const LONGEST = 2_048
const OVERLAP = 256

/**
 * Compiles an expression written for another engine (RE2, PCRE).
 * @returns the expression, or why it cannot be used: syntax V8 does not know, or a shape that may take
 * exponential time
 */
export function compileForeign(source: string, ignoreCase: boolean): RegExp | string {
  let text = source
    .replace(/\(\?P</g, '(?<')
    .replace(/([*+?}])\+/g, '$1')
    .replace(/\\A/g, '^')
    .replace(/\\[zZ]/g, '$')
  let flags = ignoreCase ? 'i' : ''
  const inline = /^\(\?([ims]{1,3})\)/.exec(text)
  if (inline !== null) {
    text = text.slice(inline[0].length)
    for (const flag of inline[1] ?? '') if (!flags.includes(flag)) flags += flag
  }
  if (shapeOf(text).nestedUnbounded) return 'an unbounded repetition inside another may take exponential time'
  try {
    return new RegExp(text, flags)
  } catch (error) {
    return error instanceof Error ? error.message : 'not an expression'
  }
}

/**
 * The first match in a reading, looked for in windows: time that grows with the square of the length stays
 * small. Linear-time cannot be promised
 * for expressions that we did not write.
 */
export function findForeign(expression: RegExp, text: string): { start: number; end: number } | undefined {
  for (let from = 0; ; from += LONGEST - OVERLAP) {
    const window = from === 0 && text.length <= LONGEST ? text : text.slice(from, from + LONGEST)
    const found = expression.exec(window)
    if (found !== null) return { start: from + found.index, end: from + found.index + found[0].length }
    if (from + LONGEST >= text.length) return undefined
  }
}
