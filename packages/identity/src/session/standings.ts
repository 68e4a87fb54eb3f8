import type { Clock } from '@postern/core'
import type { IdentityDatabase } from '../database/identity-database.ts'
import { SESSION_SQL } from './session.sql.ts'

/** What an account that is not disabled may do now. */
export interface Standing {
  /** Roles in the organisation, in one text; null for no member. */
  readonly roles: string | null
  readonly siteRoles: string
}

interface Kept {
  readonly standing: Standing | undefined
  readonly until: number
}

/** How long another process may not know of a change, milliseconds. */
const FRESH = 1_000
const MAX = 20_000

/**
 * Roles and state of accounts, for sessions that are not kept beside them. What this process changes holds
 * from the next request; what another one changes, within a second.
 */
export class Standings {
  readonly #database: IdentityDatabase
  readonly #clock: Clock
  readonly #kept = new Map<string, Kept>()
  /** Grows with every change: what was being read meanwhile may be from before it. */
  #generation = 0

  constructor(database: IdentityDatabase, clock: Clock) {
    this.#database = database
    this.#clock = clock
  }

  /** undefined for an account that is disabled or does not exist. */
  find(
    accountId: string,
    organisationId: string | null,
  ): Standing | undefined | Promise<Standing | undefined> {
    const key = `${accountId} ${organisationId ?? ''}`
    const kept = this.#kept.get(key)
    if (kept !== undefined && kept.until > this.#clock.monotonic()) return kept.standing
    const until = this.#clock.monotonic() + FRESH
    const generation = this.#generation
    const keep = ([standing]: readonly Standing[]): Standing | undefined => {
      if (generation === this.#generation) this.#keep(key, { standing, until })
      return standing
    }
    const rows = this.#database.rows<Standing>(SESSION_SQL.standing, [accountId, organisationId])
    return rows instanceof Promise ? rows.then(keep) : keep(rows)
  }

  #keep(key: string, kept: Kept): void {
    this.#kept.delete(key)
    if (this.#kept.size >= MAX) {
      const oldest = this.#kept.keys().next().value
      if (oldest !== undefined) this.#kept.delete(oldest)
    }
    this.#kept.set(key, kept)
  }

  /** An account or a membership was changed here: nothing that was read before counts. */
  forget(): void {
    this.#generation++
    this.#kept.clear()
  }
}
