import { type Event, type Exchange, HttpEvent } from '@postern/core'
import type { Inspection, Match } from '@postern/inspect'

/** Findings that are remembered, so that each is recorded once an hour. */
const REMEMBERED = 1_000
const AGAIN_MS = 3_600_000

/**
 * Records values that inspection let pass in doubt (`Match.isDoubted`) as events `inspection.doubt`, with the
 * setting that ends the doubt: each rule at each parameter of a route once an hour, however many requests
 * bring it.
 * @param emit takes the events
 */
export function doubtfulValues(
  emit: (event: Event) => void,
): (exchange: Exchange, inspection: Inspection) => void {
  const recorded = new Map<string, number>()
  return (exchange, inspection) => {
    const match = inspection.verdict === 'pass' ? inspection.matches.find(isDoubted) : undefined
    if (match === undefined) return
    const { rule, location, exception } = match
    const key = `${exchange.route?.pattern ?? ''} ${location} ${rule}`
    const { time } = exchange
    if (time - (recorded.get(key) ?? Number.NEGATIVE_INFINITY) < AGAIN_MS) return
    recorded.delete(key)
    recorded.set(key, time)
    for (const oldest of recorded.keys()) {
      if (recorded.size <= REMEMBERED) break
      recorded.delete(oldest)
    }
    const { actor, request } = new HttpEvent(exchange, undefined)
    emit({ type: 'inspection.doubt', time, actor, request, data: { rule, location, setting: exception } })
  }
}

function isDoubted(match: Match): boolean {
  return match.isDoubted === true
}
