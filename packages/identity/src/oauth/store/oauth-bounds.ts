/** Why the OAuth server does not keep a record. */
export type OauthRefusal = 'replayed' | 'full' | 'large' | 'far'

/**
 * Models of which anybody makes records, and how many of each are kept. Beyond, each network keeps its
 * newest, one after the other: who makes them by the thousand pushes out their own, and nobody else's.
 */
const OPEN: ReadonlyMap<string, number> = new Map([
  ['Interaction', 20_000],
  ['DeviceCode', 20_000],
  ['PushedAuthorizationRequest', 10_000],
])
/** Characters of one of them. What a client may push (RFC 9126) is stored, and its own to choose. */
const MAX_PAYLOAD = 16_384
/** Used proofs and assertions that still hold. None goes to make room: it could be used again. */
const MAX_USED = 200_000
/** The same of one network: beyond, it is refused, and no other. */
export const MAX_USED_OF_NETWORK = 10_000
/**
 * Milliseconds. A proof may be dated so far ahead (`CHALLENGE_OK_WINDOW` of oidc-provider), and holds as long
 * after its date; its use is kept from when it came.
 */
export const AHEAD = 300_000
/** Seconds. The use of an assertion is kept until its end, which its client chooses (RFC 7523 section 3). */
const MAX_ASSERTION = 3_600

/** Used proofs and assertions. */
export const USED = 'ReplayDetection'

/** Why a record is refused for what it is; undefined when it is not. */
export function faultOf(
  model: string,
  payload: string,
  expiresIn: number = Infinity,
): OauthRefusal | undefined {
  if (OPEN.has(model) && payload.length > MAX_PAYLOAD) return 'large'
  return model === USED && expiresIn > MAX_ASSERTION ? 'far' : undefined
}

/** How many records of a model may be kept; undefined for one that only an account or a client can make. */
export function mostOf(model: string): number | undefined {
  return model === USED ? MAX_USED : OPEN.get(model)
}
