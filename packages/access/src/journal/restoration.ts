import { PostgresError, type SqlClient } from '@postern/store'
import { type RestoreBatch, restoreBatch } from './restore-batch.ts'

/** A row that cannot be put back. */
export interface UndoConflict {
  readonly table: string
  /** The row's primary key, `id=7`; empty when the table has none. */
  readonly key: string
  readonly why: string
}

const MAX_LISTED = 100
/** Constraints that do not hold; everything else is a failure. */
const CONSTRAINT = /^23/

/** Puts batches of rows back within one transaction, each under a savepoint, and keeps count. */
export class Restoration {
  /** Ids of entries that were restored whole. */
  readonly done: string[] = []
  readonly #client: SqlClient
  readonly #restored = new Map<string, { table: string; action: 'delete' | 'update'; rows: number }>()
  readonly #conflicts: UndoConflict[] = []
  #conflictCount = 0

  constructor(client: SqlClient) {
    this.#client = client
  }

  /**
   * Restores batches in the order given, each table's own in that order in any case. One that waits for a row
   * of another table (a foreign key: cascades are journaled after what set them off) is tried again after
   * every other that succeeds; what is left is taken apart, down to the rows that do not fit.
   */
  async restoreAll(batches: readonly RestoreBatch[]): Promise<void> {
    let waiting = batches
    for (;;) {
      const before = waiting.length
      waiting = await this.#pass(waiting)
      if (waiting.length === 0 || waiting.length === before) break
    }
    for (const batch of waiting) if (await this.#takeApart(batch)) this.done.push(batch.id)
  }

  /** @returns what is still to be done, in order; the pass ends early when what waits may go on */
  async #pass(batches: readonly RestoreBatch[]): Promise<readonly RestoreBatch[]> {
    const waiting: RestoreBatch[] = []
    for (const [i, batch] of batches.entries()) {
      if (waiting.some(({ table }) => table === batch.table)) waiting.push(batch)
      else if ((await this.#attempt(batch)) !== undefined) waiting.push(batch)
      else if (waiting.length > 0) return [...waiting, ...batches.slice(i + 1)]
    }
    return waiting
  }

  /** Counts rows that cannot be put back. */
  refuse(table: string, why: string, rows: number, key = ''): void {
    this.#conflictCount += rows
    if (this.#conflicts.length < MAX_LISTED) this.#conflicts.push({ table, key, why })
  }

  report(): {
    readonly restored: readonly { table: string; action: 'delete' | 'update'; rows: number }[]
    readonly conflicts: readonly UndoConflict[]
    readonly conflictCount: number
  } {
    return {
      restored: [...this.#restored.values()],
      conflicts: this.#conflicts,
      conflictCount: this.#conflictCount,
    }
  }

  /** @returns the constraint's failure, after which nothing of the batch was written */
  async #attempt(batch: RestoreBatch, mode: 'whole' | 'piece' = 'whole'): Promise<PostgresError | undefined> {
    await this.#client.query('SAVEPOINT postern_undo')
    try {
      const { restored, conflicts } = await restoreBatch(this.#client, batch)
      await this.#client.query('RELEASE SAVEPOINT postern_undo')
      this.#count(batch, restored)
      for (const { key, why } of conflicts) this.refuse(batch.table, why, 1, key)
      if (mode === 'whole' && conflicts.length === 0) this.done.push(batch.id)
      return undefined
    } catch (error) {
      if (!(error instanceof PostgresError) || !CONSTRAINT.test(error.state ?? '')) throw error
      await this.#client.query('ROLLBACK TO SAVEPOINT postern_undo')
      return error
    }
  }

  /** @returns whether every row was put back after all */
  async #takeApart(batch: RestoreBatch): Promise<boolean> {
    const before = this.#conflictCount
    const failure = await this.#attempt(batch, 'piece')
    if (failure === undefined) return this.#conflictCount === before
    if (batch.old.length === 1) {
      this.refuse(batch.table, reasonOf(failure), 1)
      return false
    }
    const middle = batch.old.length >> 1
    const first = await this.#takeApart({
      ...batch,
      old: batch.old.slice(0, middle),
      became: batch.became.slice(0, middle),
    })
    const second = await this.#takeApart({
      ...batch,
      old: batch.old.slice(middle),
      became: batch.became.slice(middle),
    })
    return first && second
  }

  #count({ table, action }: RestoreBatch, rows: number): void {
    const name = `${table} ${action}`
    const before = this.#restored.get(name)?.rows ?? 0
    this.#restored.set(name, { table, action, rows: before + rows })
  }
}

function reasonOf(failure: PostgresError): string {
  const constraint = failure.constraint ?? 'a constraint'
  if (failure.state === '23503') return `a row that it refers to is not there (${constraint})`
  if (failure.state === '23505') return `another row has its place (${constraint})`
  return `${constraint} is no longer satisfied`
}
