import type { RequestBody } from '../message/request-body.ts'
import { backendFailure } from './backend-failure.ts'
import type { BackendConnection } from './backend-pool.ts'

/**
 * What is known of the connection to the backend: `fresh` or `reused` when the request was written to it,
 * `began` once a byte of the answer came, `again` when the request was sent a second time.
 */
export type Attempt = 'none' | 'fresh' | 'reused' | 'began' | 'again'

/** Methods that may be sent twice without harm (RFC 9110 section 9.2.2). */
const IDEMPOTENT: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE'])

const UNREAD: ReadonlySet<string> = new Set(['GET', 'HEAD', 'DELETE', 'OPTIONS'])

/**
 * Whether many backends never read the body of this method (RFC 9110 sections 9.3.1 and 9.3.5 give it no
 * meaning). On a connection that is used again they would take it for the next request, so theirs is closed
 * after the answer.
 */
export function leavesBodiesUnread(method: string): boolean {
  return UNREAD.has(method)
}

/**
 * Whether the backend may have answered without reading the request body. What it left unread it may take
 * for the next request, and the answer to that for the answer to somebody else's: such a connection carries
 * no other request. A backend that succeeds has read what it was sent; one that refuses, or sends a client
 * elsewhere to sign in, often has not.
 */
export function isEarlyAnswer(
  status: number,
  body: RequestBody | undefined,
  connection: BackendConnection | undefined,
): boolean {
  if (body === undefined) return false
  return status >= 300 || !body.complete || (connection?.unsent ?? 0) > 0
}

/**
 * An idle connection may die just as a request is written to it. Then, and only then, a request without a
 * body is sent once more: the backend cannot have acted on it twice in a way that matters, for it is
 * idempotent, and it had not answered a byte.
 */
export function maySendAgain(attempt: Attempt, method: string, error: Error): boolean {
  return attempt === 'reused' && IDEMPOTENT.has(method) && backendFailure(error) === 'closed'
}
