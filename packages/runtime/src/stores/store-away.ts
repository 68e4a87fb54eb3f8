import { type Event, type StoreError, systemClock } from '@postern/core'

/** What a process started without. */
export type AwayPart = 'audit' | 'identity'

/** Says once that a part of Postern starts later, because its store does not answer. */
export function storeAway(part: AwayPart, error: StoreError): Event {
  return { type: 'store.away', time: systemClock.now(), actor: {}, data: { part, problem: error.message } }
}

/** Says that the part is there. */
export function storeBack(part: AwayPart): Event {
  return { type: 'store.back', time: systemClock.now(), actor: {}, data: { part, store: 'postgres' } }
}
