import type { Outcome } from '@postern/core'

/**
 * Whether an answer says that the request changed nothing: the backend itself refused it (4xx). A backend
 * goes on with a request whose client went away (0), whose time was up (408, 504), or that failed halfway
 * (any 5xx). Who gave units back for these would let a client change what it likes and hang up each time; and
 * where the answer is never seen (forward-auth), no budget would hold. Of several things some may have been
 * changed before one was refused (404 for the last of a thousand ids): then only what is refused before the
 * request is handled at all counts as nothing.
 * @param units things that the request names
 */
export function changedNothing({ status, aborted }: Outcome, units: number): boolean {
  if (aborted || status < 400 || status >= 500 || status === 408) return false
  return units <= 1 || BEFORE_HANDLING.has(status)
}

/** Not signed in, not this method, not such a body, too often (RFC 9110 section 15.5, RFC 6585). */
const BEFORE_HANDLING: ReadonlySet<number> = new Set([401, 405, 411, 413, 414, 415, 429, 431])
