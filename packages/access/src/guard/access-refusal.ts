import { PosternError } from '@postern/core'
import type { Approval } from '../approval/approval.ts'

/** What was missing. */
export type WhyNotYet =
  | 'sign-in'
  | 'kind'
  | 'role'
  | 'scope'
  | 'impersonation'
  | 'policy'
  | 'step-up'
  | 'approval-pending'
  | 'approval-denied'
  | 'limit'

/**
 * A refusal that says what is missing and what to do next. Everything in it may be
 * shown to the caller, but `policy`.
 */
export interface AccessRefusal {
  readonly why: WhyNotYet
  /** 401 when the caller must prove who they are, 429 when a budget is used up, else 403. */
  readonly status: 401 | 403 | 429
  /** What is missing. */
  readonly message: string
  /** What to do about it. */
  readonly next: string
  /** Answer headers: name, value, ... */
  readonly headers: readonly string[]
  /** The request for consent, and where it is followed. */
  readonly approval?: {
    readonly id: string
    readonly state: Approval['state']
    readonly follow: string
    readonly expiresAt: number
  }
  /** The budget that it goes over. */
  readonly budget?: {
    readonly budget: string
    readonly allowed: number
    readonly asked: number
    readonly retryAt: number
  }
  /** Where a browser proves who it is. */
  readonly stepUp?: string
  /** Seconds until the same call may pass. */
  readonly retryAfter?: number
  /** The request that was refused, as `postern explain` takes it; absent outside a request. */
  readonly instance?: string
  /** The policy that decided, for the operator. */
  readonly policy?: string
}

/**
 * Thrown by guarded functions instead of calling what they guard. GraphQL and tRPC
 * pass `extensions` on to the client.
 */
export class AccessRefused extends PosternError {
  readonly code = 'POSTERN_REFUSED'
  readonly refusal: AccessRefusal

  constructor(refusal: AccessRefusal) {
    super(`${refusal.message} ${refusal.next}`)
    this.refusal = refusal
  }

  get extensions(): Readonly<Record<string, unknown>> {
    return { ...publicRefusal(this.refusal), code: this.code, http: { status: this.refusal.status } }
  }
}

/** What a caller may see of a refusal. */
export function publicRefusal(refusal: AccessRefusal): Readonly<Record<string, string | number | object>> {
  const { why, status, message, next, approval, budget, stepUp, retryAfter, instance } = refusal
  return {
    why,
    status,
    message,
    next,
    ...(approval !== undefined && {
      approval: { ...approval, expiresAt: new Date(approval.expiresAt).toISOString() },
    }),
    ...(budget !== undefined && { ...budget, retryAt: new Date(budget.retryAt).toISOString() }),
    ...(stepUp !== undefined && { stepUp }),
    ...(retryAfter !== undefined && { retryAfter }),
    ...(instance !== undefined && { instance }),
  }
}
