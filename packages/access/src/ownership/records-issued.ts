import type { Event, Principal } from '@postern/core'

/** Ids in one event at most; more are more events. */
const MAX_IDS = 5_000

/**
 * The event that says which ids a caller was given: emit it where a list is answered. From then on, ids that
 * the caller asks for and was never given are told apart from those it has from the application.
 * @param time epoch milliseconds
 * @example engine.emit(recordsIssued(principal, 'order', rows.map(row => row.id), Date.now()))
 */
export function recordsIssued(
  principal: Principal,
  type: string,
  ids: readonly (string | number | bigint)[],
  time: number,
): Event {
  return {
    type: 'records.issued',
    time,
    actor: {
      ...(principal.id !== '' && { principal: principal.id }),
      ...(principal.tenant !== undefined && { tenant: principal.tenant }),
    },
    resource: { type },
    data: { ids: ids.slice(0, MAX_IDS).map(String) },
  }
}
