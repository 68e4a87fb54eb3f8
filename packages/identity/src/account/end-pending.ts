import type { OneTimeTokens, TokenKind } from './one-time-tokens.ts'

/** What can be begun with an account and is finished by a token: none of it needs a session any more. */
const PENDING: readonly TokenKind[] = ['reset', 'sign-in-link', 'change-email', 'second-factor']

/**
 * Makes worthless what was begun with an account and not finished, wherever its sessions end: whoever had one
 * may have asked for another address, and would confirm it, and set a password by it, without any session.
 */
export async function endPending(tokens: Pick<OneTimeTokens, 'revoke'>, accountId: string): Promise<void> {
  for (const kind of PENDING) await tokens.revoke(kind, accountId)
}
