import type { Exchange } from '../exchange/exchange.ts'

/** What a remediation applies to. Values are canonical: addresses and CIDR text as `core` writes them. */
export type ActorKind = 'address' | 'network' | 'principal' | 'tenant' | 'device' | 'key'

/** Whom a remediation applies to: the kind, and the value in its canonical form. */
export interface Actor {
  readonly kind: ActorKind
  readonly value: string
}

/** What a remediation does to its actor. */
export type Measure = 'block' | 'throttle' | 'challenge'

/** A block, throttle or challenge of an actor that holds until it expires. */
export interface Remediation {
  readonly id: string
  readonly actor: Actor
  readonly measure: Measure
  /** For the operator: why. */
  readonly reason: string
  /** `manual`, a scenario's id, `crowdsec`, ... */
  readonly origin: string
  /** Epoch milliseconds. */
  readonly createdAt: number
  /** Epoch milliseconds; always finite. */
  readonly expiresAt: number
}

/**
 * What a detector found.
 * @example
 * ```ts
 * import type { Finding } from 'postern'
 *
 * export const finding: Finding = {
 *   scenario: 'coupons',
 *   title: 'Guessed ten coupons',
 *   severity: 'high',
 *   actor: { kind: 'address', value: '203.0.113.9' },
 *   count: 10,
 *   requests: ['1m8av8w8436e77j00001'],
 *   respond: { measure: 'throttle', duration: 600_000 },
 * }
 * ```
 */
export interface Finding {
  /** Id of the scenario or detector. */
  readonly scenario: string
  readonly title: string
  readonly severity: 'low' | 'medium' | 'high' | 'critical'
  readonly actor: Actor
  /** How many events led to it, and up to 10 of their request ids. */
  readonly count: number
  readonly requests: readonly string[]
  /** What to do about it; absent for an alert. */
  readonly respond?: { readonly measure: Measure /** Milliseconds. */; readonly duration: number }
}

/** Finds and sets remediations. */
export interface Remediations {
  /** The strongest active remediation of the exchange's actors; from memory, never waits. */
  find(exchange: Exchange): Remediation | undefined
  /** Sets the remediation that a finding asks for; returns undefined for protected actors. */
  apply(finding: Finding): Remediation | undefined
}
