import { type Event, type HealthProbe, systemClock } from '@postern/core'

/** Milliseconds between two looks. */
const EVERY = 1_000

const CONSEQUENCE =
  'Until it is well again, requests that must be logged first get 503, and other entries may be lost'

/**
 * Says once that the audit log takes no more entries, because readiness is read only by those who ask, and
 * once that it takes some again.
 * @param emit takes `store.failed` each time that the log stops, and `store.back` when that is over
 * @returns what ends the watch
 */
export function watchAudit(
  log: HealthProbe,
  emit: (event: Event) => void,
  every: number = EVERY,
): () => void {
  let since: number | undefined
  const look = (): void => {
    const { ok, detail = 'it takes no entries' } = log.health()
    if (!ok && since === undefined) {
      since = performance.now()
      const problem = `${asSentence(detail.slice(0, 500))} ${CONSEQUENCE}`
      emit({ type: 'store.failed', time: systemClock.now(), actor: {}, data: { store: 'audit', problem } })
    }
    if (ok && since !== undefined) {
      const seconds = Math.round((performance.now() - since) / 1_000)
      since = undefined
      emit({ type: 'store.back', time: systemClock.now(), actor: {}, data: { store: 'audit', seconds } })
    }
  }
  const timer = setInterval(look, every).unref()
  return () => clearInterval(timer)
}

function asSentence(text: string): string {
  return /[.?!]$/.test(text) ? text : `${text}.`
}
