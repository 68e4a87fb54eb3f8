import type { Clock } from '@postern/core'
import type { Agent } from './agent.ts'

/** Counts of the current window and the one before it. */
interface Count {
  start: number
  current: number
  previous: number
}

/** Agents and actions counted at a time; the longest unused is forgotten beyond it. */
const MAX_COUNTS = 20_000

/**
 * What agents have used of their budgets, in this process. A window slides: what the one before it held
 * counts by the part of it that is still inside, so that two bursts at a boundary do not double the budget.
 */
export class AgentBudgets {
  readonly #counts = new Map<string, Count>()
  readonly #clock: Clock

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /**
   * Takes one call. @returns undefined when there was one left, else milliseconds
   * until there may be; nothing is taken then
   */
  spend(name: string, { budget }: Agent, action: string): number | undefined {
    if (budget === undefined) return undefined
    const { windowMs, calls, rows, perAction } = budget
    const ofAction =
      perAction !== undefined && Object.hasOwn(perAction, action) ? perAction[action] : undefined
    const asked = [
      { key: `calls ${name}`, limit: calls, cost: 1 },
      { key: `action ${name} ${action}`, limit: ofAction, cost: 1 },
      // A call that may change rows is refused once there are none left.
      { key: `rows ${name}`, limit: rows === undefined ? undefined : Math.max(0, rows - 1), cost: 0 },
    ].filter(one => one.limit !== undefined)
    for (const { key, limit = 0, cost } of asked) {
      const count = this.#count(key, windowMs)
      if (this.#used(count, windowMs) + cost > limit) return this.#wait(count, windowMs)
    }
    for (const { key, cost } of asked) this.#count(key, windowMs).current += cost
    return undefined
  }

  /** Counts rows that an agent has changed. */
  addRows(name: string, { budget }: Agent, rows: number): void {
    if (budget?.rows !== undefined && rows > 0) this.#count(`rows ${name}`, budget.windowMs).current += rows
  }

  #used({ start, current, previous }: Count, windowMs: number): number {
    const inside = 1 - (this.#clock.monotonic() - start) / windowMs
    return current + previous * Math.max(0, inside)
  }

  #wait({ start }: Count, windowMs: number): number {
    return Math.max(1, start + windowMs - this.#clock.monotonic())
  }

  #count(key: string, windowMs: number): Count {
    const now = this.#clock.monotonic()
    const known = this.#counts.get(key)
    const count = known ?? { start: now, current: 0, previous: 0 }
    const passed = Math.floor((now - count.start) / windowMs)
    if (passed > 0) {
      count.previous = passed === 1 ? count.current : 0
      count.current = 0
      count.start += passed * windowMs
    }
    this.#counts.delete(key)
    this.#counts.set(key, count)
    if (this.#counts.size > MAX_COUNTS) {
      const oldest = this.#counts.keys().next()
      if (oldest.done !== true) this.#counts.delete(oldest.value)
    }
    return count
  }
}
