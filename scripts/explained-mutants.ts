/** A mutant that no test notices, and why none should be written for it. */
export interface ExplainedMutant {
  readonly file: string
  /** The line as it stands in the source, without its indentation. */
  readonly line: string
  /** The change as the runner names it; default: every change of the line. */
  readonly what?: string
  readonly because: string
}

/**
 * What survives `npm run mutate` and should: the program does the same, or differs where nothing is promised.
 */
export const EXPLAINED_MUTANTS: readonly ExplainedMutant[] = []
