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

/** Milliseconds of the window of `daily` budgets. */
export const DAY = 86_400_000

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
/** The same where nothing limits how many there are in all. */
const MIN_ROOM = 1_024
/**
 * What an opening would be counted as: the versions not counted yet, or the budget that has not enough
 * left.
 */
export type Weighed =
  | { readonly shortage: Shortage }
  /** Record version to table, of what some scope has not counted yet. Empty when all of it is free. */
  | { readonly fresh: ReadonlyMap<string, string> }

/** What budgets are made of. */
export interface BudgetsOptions {
  /** What has no limit is not counted. */
  readonly limits: Partial<BudgetLimits>
  /** Limits of a service where they differ. */
  readonly ofService?: (service: string) => Partial<BudgetLimits>
  /** Milliseconds. */
  readonly window: number
  readonly random: RandomSource
  /** Stands before the names of budgets in refusals: `daily `. Default: nothing. */
  readonly label?: string
}

/** The budgets of one window of a holder: distinct record versions per person, service, table and in all. */
export class Budgets {
  readonly #limits: Partial<BudgetLimits>
  readonly #ofService: (service: string) => Partial<BudgetLimits>
  /** Milliseconds. */
  readonly window: number
  readonly #label: string
  /** Per person and service. */
  readonly #actors: CountedRecords
  /** Per table. A version is of one table, so all of these together are what `all` counts. */
  readonly #tables: CountedRecords

  constructor({ limits, ofService = () => ({}), window, random, label = '' }: BudgetsOptions) {
    this.#limits = limits
    this.window = window
    this.#ofService = ofService
    this.#label = label
    const room = 2 ** Math.ceil(Math.log2(Math.min(MAX_ROOM, holderShare(limits.all ?? MIN_ROOM) + 1)))
    // A version is counted for a person and for the service that serves him.
    this.#actors = new CountedRecords(window, random, room * 2)
    this.#tables = new CountedRecords(window, random, room)
  }

  /** Holds an opening against every budget that applies, and adds what is new to `fresh`. Counts nothing. */
  weigh(charge: Charge, now: number, fresh: Map<string, string> = new Map()): Weighed {
    const { records } = charge
    for (const { scope, limit } of this.#actorsOf(charge)) {
      const asked = this.#freshOf(this.#actors, scope, records, now, fresh)
      const used = this.#actors.used(scope, now)
      if (asked > 0 && used + asked > limit) {
        const retryAt = asked > limit ? now + this.window : this.#actors.freeAt(scope, asked, limit, now)
        return { shortage: this.#shortage(scope, limit - used, asked, retryAt) }
      }
    }
    const shortage = this.#tableShortage(records, now, fresh)
    if (shortage !== undefined) return { shortage }
    return this.#actors.scopes < MAX_SCOPES
      ? { fresh }
      : { shortage: this.#shortage('scopes', 0, 1, now + this.window) }
  }

  #shortage(budget: string, left: number, asked: number, retryAt: number): Shortage {
    return { budget: this.#label + budget, allowed: Math.max(0, left), asked, retryAt }
  }

  #tableShortage(
    records: ReadonlyMap<string, string>,
    now: number,
    fresh: Map<string, string>,
  ): Shortage | undefined {
    if (!this.#countsTables) return undefined
    const tables = new Set(records.values())
    let total = 0
    for (const table of tables) {
      const limit = shareOf(this.#limits.table)
      const asked = this.#freshOf(this.#tables, table, records, now, fresh)
      const used = this.#tables.used(table, now)
      if (asked > 0 && used + asked > limit) {
        const retryAt = asked > limit ? now + this.window : this.#tables.freeAt(table, asked, limit, now)
        return this.#shortage(`table ${table}`, limit - used, asked, retryAt)
      }
      total += asked
    }
    const limit = shareOf(this.#limits.all)
    const used = this.#tables.size(now)
    if (total === 0 || used + total <= limit) return undefined
    const retryAt = total > limit ? now + this.window : this.#tables.freeAtInAll(total, limit, now)
    return this.#shortage('all', limit - used, total, retryAt)
  }

  get #countsTables(): boolean {
    return this.#limits.table !== undefined || this.#limits.all !== undefined
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
    if (!this.#countsTables) return
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
    const scopes =
      person === undefined
        ? [{ scope: `service ${service}`, limit: shareOf(own.service) }]
        : [
            { scope: `person ${person}`, limit: shareOf(this.#limits.person) },
            { scope: `served ${service}`, limit: shareOf(own.served) },
          ]
    return scopes.filter(({ limit }) => limit !== Number.POSITIVE_INFINITY)
  }
}

function shareOf(budget: number | undefined): number {
  return budget === undefined ? Number.POSITIVE_INFINITY : holderShare(budget)
}
