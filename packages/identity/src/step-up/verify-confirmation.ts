import { type Act, actDigest, type StepUpProof } from '@postern/core'
import { parseAssertion } from '../passkey/passkey-answer.ts'
import { loadWebAuthn } from '../passkey/passkeys.ts'

/** A confirmation from the log that holds. */
export interface VerifiedConfirmation {
  /** When it was asked for, epoch milliseconds: part of what was signed. */
  readonly askedAt: number
  readonly credentialId: string
  /** COSE public key, base64url. Whose it is, the log of `factor.added` events or the account says. */
  readonly publicKey: string
}

/**
 * Verifies a confirmation from the log with nothing but the act itself: that a passkey for this site signed
 * exactly this act. For auditors, years later, without the database.
 * @returns undefined when it does not hold
 */
export async function verifyConfirmation(
  confirmation: NonNullable<StepUpProof['confirmation']>,
  act: Act,
  site: { readonly origin: string; readonly rpId: string },
): Promise<VerifiedConfirmation | undefined> {
  const kept = parseKept(confirmation.assertion)
  if (kept === undefined) return undefined
  const digest = Buffer.from(actDigest(act, kept.time, kept.nonce)).toString('base64url')
  const response = parseAssertion(kept.answer)
  if (digest !== confirmation.digest || response === undefined) return undefined
  const { verifyAuthenticationResponse } = await loadWebAuthn()
  const verified = await verifyAuthenticationResponse({
    response,
    expectedChallenge: digest,
    expectedOrigin: site.origin,
    expectedRPID: site.rpId,
    requireUserVerification: true,
    credential: {
      id: response.id,
      publicKey: new Uint8Array(Buffer.from(kept.publicKey, 'base64url')),
      counter: 0,
    },
  }).catch(() => undefined)
  if (verified?.verified !== true) return undefined
  return { askedAt: kept.time, credentialId: response.id, publicKey: kept.publicKey }
}

interface Kept {
  readonly answer: unknown
  readonly publicKey: string
  readonly time: number
  readonly nonce: string
}

function parseKept(assertion: string): Kept | undefined {
  let value: unknown
  try {
    value = JSON.parse(Buffer.from(assertion, 'base64url').toString())
  } catch {
    return undefined
  }
  if (typeof value !== 'object' || value === null || !('answer' in value)) return undefined
  if (!('publicKey' in value) || typeof value.publicKey !== 'string') return undefined
  if (!('time' in value) || typeof value.time !== 'number') return undefined
  if (!('nonce' in value) || typeof value.nonce !== 'string') return undefined
  return { answer: value.answer, publicKey: value.publicKey, time: value.time, nonce: value.nonce }
}
