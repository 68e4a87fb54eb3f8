import type { Outcome } from '@postern/core'

/**
 * Whether an answer says that the request changed nothing: the backend itself refused it (4xx). A backend
 * goes on with a request whose client went away (0), whose time was up (408, 504), or that failed halfway
 * (any 5xx). Who gave units back for these would let a client change what it likes and hang up each time; and
 * where the answer is never seen (forward-auth), no budget would hold.
 */
export function changedNothing({ status, aborted }: Outcome): boolean {
  return status >= 400 && status < 500 && status !== 408 && !aborted
}
