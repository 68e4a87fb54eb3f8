import type { Clock } from '@postern/core'
import { type KeptCounts, memoryCounts } from '../edge/unit-counts.ts'
import type { Agent } from './agent.ts'

/** Counts of the current window and the one before it. */
export interface AgentCount {
  /** Milliseconds: of the wall clock where several processes share it. */
  readonly start: number
  readonly window: number
  readonly current: number
  readonly previous: number
}

const NONE: AgentCount = { start: 0, window: 0, current: 0, previous: 0 }

/** How counts of agents are kept in a store: four numbers. */
export const AGENT_COUNTS: {
  read(text: string | undefined): AgentCount
  write(count: AgentCount): string
  lifetime(count: AgentCount): number
} = {
  read: text => {
    const [start = 0, window = 0, current = 0, previous = 0] = (text ?? '').split(' ').map(Number)
    return [start, window, current, previous].every(Number.isFinite)
      ? { start, window, current, previous }
      : NONE
  },
  write: ({ start, window, current, previous }) => [start, window, current, previous].join(' '),
  lifetime: ({ window }) => 2 * window,
}

/** Agents and actions counted in memory at a time; the longest unused is forgotten beyond it. */
const MAX_COUNTS = 20_000

interface Ask {
  readonly key: string
  readonly limit: number
  readonly cost: number
}

/**
 * What agents have used of their budgets. A window slides: what the one before it held counts by the part of
 * it that is still inside, so that two bursts at a boundary do not double the budget.
 */
export class AgentBudgets {
  readonly #counts: KeptCounts<AgentCount>
  readonly #now: () => number

  /** @param shared where all processes count; without it this one counts in its memory */
  constructor(clock: Clock, shared?: KeptCounts<AgentCount>) {
    this.#counts = shared ?? memoryCounts(MAX_COUNTS, NONE)
    this.#now = shared === undefined ? () => clock.monotonic() : () => clock.now()
  }

  /**
   * Takes one call. @returns undefined when there was one left, else milliseconds
   * until there may be; nothing is taken then
   * @throws StoreError (rejects) when it cannot be counted
   */
  async spend(name: string, { budget }: Agent, action: string): Promise<number | undefined> {
    if (budget === undefined) return undefined
    const { windowMs, calls, rows, perAction } = budget
    const ofAction =
      perAction !== undefined && Object.hasOwn(perAction, action) ? perAction[action] : undefined
    const asks: Ask[] = []
    // A call that may change rows is refused once there are none left.
    if (rows !== undefined) asks.push({ key: `rows ${name}`, limit: Math.max(0, rows - 1), cost: 0 })
    if (calls !== undefined) asks.push({ key: `calls ${name}`, limit: calls, cost: 1 })
    if (ofAction !== undefined) asks.push({ key: `action ${name} ${action}`, limit: ofAction, cost: 1 })
    for (const [at, { key, limit, cost }] of asks.entries()) {
      const wait = await this.#counts.update(key, kept => {
        const count = currentOf(kept, windowMs, this.#now())
        if (usedOf(count, this.#now()) + cost > limit)
          return { result: Math.max(1, count.start + windowMs - this.#now()) }
        if (cost === 0) return { result: undefined }
        return { record: { ...count, current: count.current + cost }, result: undefined }
      })
      if (wait === undefined) continue
      for (const taken of asks.slice(0, at)) await this.#add(taken.key, windowMs, -taken.cost)
      return wait
    }
    return undefined
  }

  /** Counts rows that an agent has changed. @throws StoreError (rejects) when they cannot be counted */
  async addRows(name: string, { budget }: Agent, rows: number): Promise<void> {
    if (budget?.rows !== undefined && rows > 0) await this.#add(`rows ${name}`, budget.windowMs, rows)
  }

  #add(key: string, windowMs: number, units: number): undefined | Promise<undefined> {
    if (units === 0) return undefined
    return this.#counts.update(key, kept => {
      const count = currentOf(kept, windowMs, this.#now())
      return { record: { ...count, current: Math.max(0, count.current + units) }, result: undefined }
    })
  }
}

/** A count at this moment: with a window that began, or moved on. */
function currentOf(kept: AgentCount, windowMs: number, now: number): AgentCount {
  if (kept.window !== windowMs) return { start: now, window: windowMs, current: kept.current, previous: 0 }
  const passed = Math.floor((now - kept.start) / windowMs)
  if (passed <= 0) return kept
  return {
    start: kept.start + passed * windowMs,
    window: windowMs,
    current: 0,
    previous: passed === 1 ? kept.current : 0,
  }
}

function usedOf({ start, window, current, previous }: AgentCount, now: number): number {
  return current + previous * Math.max(0, 1 - (now - start) / window)
}
