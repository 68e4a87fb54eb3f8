import type { IdentitySecret } from '../database/identity-secret.ts'

/**
 * What one sign-in elsewhere remembers until it comes back: bound to this browser by a cookie, and to the one
 * provider it was begun with.
 */
export interface ExternalState {
  readonly provider: string
  readonly verifier: string
  readonly nonce: string
  readonly state: string
  readonly back: string
  /** The account that a link was asked for; empty to sign in. */
  readonly link: string
  /** Epoch milliseconds. */
  readonly until: number
}

const PLACE = 'external sign-in'
/** Browsers drop a cookie of more than 4,096 bytes (RFC 6265bis section 5.6). */
const MAX_COOKIE = 3_800

/**
 * Seals a state into a cookie: anybody can begin a sign-in, so nothing of it is stored. A place to go back to
 * for which a cookie has no room is forgotten.
 */
export function sealState(secret: IdentitySecret, state: ExternalState): string {
  const sealed = secret.seal(PLACE, JSON.stringify(state))
  return sealed.length <= MAX_COOKIE ? sealed : secret.seal(PLACE, JSON.stringify({ ...state, back: '' }))
}

/** The state in a cookie; undefined when it was not sealed here, or is too old. */
export function openState(secret: IdentitySecret, cookie: string, now: number): ExternalState | undefined {
  const text = opened(secret, cookie)
  if (text === undefined) return undefined
  const state: ExternalState = JSON.parse(text)
  return state.until > now ? state : undefined
}

function opened(secret: IdentitySecret, cookie: string): string | undefined {
  if (cookie === '' || cookie.length > MAX_COOKIE) return undefined
  try {
    return secret.open(PLACE, cookie)
  } catch {
    return undefined
  }
}
