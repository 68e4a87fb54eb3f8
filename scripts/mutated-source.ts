import { stripTypeScriptTypes } from 'node:module'

/** A small change of a source file that a test should notice. */
export interface Mutant {
  /** Place in the text of the file, and in the same text without its types, which has the same length. */
  readonly start: number
  readonly end: number
  /** What stands there instead. */
  readonly replacement: string
  readonly what: string
  /** A place that runs whenever the mutant makes a difference; default: `start`. */
  readonly reachedAt?: number
}

/** The text of a file with a mutant in it, without types. */
export function mutated(source: string, { start, end, replacement }: Mutant): string {
  const plain = stripTypeScriptTypes(source)
  return plain.slice(0, start) + replacement + plain.slice(end)
}
