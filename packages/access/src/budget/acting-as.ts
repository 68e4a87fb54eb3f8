import { AsyncLocalStorage } from 'node:async_hooks'
import { type Exchange, networkOf, requestUrn } from '@postern/core'
import type { RowBudgetExceeded } from './budget-refusal.ts'

/** On whose behalf the database is used, for the duration of one request or job. */
export interface Acting {
  /** Kind and id of the principal, `user:alice`, as in `Act.actor`. At most 256 characters, not empty. */
  readonly actor: string
  /** At most 256 characters; no tenant when absent. */
  readonly tenant?: string | undefined
  /**
   * `actDigest` of what is being done, as hex, when a `guard` knows it. A grant is good for this act only.
   */
  readonly act?: string | undefined
  /** A token of `signBudgetGrant`: the approval under which this is done. */
  readonly grant?: string | undefined
  /** The request that this is done in, as `budgetAnswer` names it (`instance`, RFC 9457). */
  readonly instance?: string | undefined
  /** Hears that the database refused what was done on this behalf. Must not throw. */
  readonly refused?: ((error: RowBudgetExceeded) => void) | undefined
}

/** One call of `actingAs`: several may be given the same object. */
export interface ActingRun {
  readonly acting: Acting
}

const current = new AsyncLocalStorage<ActingRun>()

/**
 * Runs work on behalf of an actor: every statement that a guarded connection sends
 * meanwhile carries a signed claim of it.
 * @example
 * await actingAs({ actor: 'user:alice', tenant: 'acme' }, () => pool.query('DELETE
 * FROM orders WHERE id = $1', [id]))
 */
export function actingAs<T>(acting: Acting, work: () => T): T {
  return current.run({ acting }, work)
}

/** Who acts here; undefined outside `actingAs`. */
export function currentActing(): Acting | undefined {
  return current.getStore()?.acting
}

/** The call of `actingAs` that is under way here. */
export function currentRun(): ActingRun | undefined {
  return current.getStore()
}

/**
 * The actor of an exchange that was identified: `user:alice` of tenant `acme`. An
 * anonymous client is its address, of IPv6 the /56 that one customer has.
 * @example
 * const handler = (exchange: Exchange) => actingAs(actingIn(exchange), () => handle(exchange))
 */
export function actingIn(exchange: Exchange): Acting {
  const { kind, id, tenant } = exchange.principal
  return {
    actor: kind === 'anonymous' ? `address:${networkOf(exchange.client)}` : `${kind}:${id}`,
    ...(tenant !== undefined && { tenant }),
    instance: requestUrn(exchange),
  }
}
