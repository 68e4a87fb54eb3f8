import type { Row } from '../table/row-context.ts'
import type { Statement } from './table.sql.ts'

/** An update and what must hold of the rows afterwards. */
export interface CheckedUpdate {
  readonly update: Statement
  /** What reads the rows that were updated; undefined when there are none. */
  readonly select: (updated: readonly Row[]) => Statement | undefined
  /** Throws when a row is not as it should be. */
  readonly check: (stored: readonly Row[]) => void
}

/** A client that updates and checks in one transaction, which is undone when the check throws. */
export interface CheckingClient {
  /** Returns what the update returned. */
  updateChecked(work: CheckedUpdate): Promise<readonly Row[]>
}
