import type { RandomSource } from '@postern/core'
import { Budgets, type Charge, DAY, holderShare, type Weighed } from './budgets.ts'
import type { HolderPolicy } from './holder-policy.ts'

/** Stands before the names of budgets of a day. */
const DAILY = 'daily '

/** Milliseconds that a holder must remember openings for: its longest window. */
export function longestWindow(policy: HolderPolicy): number {
  return hasDaily(policy) ? Math.max(DAY, policy.window) : policy.window
}

function hasDaily({ daily, services }: HolderPolicy): boolean {
  return daily !== undefined || Object.values(services).some(service => service.daily !== undefined)
}

/** Records that one holder counts, of everything, and may at most. */
export interface BudgetUsage {
  readonly opened: number
  readonly limit: number
  /** Of the day. Absent where nothing limits that. */
  readonly openedInDay?: number
  readonly dayLimit?: number
}

/**
 * The budgets of a holder over all its windows: an opening must fit in each. The short one stops a thief who
 * takes much at once, that of a day one who stays below it.
 */
export class WindowBudgets {
  readonly #windows: readonly Budgets[]
  readonly #policy: HolderPolicy

  constructor(policy: HolderPolicy, random: RandomSource) {
    this.#policy = policy
    const { budgets: limits, daily = {}, services, window } = policy
    const short = new Budgets({
      ...{ limits, window, random },
      ofService: service => services[service]?.budgets ?? {},
    })
    const long = (): Budgets =>
      new Budgets({
        ...{ limits: daily, window: DAY, random, label: DAILY },
        ofService: service => services[service]?.daily ?? {},
      })
    this.#windows = hasDaily(policy) ? [short, long()] : [short]
  }

  /** Holds an opening against every budget of every window. Counts nothing. */
  weigh(charge: Charge, now: number): Weighed {
    const fresh = new Map<string, string>()
    for (const budgets of this.#windows) {
      const weighed = budgets.weigh(charge, now, fresh)
      if ('shortage' in weighed) return weighed
    }
    return { fresh }
  }

  /**
   * Counts an opening. Ask `weigh` first.
   * @param now the time, where the opening was earlier, as a journal remembers it
   */
  charge(charge: Charge, time: number, now: number = time): void {
    for (const budgets of this.#windows) if (time > now - budgets.window) budgets.charge(charge, time)
  }

  /** How far the budgets of everything are used. */
  usage(now: number): BudgetUsage {
    const { budgets, daily } = this.#policy
    return {
      opened: this.used('all', now),
      limit: holderShare(budgets.all),
      ...(daily?.all !== undefined && {
        openedInDay: this.used(`${DAILY}all`, now),
        dayLimit: holderShare(daily.all),
      }),
    }
  }

  /** Units used of a scope of the short window, or of the day with `daily ` before it. */
  used(scope: string, now: number): number {
    const [short, day] = this.#windows
    return (
      (scope.startsWith(DAILY) ? day?.used(scope.slice(DAILY.length), now) : short?.used(scope, now)) ?? 0
    )
  }
}
