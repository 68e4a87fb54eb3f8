import type { Act, Event, Exchange, Json, Principal, StepUpProof } from '@postern/core'
import type { ApprovalGrant, ApprovalPreview } from '../approval/approval.ts'
import { nameOf } from '../approval/people.ts'
import type { Context } from '../policy/context.ts'
import type { Resource } from '../policy/policy-set.ts'

/** Somebody is about to do something. */
export interface ActQuestion {
  readonly principal: Principal
  readonly action: string
  /** What it is done to, with the fields policies ask about. Default: nothing in particular. */
  readonly resource?: Resource
  /** Its id, for the act. Default: the field `id` of the resource. */
  readonly resourceId?: string
  /** Everything else that changes what is done. Default: null. */
  readonly arguments?: Json
  /** The request, where there is one. Proofs bound to an act need it. */
  readonly exchange?: Exchange
  readonly context?: Context
  /** What it would do, asked only when somebody's consent is to be requested. */
  readonly preview?: () => ApprovalPreview | Promise<ApprovalPreview>
  /** Why, for whoever consents. */
  readonly reason?: string
}

/** Permission to do one act, once, and what it took: the policy, the proof of identity, the consent. */
export interface Permit {
  readonly act: Act
  readonly principal: Principal
  /** The policy that allowed it, when policies were asked. */
  readonly policy?: string
  /** The proof of identity it took. */
  readonly proof?: StepUpProof
  /** The consent it took, used up. */
  readonly grant?: ApprovalGrant
  /** The consent as a token for the database, where row budgets are counted. */
  readonly grantToken?: string
  /**
   * What was or is to be written down: for applications that record it in the transaction of the act itself.
   */
  readonly event: Event
}

/** The act of a question, as digests and approvals name it. */
export function actOf({ principal, action, resource, resourceId, arguments: given }: ActQuestion): Act {
  const id = resourceId ?? idOf(resource?.fields)
  return {
    actor: nameOf(principal),
    action,
    resource:
      resource === undefined
        ? (resourceId ?? '')
        : id === undefined
          ? resource.type
          : `${resource.type}/${id}`,
    arguments: given ?? null,
  }
}

function idOf(fields: object | undefined): string | undefined {
  if (fields === undefined || !('id' in fields)) return undefined
  const { id } = fields
  return typeof id === 'string' || typeof id === 'number' || typeof id === 'bigint' ? String(id) : undefined
}
