import type { Exchange } from '../exchange/exchange.ts'
import type { Act } from './act.ts'

/** A demand for a fresh proof. */
export interface StepUpDemand {
  /** How old the last proof may be, in milliseconds. Ignored when `act` is given. */
  readonly within: number
  /**
   * The act that a proof must be bound to: a proof for another act, or none in particular, does not satisfy.
   */
  readonly act?: Act
}

/** A step-up that was satisfied. */
export interface StepUpProof {
  /** How it was proven (RFC 8176): `hwk`, `otp`, `pwd`. */
  readonly amr: readonly string[]
  /** When it was proven, epoch milliseconds. */
  readonly time: number
  /**
   * For a proof bound to an act: digest and assertion as base64url, for the log, so
   * that a third party can verify it later.
   */
  readonly confirmation?: { readonly digest: string; readonly assertion: string }
}

/** What the caller must do first. */
export interface StepUpChallenge {
  /** Where a browser is sent to authenticate; a path of this origin. */
  readonly location: string
  /** What an API client must send, in its own header: `WWW-Authenticate` as RFC 9470 writes it. */
  readonly authenticate: string
}

/**
 * The interface between the package that demands a fresh proof (access) and the one that takes it (identity).
 */
export interface StepUp {
  /** Where a browser signs in, and comes back afterwards: a path of this origin. */
  signIn?(exchange: Exchange): string
  /**
   * The proof that satisfies a demand, or what must happen first. A proof bound to
   * an act is consumed by this call.
   * @throws StoreError when this cannot be determined; the caller must refuse then
   */
  check(
    exchange: Exchange,
    demand: StepUpDemand,
  ): StepUpProof | StepUpChallenge | Promise<StepUpProof | StepUpChallenge>
}
