import { BudgetWindow } from './budget-window.ts'

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

/** The budgets of one holder: distinct record versions per person, service, table and in all. */
export class Budgets {
  readonly #limits: BudgetLimits
  readonly #ofService: (service: string) => Partial<BudgetLimits>
  readonly #window: number
  readonly #scopes = new Map<string, BudgetWindow>()

  /** @param window milliseconds */
  constructor(
    limits: BudgetLimits,
    window: number,
    ofService: (service: string) => Partial<BudgetLimits> = () => ({}),
  ) {
    this.#limits = limits
    this.#window = window
    this.#ofService = ofService
  }

  /** The first budget that an opening would exceed; undefined when it may pass. Counts nothing. */
  shortage(charge: Charge, now: number): Shortage | undefined {
    for (const { scope, limit, things } of this.#scopesOf(charge)) {
      const window = this.#scopes.get(scope)
      const asked = window === undefined ? new Set(things).size : window.fresh(things, now).length
      const used = window?.used(now) ?? 0
      if (asked > 0 && used + asked > limit) {
        const retryAt = window?.freeAt(Math.min(asked, limit), limit, now) ?? now + this.#window
        return { budget: scope, allowed: Math.max(0, limit - used), asked, retryAt }
      }
    }
    if (this.#scopes.size >= MAX_SCOPES) {
      this.prune(now)
      if (this.#scopes.size >= MAX_SCOPES)
        return { budget: 'scopes', allowed: 0, asked: 1, retryAt: now + this.#window }
    }
    return undefined
  }

  /** Counts an opening. Ask `shortage` first. */
  charge(charge: Charge, now: number): void {
    for (const { scope, things } of this.#scopesOf(charge)) {
      let window = this.#scopes.get(scope)
      if (window === undefined) {
        window = new BudgetWindow(this.#window)
        this.#scopes.set(scope, window)
      }
      window.add(things, now)
    }
  }

  /** Drops scopes in which nothing is counted any more. */
  prune(now: number): void {
    for (const [scope, window] of this.#scopes) if (window.used(now) === 0) this.#scopes.delete(scope)
  }

  /** Units used by a scope, for status. */
  used(scope: string, now: number): number {
    return this.#scopes.get(scope)?.used(now) ?? 0
  }

  *#scopesOf({ person, service, records }: Charge): Generator<{
    readonly scope: string
    readonly limit: number
    readonly things: readonly string[]
  }> {
    const own = { ...this.#limits, ...this.#ofService(service) }
    const all = [...records.keys()]
    if (person === undefined)
      yield { scope: `service ${service}`, limit: holderShare(own.service), things: all }
    else {
      yield { scope: `person ${person}`, limit: holderShare(this.#limits.person), things: all }
      yield { scope: `served ${service}`, limit: holderShare(own.served), things: all }
    }
    const byTable = new Map<string, string[]>()
    for (const [record, table] of records) {
      const list = byTable.get(table)
      if (list === undefined) byTable.set(table, [record])
      else list.push(record)
    }
    for (const [table, things] of byTable)
      yield { scope: `table ${table}`, limit: holderShare(this.#limits.table), things }
    yield { scope: 'all', limit: holderShare(this.#limits.all), things: all }
  }
}
