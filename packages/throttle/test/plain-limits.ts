import type { Rule } from '../src/rule/rule.ts'

/** What one ask of a question is answered. */
export interface Told {
  readonly remaining: number
  readonly resetAfter: number
  readonly retryAfter: number
  readonly ticket: number
}

export interface Ask {
  readonly key: string
  readonly rule: Rule
  readonly cost: number
}

/** The counts of a key: by sub-window, or the tokens left of a bucket at a time. */
interface Counts {
  readonly units: Map<number, number>
  tokens: number
  at: number
}

/** Limits as docs/limits.md explains them, in maps and without any thought of speed. */
export class PlainLimits {
  readonly #counts = new Map<string, Counts>()

  #of({ key, rule }: Pick<Ask, 'key' | 'rule'>, now: number): Counts {
    const name = `${key}\n${rule.kind === 'gcra' ? 'gcra' : `${rule.step} ${rule.parts}`}`
    let counts = this.#counts.get(name)
    if (counts === undefined) {
      counts = { units: new Map(), tokens: rule.limit, at: now }
      this.#counts.set(name, counts)
    }
    return counts
  }

  /** All or nothing. @returns the first ask that was refused, or -1, and what each is answered */
  decide(asks: readonly Ask[], now: number): { readonly refused: number; readonly told: readonly Told[] } {
    const looked = asks.map(ask =>
      ask.rule.kind === 'gcra' ? this.#bucket(ask, now) : this.#window(ask, now),
    )
    const refused = looked.findIndex(({ passes }) => !passes)
    if (refused < 0)
      for (const ask of asks) {
        const counts = this.#of(ask, now)
        const index = Math.floor(now / (ask.rule.step || 1))
        if (ask.rule.kind === 'gcra') counts.tokens -= ask.cost
        else counts.units.set(index, (counts.units.get(index) ?? 0) + ask.cost)
      }
    const told = looked.map(({ told: one }, i) => ({
      ...one,
      remaining: one.remaining - (refused < 0 ? (asks[i]?.cost ?? 0) : 0),
    }))
    return { refused, told }
  }

  #window({ key, rule, cost }: Ask, now: number): { readonly passes: boolean; readonly told: Told } {
    const counts = this.#of({ key, rule }, now)
    const index = Math.floor(now / rule.step)
    const oldest = index - rule.parts
    for (const part of counts.units.keys()) if (part < oldest) counts.units.delete(part)
    const used = [...counts.units.values()].reduce((sum, units) => sum + units, 0)
    const left = rule.limit - used
    const passes = cost === 0 || cost <= left
    // In how many sub-windows enough has left: those of the oldest leave with the next one.
    const needed = (cost === 0 ? 1 : cost) - left
    let steps = rule.parts + 1
    let freed = 0
    for (let part = oldest; part <= index; part++) {
      freed += counts.units.get(part) ?? 0
      if (freed < needed) continue
      steps = part - oldest + 1
      break
    }
    const told = {
      remaining: Math.max(0, left),
      resetAfter: used === 0 && cost === 0 ? 0 : (index + rule.parts + 1) * rule.step - now,
      retryAfter: passes && left > 0 ? 0 : (index + steps) * rule.step - now,
      ticket: index,
    }
    return { passes, told }
  }

  #bucket({ key, rule, cost }: Ask, now: number): { readonly passes: boolean; readonly told: Told } {
    const counts = this.#of({ key, rule }, now)
    counts.tokens = Math.min(rule.limit, counts.tokens + (now - counts.at) / rule.interval)
    counts.at = now
    const { tokens } = counts
    const passes = cost === 0 || cost <= tokens + 1e-6
    const told = {
      remaining: Math.floor(tokens + 1e-6),
      resetAfter: (rule.limit - tokens + (passes ? cost : 0)) * rule.interval,
      retryAfter: passes && tokens + 1e-6 >= 1 ? 0 : ((cost === 0 ? 1 : cost) - tokens) * rule.interval,
      ticket: Number.NaN,
    }
    return { passes, told }
  }

  release({ key, rule, cost }: Ask, ticket: number, now: number): void {
    const { units } = this.#of({ key, rule }, now)
    const counted = units.get(ticket) ?? 0
    units.set(ticket, counted - Math.min(cost, counted))
  }

  reset(key: string): void {
    for (const name of this.#counts.keys()) if (name.startsWith(`${key}\n`)) this.#counts.delete(name)
  }
}
