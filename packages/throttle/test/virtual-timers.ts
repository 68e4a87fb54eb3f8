import { type Timers, VirtualClock } from '@postern/core'

/** Timers on a virtual clock. */
export class VirtualTimers implements Timers {
  readonly clock: VirtualClock = new VirtualClock()
  #due: { at: number; call: () => void }[] = []

  after(ms: number, call: () => void): () => void {
    const timer = { at: this.clock.monotonic() + ms, call }
    this.#due.push(timer)
    return () => {
      this.#due = this.#due.filter(other => other !== timer)
    }
  }

  /** Lets time pass, calling what falls due in its order. */
  async advance(ms: number): Promise<void> {
    const end = this.clock.monotonic() + ms
    for (;;) {
      const next = this.#due.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0]
      if (next === undefined) break
      this.#due = this.#due.filter(other => other !== next)
      this.clock.advance(next.at - this.clock.monotonic())
      next.call()
      await settled()
    }
    this.clock.advance(end - this.clock.monotonic())
    await settled()
  }
}

/** Lets what promises have set off run. */
export async function settled(): Promise<void> {
  for (let i = 0; i < 5; i++) await Promise.resolve()
}
