/** Timers, passed in so that deadlines can be tested without waiting. */
export interface Timers {
  /**
   * Calls back once after so many milliseconds; the returned function cancels it.
   * Does not keep the process alive.
   */
  after(ms: number, call: () => void): () => void
}

/** The timers of Node; one that waits does not keep the process alive. */
export const systemTimers: Timers = {
  after: (ms, call) => {
    const timer = setTimeout(call, ms).unref()
    return () => clearTimeout(timer)
  },
}
