/** Runs one statement with values on a connection of its own. */
export type RunApart = (text: string, values: readonly unknown[]) => Promise<unknown>

/**
 * A name for each table and view that is not temporary; partitions go by the table that they are part of. It
 * runs in sessions of the application, so everything is named with its schema: a temporary table or a schema
 * first in the search path could hide the catalog.
 */
export const TABLE_NAMES = `
SELECT c.oid, n.nspname, r.relname
FROM pg_catalog.pg_class AS c
JOIN pg_catalog.pg_class AS r ON r.oid OPERATOR(pg_catalog.=) coalesce(pg_catalog.pg_partition_root(c.oid::pg_catalog.regclass)::pg_catalog.oid, c.oid)
JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) r.relnamespace
WHERE c.relkind OPERATOR(pg_catalog.=) ANY ('{r,p,v,m,f}'::pg_catalog."char"[]) AND c.oid OPERATOR(pg_catalog.>=) 16384::pg_catalog.oid
  AND c.relpersistence OPERATOR(pg_catalog.<>) 't'::pg_catalog."char" LIMIT 100000`

/** Tables made after the names were asked for are asked for again, at most this often. */
const PAUSE_MS = 10_000

/**
 * What the tables of a PostgreSQL are called: answers name their columns' tables by number. Names are asked
 * for when a number comes up that is not known.
 */
export class TableNames {
  readonly #names = new Map<number, string>()
  readonly #run: RunApart
  readonly #now: () => number
  #asked = Number.NEGATIVE_INFINITY
  #isSettled = false

  /** @param now milliseconds by a clock that does not go back */
  constructor(run: RunApart, now: () => number) {
    this.#run = run
    this.#now = now
  }

  /** The name; empty as long as the first look-up is under way, undefined when it is not known after that. */
  of(id: number): string | undefined {
    const name = this.#names.get(id)
    if (name !== undefined) return name
    if (this.#now() - this.#asked >= PAUSE_MS) {
      // One that was asked for so long ago does not count as under way.
      this.#isSettled ||= this.#asked > 0
      this.#asked = this.#now()
      this.#run(TABLE_NAMES, []).then(
        result => this.#learn(result),
        () => {
          this.#isSettled = true
        },
      )
    }
    return this.#isSettled ? undefined : ''
  }

  /**
   * Whether a table was there when the names were asked for, and is not temporary. True for all when no name
   * could be learned.
   */
  isLasting(id: number): boolean {
    return this.#names.size === 0 || this.#names.has(id)
  }

  /**
   * Asks for the names, unless they are known: a connection that does so before its first statement counts
   * that one by name too.
   * @param run runs a statement on the connection that waits
   * @returns when they are known, or cannot be; never rejects
   */
  async before(run: RunApart): Promise<void> {
    if (this.#isSettled) return
    this.#asked = this.#now()
    try {
      this.#learn(await run(TABLE_NAMES, []))
    } catch {
      this.#isSettled = true
    }
  }

  #learn(result: unknown): void {
    const rows: unknown =
      typeof result === 'object' && result !== null && 'rows' in result ? result.rows : undefined
    this.#isSettled = true
    if (!Array.isArray(rows)) return
    this.#names.clear()
    for (const { oid, nspname, relname } of rows) this.#names.set(Number(oid), `${nspname}.${relname}`)
  }
}
