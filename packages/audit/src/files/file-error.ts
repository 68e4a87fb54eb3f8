import { StoreError, writeProblem } from '@postern/core'

/** A group that could not be written: the next one tries again. */
export function writeError(directory: string, cause: unknown): StoreError {
  const store = `audit log ${directory}`
  return new StoreError(`could not write: ${writeProblem(cause)}`, { store, retryable: true, cause })
}

/** A sync that failed: nothing written after it can be trusted. */
export function syncError(directory: string, cause: unknown): StoreError {
  const store = `audit log ${directory}`
  const problem = `could not sync: ${writeProblem(cause)}; restart once the disk is sound`
  return new StoreError(problem, { store, retryable: false, cause })
}
