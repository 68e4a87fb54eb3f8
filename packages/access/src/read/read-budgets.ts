import { type Clock, ConfigError, systemClock } from '@postern/core'
import { type BudgetLimit, type BudgetRule, type Budgets, compileBudgets } from '../budget/budget.ts'
import { WindowCounter } from '../edge/window-counter.ts'
import type { Acting } from '../wrap/acting-as.ts'
import { ReadBudgetExceeded } from './read-budget-exceeded.ts'

/** How reads are counted. */
export interface ReadBudgetsOptions {
  /** Those with the action `select` are counted here; the others are not looked at. */
  readonly budgets: Budgets
  /** Schemas that names of tables without a schema stand for. Default `['public']`. */
  readonly schemas?: readonly string[]
  /** Keys (actors, tenants, tables) whose counts are kept for each limit. Default 100,000. */
  readonly capacity?: number
  readonly clock?: Clock
}

/**
 * A table as the database names it, `schema.table`. Undefined when rows are of no table, or of one whose name
 * is not known: they count against every budget. Empty as long as the name is being looked up: they count
 * against budgets of all tables.
 */
export type TableName = string | undefined

/** What one statement reads: counts it row by row. */
export interface ReadCharge {
  /**
   * Counts units of a table.
   * @returns the refusal when that is more than is left; then it was not counted
   */
  take(table: TableName, units: number): ReadBudgetExceeded | undefined
  /** Gives back what was counted, for a result that nobody got to see. */
  giveBack(): void
}

interface Limit extends BudgetLimit {
  readonly rules: readonly BudgetRule[]
  readonly counter: WindowCounter
}

interface Taken {
  readonly counter: WindowCounter
  readonly key: string
  units: number
}

const STEPS = 8

/**
 * Budgets on reads, per actor, tenant and table, in any window of their length: the other half of a stolen
 * session is a bulk export. Guarded connections count what they are sent (`guardPool(pool, { claim, reads
 * })`). Counts are in this process's memory.
 * @throws ConfigError naming every mistake in the budgets, or when none of them is about reads
 * @example
 * const reads = new ReadBudgets({ budgets: { 'customers.select': rows(500, '1h'),
 *   '*.select': rows(10_000, '1h') } })
 */
export class ReadBudgets {
  readonly #limits: readonly Limit[]
  readonly #schemas: readonly string[]
  readonly #clock: Clock
  /** Whether counting needs to know what tables are called. */
  readonly needsNames: boolean

  constructor({
    budgets,
    schemas = ['public'],
    capacity = 100_000,
    clock = systemClock,
  }: ReadBudgetsOptions) {
    const { limits, rules } = compileBudgets(budgets)
    const reads = rules.filter(({ action }) => action === 'select')
    if (reads.length === 0)
      throw new ConfigError({
        place: 'budgets',
        problem: 'has no budget with the action "select"',
        hint: "e.g. { '*.select': rows(10_000, '1h') }",
      })
    this.#schemas = schemas
    this.#clock = clock
    this.#limits = limits.flatMap(limit => {
      const own = reads.filter(({ budget }) => budget === limit.budget)
      const counter = new WindowCounter(limit.step * STEPS, capacity)
      return own.length === 0 ? [] : [{ ...limit, rules: own, counter }]
    })
    this.needsNames = this.#limits.some(
      ({ scope, rules: own }) => scope === 'table' || own.some(({ relation }) => relation !== ''),
    )
  }

  /** A statement that reads on somebody's behalf. */
  charge(acting: Acting): ReadCharge {
    const taken: Taken[] = []
    return {
      take: (table, units) => this.#take(acting, table, units, taken),
      giveBack: () => {
        const now = this.#clock.now()
        for (const { counter, key, units } of taken.splice(0)) counter.add(key, -units, now)
      },
    }
  }

  #take(acting: Acting, table: TableName, units: number, taken: Taken[]): ReadBudgetExceeded | undefined {
    const now = this.#clock.now()
    const held = this.#limits.flatMap(limit => {
      const key = keyOf(limit, acting, table)
      return key === undefined || !this.#isAbout(limit, table) ? [] : [{ limit, key }]
    })
    for (const { limit, key } of held) {
      const { budget, scope, rows, over, counter } = limit
      const used = counter.used(key, now)
      if (used + units <= rows) continue
      const own = taken.find(entry => entry.counter === counter && entry.key === key)?.units ?? 0
      const allowed = Math.max(0, rows - used + own)
      const retryAt = counter.opens(key, used + units - rows, now)
      return new ReadBudgetExceeded({ budget, scope, allowed, asked: own + units, retryAt, over })
    }
    for (const { limit, key } of held) {
      limit.counter.add(key, units, now)
      const entry = taken.find(known => known.counter === limit.counter && known.key === key)
      if (entry === undefined) taken.push({ counter: limit.counter, key, units })
      else entry.units += units
    }
    return undefined
  }

  #isAbout({ rules }: Limit, table: TableName): boolean {
    if (table === undefined) return true
    if (table === '') return rules.some(rule => rule.relation === '' && rule.schema === '')
    const dot = table.indexOf('.')
    const schema = table.slice(0, dot)
    const relation = table.slice(dot + 1)
    return rules.some(
      rule =>
        (rule.relation === '' || rule.relation === relation) &&
        (rule.schema === '' ? this.#schemas.includes(schema) : rule.schema === schema),
    )
  }
}

function keyOf({ scope }: BudgetLimit, acting: Acting, table: TableName): string | undefined {
  switch (scope) {
    case 'actor':
      return acting.actor
    case 'tenant':
      return acting.tenant === '' ? undefined : acting.tenant
    case 'table':
      return table === '' ? undefined : table
    case 'global':
      return ''
  }
}
