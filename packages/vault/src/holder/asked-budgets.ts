import type { RandomSource } from '@postern/core'
import { DAY, holderShare, type Shortage } from './budgets.ts'
import { CountedRecords } from './counted-records.ts'

/** How many scopes of a day are counted for each of a short window. */
const DAY_SCOPES = 10

/** How much may be asked for, before it is divided among the holders. */
export interface AskedBudgetsOptions {
  /** In one window. */
  readonly limit: number
  /** Milliseconds. */
  readonly window: number
  /** In one day. Default: no limit. */
  readonly daily?: number | undefined
  readonly random: RandomSource
  /**
   * Scopes counted at once in the window, ten times as many in the day: whoever asks may name as many as he
   * likes. Default: no limit, for scopes that the configuration names.
   */
  readonly scopes?: number
}

/** Of what one request asks for. */
export interface Asking {
  /** What it is counted against. */
  readonly scope: string
  /** Distinct versions. */
  readonly versions: readonly string[]
  /** How many times the limit holds for this scope. Default 1. */
  readonly times?: number
  /** What a refusal calls the budget. Default: the scope. */
  readonly name?: string
}

interface Window {
  readonly counted: CountedRecords
  readonly limit: number
  readonly window: number
  readonly scopes: number
  /** Stands before the names of budgets. */
  readonly label: string
}

/** What may be asked for per scope, in the window and in a day: search terms, guesses at passwords. */
export class AskedBudgets {
  readonly #windows: readonly Window[]

  constructor({ limit, window, daily, random, scopes = Number.POSITIVE_INFINITY }: AskedBudgetsOptions) {
    const short = { counted: new CountedRecords(window, random), limit, window, scopes, label: '' }
    this.#windows =
      daily === undefined
        ? [short]
        : [
            short,
            {
              counted: new CountedRecords(DAY, random),
              limit: daily,
              window: DAY,
              scopes: scopes * DAY_SCOPES,
              label: 'daily ',
            },
          ]
  }

  /** What some window has not counted yet, or the budget that has not enough left. Counts nothing. */
  weigh(
    { scope, versions, times = 1, name = scope }: Asking,
    now: number,
  ): { readonly shortage: Shortage } | { readonly fresh: readonly string[] } {
    const fresh = new Set<string>()
    for (const { counted, limit, window, scopes, label } of this.#windows) {
      const used = counted.used(scope, now)
      const unseen = versions.filter(version => !counted.has(scope, version))
      const asked = unseen.length
      if (asked === 0) continue
      if (used === 0 && counted.scopes >= scopes)
        return { shortage: { budget: `${label}users`, allowed: 0, asked, retryAt: now + window } }
      const most = holderShare(limit * times)
      if (used + asked > most) {
        const retryAt = counted.freeAt(scope, asked, most, now)
        return { shortage: { budget: label + name, allowed: Math.max(0, most - used), asked, retryAt } }
      }
      for (const version of unseen) fresh.add(version)
    }
    return { fresh: [...fresh] }
  }

  /**
   * Counts what was asked for. Ask `weigh` first.
   * @param now the time, where it was asked for earlier, as a journal remembers it
   */
  charge(scope: string, versions: readonly string[], time: number, now: number = time): void {
    for (const { counted, window } of this.#windows)
      if (time > now - window) for (const version of versions) counted.add(scope, version, time)
  }
}
