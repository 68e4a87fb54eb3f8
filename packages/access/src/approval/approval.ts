import type { Act, Json } from '@postern/core'
import type { BudgetGrant } from '../budget/budget-grant.ts'

/** What the act would do, given by whoever asks for the approval: counted in a dry run, never guessed. */
export interface ApprovalPreview {
  /** One sentence. */
  readonly summary?: string
  /** Rows it would change, by table. */
  readonly rows?: Readonly<Record<string, number>>
  /** A few of those rows. */
  readonly sample?: readonly Json[]
  /** The body of the request that asks, as text, secrets masked. Shown only to whoever decides. */
  readonly body?: string
}

/**
 * Where a request stands. Only `pending` and `approved` can change; `used`,
 * `denied`, `expired` and `cancelled` are final.
 */
export type ApprovalState = 'pending' | 'approved' | 'denied' | 'used' | 'expired' | 'cancelled'

/** A request for a second person's consent to one act. */
export interface Approval {
  /** 32 hex characters, random. */
  readonly id: string
  readonly state: ApprovalState
  readonly act: Act
  /** `actDigest(act, requestedAt, id)`, hex: what the consent is bound to. */
  readonly digest: string
  /** Tenant of whoever asks; empty when there is none. Nobody of another tenant decides. */
  readonly tenant: string
  /**
   * Everybody who stands behind the request, `user:alice`: the principal, whoever impersonates it, and whose
   * machine it is. None of them decides.
   */
  readonly behind: readonly string[]
  /**
   * Owner of the agent that asks, `user:alice`; empty when no agent does. Decides
   * only where `by` names the owner.
   */
  readonly owner: string
  /**
   * Who may decide: `role:owner`, `scope:approve`, `user:bob`, `owner` (of the agent
   * that asks). One of them is enough.
   */
  readonly by: readonly string[]
  /** Rows the act may change at most. */
  readonly rows: number | undefined
  /** Budgets that the consent stands in for. */
  readonly budgets: readonly string[]
  readonly preview: ApprovalPreview
  /** The requester's own reason. */
  readonly reason: string
  /** Epoch milliseconds. */
  readonly requestedAt: number
  /** Until when it can be decided, and once approved, be used; epoch milliseconds. */
  readonly expiresAt: number
  readonly decidedBy: string | undefined
  readonly decidedAt: number | undefined
  readonly note: string
}

/**
 * What a redeemed approval gives: a budget grant whose id is that of the approval; of 0 rows, which opens no
 * budget, when none were asked for.
 */
export interface ApprovalGrant extends BudgetGrant {
  /** Who consented. */
  readonly approvedBy: string
}
