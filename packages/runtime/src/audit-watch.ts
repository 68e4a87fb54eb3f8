import { type Event, type HealthProbe, systemClock } from '@postern/core'

/** Milliseconds between two looks. */
const EVERY = 1_000

/**
 * Says once that the audit log takes no more entries: its own entry about that is written when it takes some
 * again, and readiness is read by those who ask.
 * @param emit takes `store.failed`, once for each time that the log stops
 * @returns what ends the watch
 */
export function watchAudit(
  log: HealthProbe,
  emit: (event: Event) => void,
  every: number = EVERY,
): () => void {
  let wasWell = true
  const look = (): void => {
    const { ok, detail = 'it takes no entries' } = log.health()
    if (!ok && wasWell) {
      const problem = `${detail.slice(0, 500)}. Entries that a request does not wait for are lost until it is well again`
      emit({ type: 'store.failed', time: systemClock.now(), actor: {}, data: { store: 'audit', problem } })
    }
    wasWell = ok
  }
  const timer = setInterval(look, every).unref()
  return () => clearInterval(timer)
}
