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

/** A request, decision or use of an approval that is refused. The message is for the caller. */
export class ApprovalRefused extends PosternError {
  readonly code = 'POSTERN_REFUSED'
  readonly why: WhyRefused

  constructor(why: WhyRefused, message: string) {
    super(message)
    this.why = why
  }
}
