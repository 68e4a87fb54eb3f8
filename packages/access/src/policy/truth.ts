/**
 * Three-valued logic as SQL has it (Kleene): a comparison with NULL is unknown, and unknown is not false. As
 * numbers, `and` is the smaller, `or` the larger, `not` the distance from the top, without a branch.
 */
export type Truth = 0 | 1 | 2

export const FALSE: Truth = 0
export const UNKNOWN: Truth = 1
export const TRUE: Truth = 2

/** True for true, false for false, unknown for what could not be determined. */
export function truth(value: boolean): Truth {
  return value ? TRUE : FALSE
}

/** Not: unknown stays unknown. */
export function negate(value: Truth): Truth {
  return (2 - value) as Truth
}
