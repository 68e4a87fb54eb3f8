import type { Act, Clock, Event, EventRecorder, Json, Principal } from '@postern/core'
import type { Approval } from './approval.ts'

/** What the steps of approvals leave in the audit log. Without a recorder nothing is recorded. */
export class ApprovalLog {
  readonly #recorder: EventRecorder | undefined
  readonly #clock: Clock

  constructor(recorder: EventRecorder | undefined, clock: Clock) {
    this.#recorder = recorder
    this.#clock = clock
  }

  /** Written down before it is done. @throws StoreError when it cannot be: then it is not done */
  async commit(
    type: string,
    act: Act,
    principal: Principal,
    data: { readonly [key: string]: Json },
  ): Promise<void> {
    await this.#recorder?.commit(this.#event(type, act, principal, data))
  }

  /** Written down after it was done. */
  record(
    type: string,
    approval: Approval,
    principal?: Principal,
    data: { readonly [key: string]: Json } = {},
  ): void {
    this.#recorder?.record(
      this.#event(type, approval.act, principal, {
        approval: approval.id,
        state: approval.state,
        requestedBy: approval.act.actor,
        ...data,
      }),
    )
  }

  #event(
    type: string,
    act: Act,
    principal: Principal | undefined,
    data: { readonly [key: string]: Json },
  ): Event {
    const slash = act.resource.indexOf('/')
    return {
      type,
      time: this.#clock.now(),
      actor: {
        ...(principal !== undefined && { principal: principal.id }),
        ...(principal?.tenant !== undefined && { tenant: principal.tenant }),
      },
      action: act.action,
      resource:
        slash < 0
          ? { type: act.resource }
          : { type: act.resource.slice(0, slash), id: act.resource.slice(slash + 1) },
      data: { ...data, ...(principal?.actor !== undefined && { actingAs: principal.actor }) },
    }
  }
}
