import { RecentMap } from './recent-map.ts'

/**
 * Notices that more first tries fail than usual, over all accounts: one guess at each of many accounts, from
 * many addresses, is invisible in any one of them. A cumulative sum (Page's CUSUM) of log-likelihood ratios
 * between the usual share of failures and one that is clearly higher; each account counts once an hour, so
 * one user who forgot a password is one observation.
 */
export interface Spraying {
  /** Takes one outcome of a client that is not a known device. @returns whether spraying is going on */
  observe(account: string, outcome: 'failed' | 'succeeded', now: number): boolean
  /** Whether spraying is going on. */
  isOn(now: number): boolean
}

export interface SprayingOptions {
  /**
   * The sum at which it is noticed; the mean number of ordinary outcomes between two false alarms
   * grows with its exponential. Default: 25.
   */
  readonly threshold?: number
}

const START_SHARE = 0.15
const LEAST_SHARE = 0.08
const MOST_SHARE = 0.45
/**
 * Outcomes over which the usual share is learned: too slow to be led astray by an attacker who begins gently.
 */
const MEMORY = 5_000
const ONCE_PER = 3_600_000
const QUIET_AFTER = 30 * 60_000

export function spraying(options: SprayingOptions = {}): Spraying {
  const threshold = options.threshold ?? 25
  const countedAt = new RecentMap<number>(20_000)
  let usual = START_SHARE
  let sum = 0
  let alarmUntil = 0

  return {
    observe: (account, outcome, now) => {
      // Successes too: or an attacker would sign in to one account of their own
      // again and again to dilute the failures.
      const last = countedAt.get(account)
      if (last !== undefined && now - last < ONCE_PER) return now < alarmUntil
      countedAt.set(account, now)
      const share = Math.min(MOST_SHARE, Math.max(LEAST_SHARE, usual))
      const raised = share + (1 - share) * 0.35
      const ratio = outcome === 'failed' ? Math.log(raised / share) : Math.log((1 - raised) / (1 - share))
      // Bounded above too: the alarm must end soon after the attack does.
      sum = Math.min(2 * threshold, Math.max(0, sum + ratio))
      if (sum >= threshold) alarmUntil = now + QUIET_AFTER
      // What is suspicious already must not become usual.
      if (sum < threshold / 4) usual += ((outcome === 'failed' ? 1 : 0) - usual) / MEMORY
      return now < alarmUntil
    },
    isOn: now => now < alarmUntil,
  }
}
