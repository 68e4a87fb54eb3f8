import type { Approval } from './approval.ts'

/** What people are notified of. */
export interface Notice {
  /** Stable over all attempts: receivers drop what they have seen. */
  readonly id: string
  readonly event: 'requested' | 'decided'
  readonly approval: Approval
  /** Epoch milliseconds of this attempt. */
  readonly time: number
}

/** A way to notify people: a webhook, mail, a chat. */
export interface ApprovalChannel {
  /** Short, stable and unique: stored beside what is still to be sent. */
  readonly name: string
  /**
   * Rejects when the notice was not taken. It is then tried again, and also after 45 seconds without an
   * answer.
   */
  send(notice: Notice): Promise<void>
}
