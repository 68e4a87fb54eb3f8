import { ALLOW, type Decision } from '../decision/decision.ts'
import type { Exchange } from '../exchange/exchange.ts'
import { checkedPrincipal, type Principal } from '../exchange/principal.ts'
import { systemTimers, type Timers } from '../system/timers.ts'
import { type Duration, parseDuration } from '../time/duration.ts'
import { isPending } from './checked-decision.ts'
import type { Guard } from './guard.ts'

/**
 * Says who sends a request, from its credentials: a session, a key, a token. Undefined means nobody: the
 * exchange stays anonymous. Answers synchronously where possible; a promise makes the request wait. A wrong
 * credential is not an error: return undefined, and let the handler answer 401.
 * @example
 * ```ts
 * import type { Identify } from 'postern'
 *
 * const users = new Map([['secret-of-ann', 'ann']])
 * export const identify: Identify = exchange => {
 *   const id = users.get(exchange.header('x-token') ?? '')
 *   return id === undefined ? undefined : { kind: 'user', id }
 * }
 * ```
 */
export type Identify = (exchange: Exchange) => Principal | undefined | Promise<Principal | undefined>

/** How long `identify` may take, and what happens when it fails. */
export interface IdentifyOptions {
  /** How long a request waits for an answer. Default: `1s`. */
  readonly deadline?: Duration
  /**
   * What happens when `identify` throws, rejects, returns something that is not a principal, or misses the
   * deadline: the request continues as anonymous, so that limits and bans on principals do not apply to it
   * (`anonymous`, the default), or is answered 503 (`refuse`). Either way the error is reported.
   */
  readonly onFailure?: 'anonymous' | 'refuse'
  readonly timers?: Timers
}

/**
 * The guard that asks `identify` and fills `exchange.principal`. Place it after the guards that decide about
 * addresses and before those that decide about principals.
 * @throws ConfigError for a deadline that is not a duration
 */
export function identifyGuard(identify: Identify, options: IdentifyOptions = {}): Guard {
  const deadline = parseDuration(options.deadline ?? '1s', 'identify.deadline')
  const timers = options.timers ?? systemTimers
  const take = (exchange: Exchange, said: unknown): Decision => {
    const principal = checkedPrincipal(said)
    if (principal.id !== '') exchange.setPrincipal(principal)
    return ALLOW
  }
  return {
    name: 'identify',
    failure: options.onFailure === 'refuse' ? 'closed' : 'open',
    decide(exchange) {
      const said: unknown = identify(exchange)
      return isPending(said)
        ? inTime(said, deadline, timers).then(late => take(exchange, late))
        : take(exchange, said)
    },
  }
}

/** The answer, or a rejection once the deadline has passed; later answers are ignored. */
function inTime(said: PromiseLike<unknown>, deadline: number, timers: Timers): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const cancel = timers.after(deadline, () =>
      reject(new Error(`identify did not answer within ${deadline} ms`)),
    )
    Promise.resolve(said).then(resolve, reject).finally(cancel)
  })
}
