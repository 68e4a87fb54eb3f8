import type { Effect } from '@postern/core'

/** Search conditions. All of them must match; without any, every entry matches. */
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
  /**
   * Text anywhere in the event, ignoring letter case. Searched in the entries that match the
   * other conditions: set a time span as well.
   */
  readonly text?: string
  /** `newest` first (default) or `oldest`. */
  readonly order?: 'newest' | 'oldest'
  /** Only entries after this one, in the requested order. */
  readonly after?: bigint
  /** The most entries to return. */
  readonly limit?: number
}
