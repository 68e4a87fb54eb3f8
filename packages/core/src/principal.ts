/** Who acts. */
export interface Principal {
  readonly kind: 'anonymous' | 'user' | 'service' | 'apiKey'
  /** Stable id; empty for an anonymous client. */
  readonly id: string
  readonly tenant?: string
  readonly roles?: readonly string[]
  readonly scopes?: readonly string[]
  /** Name of the customer's plan, for limits that differ by it. */
  readonly plan?: string
  /** When the principal last proved who they are, epoch milliseconds. */
  readonly authenticatedAt?: number
  /** How they proved it (RFC 8176). */
  readonly amr?: readonly string[]
  /** The principal really acting, when this one is impersonated. */
  readonly actor?: string
}

export const ANONYMOUS: Principal = Object.freeze({ kind: 'anonymous', id: '' })
