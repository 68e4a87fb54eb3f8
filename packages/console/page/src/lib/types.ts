import type { Approval } from '@postern/access'
import type { Event, Evidence, GuardTime, Health } from '@postern/core'
import type { LimitStanding, PreviewGroup, PreviewState } from '../../../src/api/console-parts.ts'
import type { Role } from '../../../src/api/console-session.ts'
import type { EventRow } from '../../../src/api/event-row.ts'
import type { DiffLine } from '../../../src/api/line-diff.ts'
import type { VerdictCounts } from '../../../src/api/live-feed.ts'
import type { Verdict } from '../../../src/traffic/traffic-event.ts'
import type { TrafficSize } from '../../../src/traffic/traffic-store.ts'

export type {
  Approval,
  DiffLine,
  Event,
  EventRow,
  GuardTime,
  Health,
  LimitStanding,
  PreviewGroup,
  PreviewState,
  Role,
  Verdict,
  VerdictCounts,
}

/** What the console belongs to. */
export interface About {
  readonly gateway: string
  readonly upstream: string
  readonly mode: 'enforce' | 'observe'
  readonly configuration?: string
}

export interface Session extends About {
  readonly name: string
  readonly roles: readonly Role[]
}

export interface Totals {
  readonly counts: Readonly<Record<Verdict, number>>
  readonly requests: number
  readonly layer: number
  readonly total: number
}

export interface Point {
  readonly time: number
  readonly counts: Readonly<Record<Verdict, number>>
  readonly layer: number
}

export interface Overview extends About {
  readonly now: number
  readonly minutes: number
  readonly series: readonly Point[]
  readonly totals: Totals
  readonly before: Totals
  readonly rules: readonly { readonly key: string; readonly requests: number; readonly example?: string }[]
  readonly routes: readonly { readonly key: string; readonly requests: number }[]
  readonly actors: readonly { readonly requests: number; readonly last: EventRow }[]
  readonly size: TrafficSize
  readonly health: readonly Health[]
}

export interface WhyReason {
  readonly rule: string
  readonly message: string
  readonly evidence?: Evidence
  readonly exception?: { readonly lines: readonly string[]; readonly isChange: boolean }
}

export interface Why {
  readonly request: EventRow
  readonly erased: boolean
  readonly guard?: string
  readonly guards: readonly GuardTime[]
  readonly reasons: readonly WhyReason[]
  readonly others: readonly EventRow[]
  readonly entries: readonly number[]
}

export interface Ban {
  readonly id: string
  readonly actor: string
  readonly measure: string
  readonly reason: string
  readonly origin: string
  readonly createdAt: number
  readonly expiresAt: number
}

export interface AuditEntry {
  readonly index: number
  readonly event: Event
  readonly personal: 'none' | 'open' | 'erased'
  readonly leafHash: string
}

export interface AuditProof {
  readonly entry: AuditEntry
  readonly bytes: string
  readonly hashes: readonly string[]
  readonly checkpoint: string
  readonly keys: readonly string[]
}

/** An API key, without the key itself. */
export interface ApiKeyRow {
  readonly id: string
  readonly name: string
  readonly owner: { readonly kind: 'user' | 'service'; readonly id: string }
  readonly scopes: readonly string[]
  readonly networks: readonly string[]
  readonly createdAt: number
  readonly expiresAt?: number
  readonly usedAt?: number
  readonly revokedAt?: number
  readonly revokedWhy?: string
  readonly isLive: boolean
}

/** An account of built-in identity. */
export interface UserRow {
  readonly id: string
  readonly email: string
  readonly name: string
  readonly roles: readonly string[]
  readonly createdAt: number
  readonly emailVerifiedAt?: number
  readonly disabledAt?: number
}

/** A session of built-in identity. */
export interface UserSession {
  readonly id: string
  readonly accountId: string
  readonly createdAt: number
  readonly seenAt: number
  readonly amr: readonly string[]
  readonly address: string
  readonly agent: string
  readonly impersonator?: string
}
