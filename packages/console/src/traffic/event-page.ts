import type { RequestPage } from './merged-pages.ts'
import type { PageTokenCache } from './page-tail.ts'
import { changingOf, isPaged, type NumberedEvent, type PagedRequest, pagedRequest } from './request-page.ts'
import { type StoredEvent, verdictOf } from './traffic-event.ts'

/** A page of events that were read one by one; those that were erased are left out. */
export function pageOfEvents(events: readonly StoredEvent[], tokens: PageTokenCache): RequestPage {
  const rows = events.flatMap(stored => {
    const request = pagedRequest(stored.event, stored.id, stored.weight)
    return request === undefined ? [] : [{ stored, request, tokens: tokens.of(stored) }]
  })
  return {
    head: {
      ids: rows.map(({ stored }) => stored.id),
      times: rows.map(({ stored }) => stored.event.time),
      weights: rows.map(({ stored }) => stored.weight),
      refused: rows.map(({ stored }) => (verdictOf(stored.event) === 'allow' ? 0 : 1)),
      networks: rows.map(row => row.tokens.network),
      principals: rows.map(row => row.tokens.principal),
      tenants: rows.map(row => row.tokens.tenant),
      statuses: rows.map(({ request }) => request.outcome.status),
      bytes: rows.map(({ request }) => request.outcome.bytes),
      changing: rows.map(({ request }) => changingOf(request.method)),
    },
    open: async isWanted =>
      rows.map(({ request }, row): PagedRequest | undefined => (isWanted(row) ? request : undefined)),
  }
}

/** Events that were read again, as a page takes them; those that were erased are left out. */
export function numberedEvents(
  events: readonly StoredEvent[],
  tokens: PageTokenCache,
): readonly NumberedEvent[] {
  return events.flatMap(kept => (isPaged(kept.event) ? [{ id: kept.id, kept, tokens: tokens.of(kept) }] : []))
}
