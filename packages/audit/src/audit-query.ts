import type { Effect } from '@postern/core'

/** What to look for. Everything given must hold; nothing given finds everything. */
export interface AuditQuery {
  /** Id of the principal that acted; with `tenant` when principals belong to tenants. */
  readonly principal?: string
  /** Client address, canonical. */
  readonly address?: string
  readonly tenant?: string
  /** Event type: `http`, `login.failed`, ... */
  readonly type?: string
  /** What was attempted: `orders.delete`. */
  readonly action?: string
  readonly resource?: { readonly type: string; readonly id?: string }
  readonly decision?: Effect
  /** Id of the request. */
  readonly request?: string
  /** Events at or after this time, epoch milliseconds. */
  readonly from?: number
  /** Events before this time, epoch milliseconds. */
  readonly to?: number
  /** Found anywhere in the event, letter case ignored. Read from the entries that match the rest: give a time span too. */
  readonly text?: string
  /** `newest` first (default) or `oldest`. */
  readonly order?: 'newest' | 'oldest'
  /** Only entries beyond this one, in the order asked for. */
  readonly after?: bigint
  /** At most so many. */
  readonly limit?: number
}
