import type { Part } from '../split/part.ts'

/** Why a holder does not answer a request. The detail is for the holder's own log. */
export type Refusal =
  | { readonly refused: 'malformed'; readonly detail: string }
  | { readonly refused: 'forbidden' }
  | { readonly refused: 'capability' }
  | { readonly refused: 'frozen' }
  | { readonly refused: 'contribution' }
  | { readonly refused: 'epoch'; readonly current: number }
  | {
      readonly refused: 'budget'
      readonly budget: string
      readonly allowed: number
      readonly asked: number
      readonly retryAt: number
    }
  | { readonly refused: 'busy' }

/** Outputs of the holder's two parts: 32 bytes per item asked for, one after the other, base64url. */
export interface PartsAnswer {
  readonly parts: Readonly<Partial<Record<Part, string>>>
}

/** What says whether two holders are one trust domain, as far as they can tell themselves. */
export interface TrustDomain {
  readonly administrator?: string
  /** The same for two holders that the same key file or key service unlocks; says nothing of the key. */
  readonly unlockedBy?: string
}

/** What a holder answers a service. */
export type HolderAnswer =
  | Refusal
  | PartsAnswer
  | { readonly nonces: readonly string[]; readonly epoch: number }
  | ({ readonly pong: true; readonly epoch: number } & TrustDomain)
