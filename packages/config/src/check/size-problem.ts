import { describe } from './value-kind.ts'

/**
 * What is wrong with a value that is too small or too large: a number is counted by itself, text by its
 * characters, a list by its entries.
 * @param origin kind of the value, as zod names it
 */
export function sizeProblem(
  origin: string,
  end: 'least' | 'most',
  bound: number | bigint,
  found: unknown,
): string {
  if (origin === 'string')
    return end === 'least' && bound === 1 ? 'must not be empty' : `must have at ${end} ${bound} characters`
  if (origin === 'array')
    return end === 'least' && bound === 1
      ? 'must not be an empty list'
      : `must have at ${end} ${bound} ${bound === 1 ? 'entry' : 'entries'}`
  return `must be at ${end} ${bound}, not ${describe(found)}`
}
