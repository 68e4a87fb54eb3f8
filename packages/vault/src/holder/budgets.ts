import type { RandomSource } from '@postern/core'
import { CountedRecords } from './counted-records.ts'

/** Records that may be opened in one window, B each, before they are divided among the holders. */
export interface BudgetLimits {
  /** Per person who signs capabilities. */
  readonly person: number
  /** Per service: what it opens without a person. */
  readonly service: number
  /** Per service: what it opens with capabilities of people, together. */
  readonly served: number
  /** Per table, whoever asks. */
  readonly table: number
  /** Of everything, whoever asks. */
  readonly all: number
}

/** Whom an opening is counted against. */
export interface Charge {
  readonly person: string | undefined
  readonly service: string
  /** Record version to table. */
  readonly records: ReadonlyMap<string, string>
}

/** A budget that has not enough left. */
export interface Shortage {
  readonly budget: string
  readonly allowed: number
  readonly asked: number
  /**
   * When as many are free, epoch milliseconds. For a request of more than the whole budget it is a
   * window from now, since "now" would have the caller come back at once forever.
   */
  readonly retryAt: number
}

/**
 * What one holder counts out of a budget of B: three quarters of it.
 *
 * A record takes two holders, so whoever spreads what he opens over all pairs gets 3/2 of what a holder
 * counts, 1.125 B. Who has stolen one holder whole needs only one of the other two: 2 of what a holder
 * counts, 1.5 B. That is the bound the vault promises. With one holder down the other two open 0.75 B.
 */
export function holderShare(budget: number): number {
  return Math.max(1, Math.floor(budget * 0.75))
}

/**
 * Scopes kept at once; beyond it a new one is refused until old ones expire. Bounded by `all` in practice.
 */
const MAX_SCOPES = 1_000_000
/** Entries that room is made for at once, so that a holder with ordinary budgets never stops to make more. */
const MAX_ROOM = 262_144
/**
 * What an opening would be counted as: the versions not counted yet, or the budget that has not enough
 * left.
 */
export type Weighed =
  | { readonly shortage: Shortage }
  /** Record version to table, of what some scope has not counted yet. Empty when all of it is free. */
  | { readonly fresh: ReadonlyMap<string, string> }

/** The budgets of one holder: distinct record versions per person, service, table and in all. */
export class Budgets {
  readonly #limits: BudgetLimits
  readonly #ofService: (service: string) => Partial<BudgetLimits>
  readonly #window: number
  /** Per person and service. */
  readonly #actors: CountedRecords
  /** Per table. A version is of one table, so all of these together are what `all` counts. */
  readonly #tables: CountedRecords

  /** @param window milliseconds */
  constructor(
    limits: BudgetLimits,
    window: number,
    random: RandomSource,
    ofService: (service: string) => Partial<BudgetLimits> = () => ({}),
  ) {
    this.#limits = limits
    this.#window = window
    this.#ofService = ofService
    const room = 2 ** Math.ceil(Math.log2(Math.min(MAX_ROOM, holderShare(limits.all) + 1)))
    // A version is counted for a person and for the service that serves him.
    this.#actors = new CountedRecords(window, random, room * 2)
    this.#tables = new CountedRecords(window, random, room)
  }

  /** Holds an opening against every budget that applies. Counts nothing. */
  weigh(charge: Charge, now: number): Weighed {
    const { records } = charge
    const fresh = new Map<string, string>()
    for (const { scope, limit } of this.#actorsOf(charge)) {
      const asked = this.#freshOf(this.#actors, scope, records, now, fresh)
      const used = this.#actors.used(scope, now)
      if (asked > 0 && used + asked > limit) {
        const retryAt = asked > limit ? now + this.#window : this.#actors.freeAt(scope, asked, limit, now)
        return { shortage: { budget: scope, allowed: Math.max(0, limit - used), asked, retryAt } }
      }
    }
    const shortage = this.#tableShortage(records, now, fresh)
    if (shortage !== undefined) return { shortage }
    return this.#actors.scopes < MAX_SCOPES
      ? { fresh }
      : { shortage: { budget: 'scopes', allowed: 0, asked: 1, retryAt: now + this.#window } }
  }

  #tableShortage(
    records: ReadonlyMap<string, string>,
    now: number,
    fresh: Map<string, string>,
  ): Shortage | undefined {
    const tables = new Set(records.values())
    let total = 0
    for (const table of tables) {
      const limit = holderShare(this.#limits.table)
      const asked = this.#freshOf(this.#tables, table, records, now, fresh)
      const used = this.#tables.used(table, now)
      if (asked > 0 && used + asked > limit) {
        const retryAt = asked > limit ? now + this.#window : this.#tables.freeAt(table, asked, limit, now)
        return { budget: `table ${table}`, allowed: Math.max(0, limit - used), asked, retryAt }
      }
      total += asked
    }
    const limit = holderShare(this.#limits.all)
    const used = this.#tables.size(now)
    if (total === 0 || used + total <= limit) return undefined
    const retryAt = total > limit ? now + this.#window : this.#tables.freeAtInAll(total, limit, now)
    return { budget: 'all', allowed: Math.max(0, limit - used), asked: total, retryAt }
  }

  /** Counts what a scope has not counted yet, and adds it to `fresh`. For tables the scope is one. */
  #freshOf(
    counted: CountedRecords,
    scope: string,
    records: ReadonlyMap<string, string>,
    now: number,
    fresh: Map<string, string>,
  ): number {
    counted.expire(now)
    let asked = 0
    for (const [version, table] of records) {
      if ((counted === this.#tables && table !== scope) || counted.has(scope, version)) continue
      asked++
      fresh.set(version, table)
    }
    return asked
  }

  /** Counts an opening. Ask `weigh` first. */
  charge(charge: Charge, now: number): void {
    for (const { scope } of this.#actorsOf(charge))
      for (const version of charge.records.keys()) this.#actors.add(scope, version, now)
    for (const [version, table] of charge.records) this.#tables.add(table, version, now)
  }

  /** Units used of a scope, for status: `all`, `table NAME`, `person NAME`, `service NAME`, `served NAME`. */
  used(scope: string, now: number): number {
    if (scope === 'all') return this.#tables.size(now)
    return scope.startsWith('table ')
      ? this.#tables.used(scope.slice('table '.length), now)
      : this.#actors.used(scope, now)
  }

  #actorsOf({ person, service }: Charge): readonly { readonly scope: string; readonly limit: number }[] {
    const own = { ...this.#limits, ...this.#ofService(service) }
    return person === undefined
      ? [{ scope: `service ${service}`, limit: holderShare(own.service) }]
      : [
          { scope: `person ${person}`, limit: holderShare(this.#limits.person) },
          { scope: `served ${service}`, limit: holderShare(own.served) },
        ]
  }
}
