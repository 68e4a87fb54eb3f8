/** How often the watcher looks within the time after which a thread counts as stuck. */
const LOOKS = 10
/** How often a thread shows that it goes on. */
const BEAT_MS = 500

export interface PulseOptions {
  /** One word in shared memory, which the thread counts up. */
  readonly beats: Int32Array
  /** Milliseconds without a beat. */
  readonly stuckAfter: number
  /** Whether the thread is to be watched now: one that still loads its code may take its time. */
  readonly isWatched: () => boolean
  readonly onStuck: () => void
}

/** Counts up for as long as the event loop of this thread turns; does not keep the thread alive. */
export function beat(beats: Int32Array): void {
  setInterval(() => Atomics.add(beats, 0, 1), BEAT_MS).unref()
}

/**
 * Watches whether a thread still turns its event loop. One that is stuck in a computation listens, but
 * answers nobody: the kernel goes on handing connections to it. Each look needs a turn of the watcher's own
 * event loop, so a machine that stood still, or a watcher that did, finds nobody stuck.
 */
export class Pulse {
  readonly #timer: NodeJS.Timeout
  #seen: number
  #missed = 0

  constructor({ beats, stuckAfter, isWatched, onStuck }: PulseOptions) {
    this.#seen = Atomics.load(beats, 0)
    this.#timer = setInterval(() => {
      const seen = Atomics.load(beats, 0)
      this.#missed = seen === this.#seen && isWatched() && !isDebugged() ? this.#missed + 1 : 0
      this.#seen = seen
      if (this.#missed < LOOKS) return
      this.end()
      onStuck()
    }, stuckAfter / LOOKS).unref()
  }

  end(): void {
    clearInterval(this.#timer)
  }
}

/** A thread that somebody halted in a debugger is not stuck. */
function isDebugged(): boolean {
  return process.getBuiltinModule('node:inspector').url() !== undefined
}
