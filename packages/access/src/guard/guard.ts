import { ConfigError, type Exchange, type Json, type Principal } from '@postern/core'
import type { ApprovalPreview } from '../approval/approval.ts'
import { actingAs } from '../budget/acting-as.ts'
import type { Context } from '../policy/context.ts'
import type { Resource } from '../policy/policy-set.ts'
import type { Access } from './access.ts'
import { AccessRefused } from './access-refusal.ts'
import { actArguments } from './act-arguments.ts'
import type { Permit } from './act-question.ts'
import type { ActRule } from './act-rule.ts'

/** Who calls a guarded function, and why. */
export interface Caller {
  readonly principal: Principal
  readonly exchange?: Exchange
  readonly context?: Context
  readonly reason?: string
}

/** What a guarded function requires, and how its arguments become a resource and an act. */
export interface GuardedActOptions<Input> extends ActRule {
  /**
   * What it is done to, for policies: looked up by id, so that they see its owner and
   * state, not what the caller says of them.
   */
  readonly resource?: (input: Input, caller: Caller) => Resource | Promise<Resource>
  /**
   * What else changes what is done, so that a consent is for this and nothing else.
   * Default: the whole input, as JSON.
   */
  readonly arguments?: (input: Input) => Json
  /** What it would do: counted, with a few of the rows. Asked only before a second person is. */
  readonly preview?: (input: Input, caller: Caller) => ApprovalPreview | Promise<ApprovalPreview>
  /**
   * `with`: the handler records `permit.event` in its own transaction. Default: `before`, the act
   * is in the log before the handler runs.
   */
  readonly audit?: 'before' | 'with'
}

/** A function that is guarded: it does its work, or throws `AccessRefused`. */
export type Guarded<Input, Output> = (input: Input, caller: Caller) => Promise<Output>

/**
 * Puts a guard before a function.
 * @throws ConfigError at once for a rule that cannot hold, or that would let everybody pass
 * @example
 * const purge = guard(access, 'invoice.purge', {
 *   require: { role: 'finance', stepUp: '10m' },
 *   approve: { by: 'role:owner', distinct: true, ttl: '1h', rows: 5_000 },
 *   budget: 'invoices.delete',
 * }, async ({ before }, permit) => deleteInvoices(before, permit.grantToken))
 * await purge({ before: '2020-01-01' }, { principal })
 */
export function guard<Input, Output>(
  access: Access,
  action: string,
  options: GuardedActOptions<Input>,
  handler: (input: Input, permit: Permit) => Output | Promise<Output>,
): Guarded<Input, Output> {
  if (typeof access?.compileGuard !== 'function')
    throw new ConfigError({
      place: 'guard',
      problem: 'takes what Access makes as its first argument',
      hint: "guard(new Access(), 'invoice.purge', { require: { role: 'finance' } }, input => ...)",
    })
  const { resource: resourceOf, arguments: argumentsOf, preview, audit = 'before', ...rule } = options
  const compiled = access.compileGuard(rule, `guard "${action}"`, resourceOf !== undefined)
  return async (input, caller) => {
    const resource = await resourceOf?.(input, caller)
    const outcome = await access.check(
      {
        ...caller,
        action,
        arguments: argumentsOf === undefined ? actArguments(input) : argumentsOf(input),
        ...(resource !== undefined && { resource }),
        ...(preview !== undefined && { preview: () => preview(input, caller) }),
      },
      compiled,
      audit,
    )
    if (outcome.kind === 'refusal') throw new AccessRefused(outcome.refusal)
    const { permit } = outcome
    try {
      const result = await underGrant(permit, () => handler(input, permit))
      access.ended(permit, 'done')
      return result
    } catch (error) {
      access.ended(permit, 'failed')
      throw error
    }
  }
}

/** A consent that opens row budgets goes to the database with whatever the handler sends it. */
function underGrant<Output>(
  { act, grant, grantToken, principal }: Permit,
  work: () => Output | Promise<Output>,
): Output | Promise<Output> {
  if (grant === undefined || grantToken === undefined) return work()
  return actingAs({ actor: act.actor, tenant: principal.tenant, act: grant.act, grant: grantToken }, work)
}
