import { ConfigError } from '@postern/core'
import { type Acting, currentActing } from '../budget/acting-as.ts'
import type { ClaimSigner } from '../budget/actor-claim.ts'
import { budgetError, RowBudgetExceeded } from '../budget/budget-refusal.ts'
import type { ReadBudgets } from '../read/read-budgets.ts'
import type { RunApart } from '../read/table-names.ts'

/** How a guarded connection tells the database who acts. The same for every driver. */
export interface GuardOptions {
  /** Of `claimSigner`. */
  readonly claim: ClaimSigner
  /**
   * Who acts; default: `currentActing()`, which `actingAs` sets. No claim is sent where it says undefined.
   */
  readonly acting?: () => Acting | undefined
  /**
   * Receives every refusal, also when the application swallows the error; must not throw. Also
   * recorded in the database, unless that fails.
   */
  readonly onRefusal?: (refusal: Refused) => void
  /**
   * Budgets on what is read: rows that the database sends are counted, inside `actingAs`. Default: reads are
   * not counted.
   */
  readonly reads?: ReadBudgets | undefined
  /**
   * Sends `DISCARD ALL` before the first statement of another actor than the last, without waiting for its
   * answer: temporary tables and views, prepared statements, settings and LISTEN of one never reach the next.
   * What every session needs is then a setting of the role or of the connection
   * (`options: '-c search_path=shop'`). For connections of `pg` that go to the server directly; a pooler has
   * a setting of its own. Default false.
   */
  readonly discardBetweenActors?: boolean
}

/** @throws ConfigError where nothing signs who acts: the first statement would be too late to say so */
export function checkClaim(options: GuardOptions | undefined, place: string): void {
  if (typeof options?.claim === 'function') return
  throw new ConfigError({
    place: `${place}.claim`,
    problem: 'is not a function that signs who acts',
    hint: 'claim: claimSigner({ key: process.env.CLAIM_KEY })',
  })
}

/** A refusal, and who was refused. */
export interface Refused {
  readonly acting: Acting | undefined
  readonly error: RowBudgetExceeded
}

/**
 * Sets the claim for this transaction only: what a pooler gives to the next client holds none of it. Named
 * with its schema, for a function of that name could be first in the search path that a session was left
 * with, and keep the claims of others.
 */
export const SET_CLAIM = "SELECT pg_catalog.set_config('postern.claim', $1, true)"
const SET_CLAIM_AND_GRANT =
  "SELECT pg_catalog.set_config('postern.claim', $1, true), pg_catalog.set_config('postern.grant', $2, true)"

/** Runs outside of the refused transaction. A claim of its own says who it was. */
export const RECORD_ATTEMPT = 'SELECT postern_budgets.record_attempt($1, $2, $3, $4, $5, $6)'

/** One statement with its values. */
export interface ClaimStatement {
  readonly text: string
  readonly values: readonly string[]
}

/** The statement that makes a fresh claim of who acts now; undefined when nobody does. */
export function claimStatement(options: GuardOptions): ClaimStatement | undefined {
  const acting = (options.acting ?? currentActing)()
  if (acting === undefined) return undefined
  const claim = options.claim(acting)
  return acting.grant === undefined
    ? { text: SET_CLAIM, values: [claim] }
    : { text: SET_CLAIM_AND_GRANT, values: [claim, acting.grant] }
}

/**
 * What to throw for a driver's error. A refusal is reported first; see `reportRefusal`.
 */
export function refusedError(error: unknown, options: GuardOptions, record: RunApart): unknown {
  const meant = budgetError(error)
  if (meant instanceof RowBudgetExceeded && meant !== error)
    reportRefusal(meant, (options.acting ?? currentActing)(), options, record)
  return meant
}

/**
 * Notifies everyone who must know about a refusal. It is recorded by `record`, which runs one statement with
 * values in a transaction of its own; its failure changes nothing.
 */
export function reportRefusal(
  error: RowBudgetExceeded,
  acting: Acting | undefined,
  options: GuardOptions,
  record: RunApart,
): void {
  options.onRefusal?.({ acting, error })
  acting?.refused?.(error)
  const { budget, scope, allowed, asked } = error
  const recorded = async (): Promise<void> => {
    const claim = acting === undefined ? '' : options.claim(acting)
    await record(RECORD_ATTEMPT, [acting?.actor ?? '', budget, scope, allowed, asked, claim])
  }
  recorded().catch(() => {})
}
