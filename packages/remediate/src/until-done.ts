/**
 * Tries something each `interval` milliseconds, never twice at a time, until it does not reject.
 * @returns the timer, to be cleared by who gives up; it keeps no process alive
 */
export function untilDone(interval: number, attempt: () => Promise<void>): NodeJS.Timeout {
  let state: 'waiting' | 'trying' = 'waiting'
  const tryOnce = async (): Promise<void> => {
    state = 'trying'
    try {
      await attempt()
      clearInterval(timer)
    } catch {
      state = 'waiting'
    }
  }
  const timer = setInterval(() => {
    if (state === 'waiting') void tryOnce()
  }, interval).unref()
  return timer
}
