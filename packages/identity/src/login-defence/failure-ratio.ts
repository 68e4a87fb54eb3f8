import { RecentMap } from './recent-map.ts'

/** Tries and failures of one source, fading. */
interface Tally {
  readonly tries: number
  readonly failures: number
  /**
   * Accounts that failed, newest first, at most 24: how many different ones is what sets
   * stuffing apart from a forgotten password.
   */
  readonly accounts: readonly string[]
  readonly at: number
}

/** What a source looks like now. */
export interface SourceStanding {
  readonly tries: number
  readonly failures: number
  /** Different accounts that failed lately, at most 24. */
  readonly accounts: number
}

const HALF_LIFE = 10 * 60_000
const MAX_ACCOUNTS = 24
const FORGOTTEN = 0.5

/**
 * Failure ratios by address and by network: bounded (10,000 sources of each), fading
 * with a half-life of ten minutes.
 */
export class FailureRatios {
  readonly #tallies: RecentMap<Tally>

  constructor(max = 10_000) {
    this.#tallies = new RecentMap(max)
  }

  note(source: string, account: string, failed: 'failed' | 'succeeded', now: number): SourceStanding {
    const before = this.#faded(source, now)
    const isFailure = failed === 'failed'
    const tally: Tally = {
      tries: before.tries + 1,
      failures: before.failures + (isFailure ? 1 : 0),
      accounts: isFailure
        ? [account, ...before.accounts.filter(other => other !== account)].slice(0, MAX_ACCOUNTS)
        : before.accounts.filter(other => other !== account),
      at: now,
    }
    this.#tallies.set(source, tally)
    return { ...tally, accounts: tally.accounts.length }
  }

  standing(source: string, now: number): SourceStanding {
    const { tries, failures, accounts } = this.#faded(source, now)
    return { tries, failures, accounts: accounts.length }
  }

  #faded(source: string, now: number): Tally {
    const tally = this.#tallies.get(source)
    if (tally === undefined) return { tries: 0, failures: 0, accounts: [], at: now }
    const left = 0.5 ** (Math.max(0, now - tally.at) / HALF_LIFE)
    const tries = tally.tries * left
    if (tries < FORGOTTEN) return { tries: 0, failures: 0, accounts: [], at: now }
    return { tries, failures: tally.failures * left, accounts: tally.accounts, at: now }
  }
}
