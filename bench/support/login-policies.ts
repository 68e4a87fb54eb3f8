/** What a policy says to a try at an account. */
export interface LoginPolicy {
  readonly name: string
  /** Whether the password is looked at; if so, the outcome counts. @param now milliseconds */
  attempt(account: string, address: string, right: 'right' | 'wrong', now: number): boolean
  /** Whether the owner would be let in now, without anything changing. */
  admits(account: string, address: string, now: number): boolean
}

const SECOND = 1_000
const HOUR = 3_600_000
const DAY = 24 * HOUR

interface Count {
  points: number
  until: number
  blockedUntil: number
}

/**
 * rate-limiter-flexible, "Login endpoint protection" of its wiki: 100 failures per address and day (blocked
 * for a day), 10 consecutive failures per account and address (kept 90 days, blocked for an hour). The sample
 * blocks with the failure after the last that it allows; here it is that one, in its favour.
 * https://github.com/animir/node-rate-limiter-flexible/wiki/Overall-example#login-endpoint-protection
 */
export function flexibleSample(): LoginPolicy {
  const byAddress = new Map<string, Count>()
  const byPair = new Map<string, Count>()
  const isBlocked = (map: Map<string, Count>, key: string, now: number): boolean =>
    (map.get(key)?.blockedUntil ?? 0) > now
  const fail = (
    map: Map<string, Count>,
    key: string,
    max: number,
    duration: number,
    block: number,
    now: number,
  ): void => {
    let count = map.get(key)
    if (
      count === undefined ||
      count.until <= now ||
      (count.blockedUntil !== 0 && count.blockedUntil <= now)
    ) {
      count = { points: 0, until: now + duration, blockedUntil: 0 }
      map.set(key, count)
    }
    if (++count.points >= max) count.blockedUntil = now + block
  }
  const admits = (account: string, address: string, now: number): boolean =>
    !isBlocked(byAddress, address, now) && !isBlocked(byPair, `${account} ${address}`, now)
  return {
    name: 'rate-limiter-flexible sample',
    admits,
    attempt: (account, address, right, now) => {
      if (!admits(account, address, now)) return false
      const pair = `${account} ${address}`
      if (right === 'right') byPair.delete(pair)
      else {
        fail(byAddress, address, 100, DAY, DAY, now)
        fail(byPair, pair, 10, 90 * DAY, HOUR, now)
      }
      return true
    },
  }
}

/**
 * better-auth's default for `/sign-in`: 3 requests in 10 seconds for each address, counted from the last one.
 * https://better-auth.com/docs/concepts/rate-limit
 */
export function betterAuthDefault(): LoginPolicy {
  const windows = new Map<string, { count: number; last: number }>()
  const admits = (_account: string, address: string, now: number): boolean => {
    const window = windows.get(address)
    return window === undefined || now - window.last >= 10 * SECOND || window.count < 3
  }
  return {
    name: 'better-auth default',
    admits,
    attempt: (account, address, _right, now) => {
      if (!admits(account, address, now)) return false
      const window = windows.get(address)
      if (window === undefined || now - window.last >= 10 * SECOND)
        windows.set(address, { count: 1, last: now })
      else windows.set(address, { count: window.count + 1, last: now })
      return true
    },
  }
}

/**
 * Keycloak's brute-force detection as its server administration guide gives it, temporary lockout: 30
 * failures, 1 minute more for every 30, at most 15 minutes, 1 minute after two failures within a second,
 * forgotten after 12 hours. The account is what is locked. Off by default; these are its default values.
 * https://www.keycloak.org/docs/latest/server_admin/#password-guess-brute-force-attacks
 */
export function keycloakPolicy(): LoginPolicy {
  const accounts = new Map<string, { failures: number; last: number; notBefore: number }>()
  const admits = (account: string, _address: string, now: number): boolean =>
    (accounts.get(account)?.notBefore ?? 0) <= now
  return {
    name: 'Keycloak brute force detection',
    admits,
    attempt: (account, address, right, now) => {
      if (!admits(account, address, now)) return false
      if (right === 'right') {
        accounts.delete(account)
        return true
      }
      const before = accounts.get(account) ?? { failures: 0, last: Number.NEGATIVE_INFINITY, notBefore: 0 }
      const since = now - before.last
      const failures = since > 12 * HOUR ? 1 : before.failures + 1
      let wait = 60 * Math.floor(failures / 30)
      if (wait === 0 && since < SECOND) wait = 60
      accounts.set(account, { failures, last: now, notBefore: now + Math.min(900, wait) * SECOND })
      return true
    },
  }
}
