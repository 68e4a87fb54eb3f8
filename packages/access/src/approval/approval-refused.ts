import { PosternError } from '@postern/core'

/** Why a step of an approval was not taken. */
export type WhyRefused =
  | 'unknown'
  | 'approver'
  | 'not-pending'
  | 'not-approved'
  | 'not-yours'
  | 'other-act'
  | 'too-many'

/** Says the same of a request that is not there, and of one that the caller may not see. */
export function unknownApproval(): ApprovalRefused {
  return new ApprovalRefused('unknown', 'There is no approval with this id that you may see.')
}

/** A request, decision or use of an approval that is refused. The message is for the caller. */
export class ApprovalRefused extends PosternError {
  readonly code = 'POSTERN_REFUSED'
  readonly why: WhyRefused

  constructor(why: WhyRefused, message: string) {
    super(message)
    this.why = why
  }
}
