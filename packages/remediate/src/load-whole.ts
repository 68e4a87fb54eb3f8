import { type Remediation, StoreError } from '@postern/core'
import type { RemediationTable } from './remediation-table.ts'

/** What shall be read, and what to do when the table has lost its contents. */
export interface LoadOptions {
  /** Epoch milliseconds. */
  readonly now: number
  readonly limit: number
  /** Begins to write everything that memory knows. */
  readonly restore: () => void
}

const ATTEMPTS = 3

/**
 * What a table holds; one that lost something is given it again first.
 * @throws StoreError (rejects) when it cannot be read
 */
export async function loadWhole(
  table: RemediationTable,
  { now, limit, restore }: LoadOptions,
): Promise<readonly Remediation[]> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const stored = await table.load(now, limit)
    if (stored !== 'lost') return stored
    restore()
  }
  throw new StoreError('loses what it was given', { store: table.name, retryable: true })
}
