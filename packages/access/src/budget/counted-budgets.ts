import type { Clock } from '@postern/core'
import type { Acting } from './acting-as.ts'
import { type BudgetLimit, type BudgetRule, type Budgets, compileBudgets, type RowAction } from './budget.ts'
import type { RefusalDetail } from './budget-refusal.ts'
import { WindowCounter } from './window-counter.ts'

/**
 * A table as the database names it, `schema.table`, or `.table` where the schema is not known. Undefined when
 * rows are of no table, or of one whose name is not known: they count against every budget. Empty as long as
 * the name is being looked up: they count against budgets of all tables.
 */
export type TableName = string | undefined

/** How budgets are counted in this process. */
export interface CountedBudgetsOptions {
  readonly budgets: Budgets
  /** Budgets on other actions are not looked at. */
  readonly actions: readonly RowAction[]
  /** Schemas that names of tables without a schema stand for; undefined: all. */
  readonly schemas: readonly string[] | undefined
  /** Keys (actors, tenants, tables) whose counts are kept for each limit. */
  readonly capacity: number
  readonly clock: Clock
}

interface Limit extends BudgetLimit {
  readonly rules: readonly BudgetRule[]
  readonly counter: WindowCounter
}

/** What was counted on one occasion, so that it can be given back. */
export interface Taken {
  readonly counter: WindowCounter
  readonly key: string
  /** When, epoch milliseconds. */
  readonly at: number
  units: number
}

const STEPS = 8

/**
 * Row budgets counted in this process's memory, where the database cannot count: per actor, tenant, table and
 * window.
 * @throws ConfigError naming every mistake in the budgets
 */
export class CountedBudgets {
  readonly #limits: readonly Limit[]
  readonly #schemas: readonly string[] | undefined
  readonly #clock: Clock
  /** Whether any budget is about one of the actions. */
  readonly isEmpty: boolean
  /** Whether counting needs to know what tables are called. */
  readonly needsNames: boolean

  constructor({ budgets, actions, schemas, capacity, clock }: CountedBudgetsOptions) {
    const { limits, rules } = compileBudgets(budgets)
    this.#schemas = schemas
    this.#clock = clock
    this.#limits = limits.flatMap(limit => {
      const own = rules.filter(({ budget, action }) => budget === limit.budget && actions.includes(action))
      const counter = new WindowCounter(limit.step * STEPS, capacity)
      return own.length === 0 ? [] : [{ ...limit, rules: own, counter }]
    })
    this.isEmpty = this.#limits.length === 0
    this.needsNames = this.#limits.some(
      ({ scope, rules: own }) => scope === 'table' || own.some(({ relation }) => relation !== ''),
    )
  }

  /**
   * Counts units against every limit that they fall under, or against none.
   * @param taken what else was counted on this occasion; receives what is counted now
   * @returns the refusal when that is more than is left
   */
  take(
    acting: Acting,
    action: RowAction,
    table: TableName,
    units: number,
    taken: Taken[],
  ): RefusalDetail | undefined {
    const now = this.#clock.now()
    const held = this.#limits.flatMap(limit => {
      const key = keyOf(limit, acting, table)
      return key === undefined || !this.#isAbout(limit, action, table) ? [] : [{ limit, key }]
    })
    for (const { limit, key } of held) {
      const { budget, scope, rows, over, counter } = limit
      const used = counter.used(key, now)
      if (used + units <= rows) continue
      const own = taken
        .filter(entry => entry.counter === counter && entry.key === key)
        .reduce((sum, entry) => sum + entry.units, 0)
      const retryAt = counter.opens(key, used + units - rows, now)
      return { budget, scope, allowed: Math.max(0, rows - used + own), asked: own + units, retryAt, over }
    }
    for (const { limit, key } of held) {
      limit.counter.add(key, units, now)
      const entry = taken.find(
        known =>
          known.counter === limit.counter && known.key === key && limit.counter.isSameStep(known.at, now),
      )
      if (entry === undefined) taken.push({ counter: limit.counter, key, at: now, units })
      else entry.units += units
    }
    return undefined
  }

  /** Gives back what was counted, and empties the list. */
  giveBack(taken: Taken[]): void {
    const now = this.#clock.now()
    for (const { counter, key, units, at } of taken.splice(0)) counter.giveBack(key, units, at, now)
  }

  #isAbout({ rules }: Limit, action: RowAction, table: TableName): boolean {
    const own = rules.filter(rule => rule.action === action)
    if (table === undefined) return own.length > 0
    if (table === '') return own.some(rule => rule.relation === '' && rule.schema === '')
    const dot = table.indexOf('.')
    const schema = table.slice(0, dot)
    const relation = table.slice(dot + 1)
    return own.some(
      rule =>
        (rule.relation === '' || rule.relation === relation) &&
        (rule.schema === ''
          ? (this.#schemas?.includes(schema) ?? true)
          : schema === '' || rule.schema === schema),
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
