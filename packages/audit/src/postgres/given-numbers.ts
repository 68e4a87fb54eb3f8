import { IntegrityError } from '@postern/core'
import type { SqlClient } from '@postern/store'
import { RECENT_NUMBERS } from './audit.sql.ts'
import { columnText } from './column-text.ts'

/** Newest entries that tenants' numbers are compared with when another instance gave them out. */
const RECENT = 1_000
/** Tenants whose numbers are remembered. */
const MOST_REMEMBERED = 20_000

/**
 * The tenants' numbers as this instance gave them out. They go into leaves, which are signed: a number that
 * somebody changed in the database would look like a missing entry forever.
 */
export class GivenNumbers {
  readonly #given = new Map<string, number>()
  /** The term in which they were given out. */
  #term = ''
  #entered: ReadonlyMap<string, number> = new Map()

  /** A batch begins; what the last one gave out was undone, unless it was kept. */
  begin(): void {
    this.#entered = new Map()
  }

  /** The batch at hand gave these out. */
  enter(numbers: ReadonlyMap<string, number>): void {
    this.#entered = new Map([...this.#entered, ...numbers])
  }

  /** The batch is committed. */
  keep(term: string): void {
    if (this.#given.size > MOST_REMEMBERED) this.#given.clear()
    for (const [tenant, number] of this.#entered) this.#given.set(tenant, number)
    this.#entered = new Map()
    this.#term = term
  }

  /** The term that the database is in, and whether this instance holds it: others may have given out more. */
  resume(term: string, isOwn: boolean): void {
    if (!isOwn || term !== this.#term) this.#given.clear()
  }

  /**
   * Compares the last numbers in the database with those given out, or, of tenants that others numbered, with
   * the newest entries.
   * @throws IntegrityError when one is another
   */
  async compare(client: SqlClient, stored: ReadonlyMap<string, number>): Promise<void> {
    const given = (tenant: string): number | undefined => this.#entered.get(tenant) ?? this.#given.get(tenant)
    const unknown = [...stored.keys()].filter(tenant => given(tenant) === undefined).map(columnText)
    const { rows } =
      unknown.length === 0
        ? { rows: [] }
        : await client.query<{ tenant: string; number: string }>(RECENT_NUMBERS, [unknown, RECENT])
    const recent = new Map(rows.map(({ tenant, number }) => [tenant, Number(number)]))
    for (const [tenant, number] of stored) {
      const expected = given(tenant) ?? recent.get(columnText(tenant)) ?? number
      if (number !== expected)
        throw new IntegrityError(
          `the last entry of the tenant ${JSON.stringify(tenant.slice(0, 100))} has number ${expected}, and audit_tenants has ${number}: ` +
            'somebody changed the database. Run postern audit rebuild --replace',
        )
    }
  }
}
