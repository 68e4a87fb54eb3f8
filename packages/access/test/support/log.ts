import type { Event, EventRecorder } from '@postern/core'

/** A recorder that remembers, and can be made to fail. */
export class Log implements EventRecorder {
  readonly events: Event[] = []
  isBroken = false

  record(event: Event): void {
    this.events.push(event)
  }

  async commit(event: Event): Promise<{ index: bigint }> {
    if (this.isBroken) throw new Error('the log cannot be written')
    this.events.push(event)
    return { index: BigInt(this.events.length) }
  }

  /** Types of events, in order. */
  get types(): readonly string[] {
    return this.events.map(({ type }) => type)
  }
}
