import { type Answer, type Exchange, type Refusal, refusalAnswer } from '@postern/core'
import { headersFor } from '../node/node-answer.ts'
import { bodyOf } from './fetch-answer-head.ts'

/**
 * Thrown by `setPrincipal` for a principal that may not go on: a ban or a limit of theirs refuses the
 * request. Let it reach the framework's error handling. It carries what Express, Koa, Fastify and Hono look
 * for on an error, so that each answers with its status; on a node server the client receives Postern's own
 * answer whatever the application writes after it.
 * @example
 * ```ts
 * import { type FrameworkRequest, RequestRefused, setPrincipal } from 'postern'
 *
 * export async function isWelcome(request: FrameworkRequest, id: string): Promise<boolean> {
 *   try {
 *     await setPrincipal(request, { kind: 'user', id })
 *     return true
 *   } catch (error) {
 *     if (error instanceof RequestRefused) return false
 *     throw error
 *   }
 * }
 * ```
 */
export class RequestRefused extends Error {
  override readonly name = 'RequestRefused'
  readonly refusal: Refusal
  /** The status of the answer, under the names that frameworks read. */
  readonly status: number
  readonly statusCode: number
  /** The message is the sentence for the caller. */
  readonly expose = true
  readonly headers: Readonly<Record<string, string>>
  readonly #answer: Answer

  constructor(refusal: Refusal, exchange: Exchange) {
    super(refusal.reasons[0].message)
    this.refusal = refusal
    this.status = refusal.status
    this.statusCode = refusal.status
    const answer = refusalAnswer(refusal, exchange)
    this.#answer = { ...answer, headers: headersFor(exchange, answer.headers) }
    this.headers = {
      'X-Request-Id': exchange.id,
      ...(refusal.retryAfter !== undefined && { 'Retry-After': String(refusal.retryAfter) }),
    }
  }

  /** The whole answer, for a fetch handler that catches the error; Hono calls it. */
  getResponse(): Response {
    const headers = new Headers()
    for (let i = 0; i + 1 < this.#answer.headers.length; i += 2)
      headers.append(this.#answer.headers[i] as string, this.#answer.headers[i + 1] as string)
    return new Response(bodyOf(this.#answer.body), { status: this.status, headers })
  }
}
