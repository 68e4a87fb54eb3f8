import type { Answer } from '../decision/answer.ts'
import type { Exchange } from '../exchange/exchange.ts'
import { refusalAnswer } from './refusal.ts'

/**
 * What Postern itself answers to a decided exchange, complete with `Content-Length`,
 * `X-Request-Id` and the headers that guards replied: the refusal, or what a guard served.
 * Undefined when the handler or backend should answer.
 */
export function ownAnswer(exchange: Exchange): Answer | undefined {
  const { decision } = exchange
  if (decision.effect !== 'allow') return refusalAnswer(decision, exchange)
  return decision.answer === undefined ? undefined : completed(decision.answer, exchange)
}

/** Statuses whose answers have no body (RFC 9110 section 6.4.1). */
function hasNoBody(status: number): boolean {
  return status === 204 || status === 304
}

function completed(answer: Answer, exchange: Exchange): Answer {
  const body = hasNoBody(answer.status) ? '' : answer.body
  const headers: string[] = []
  for (let i = 0; i + 1 < answer.headers.length; i += 2) {
    const name = answer.headers[i] as string
    const lower = name.toLowerCase()
    if (lower !== 'content-length' && lower !== 'x-request-id')
      headers.push(name, answer.headers[i + 1] as string)
  }
  if (!hasNoBody(answer.status)) headers.push('Content-Length', String(Buffer.byteLength(body)))
  headers.push('X-Request-Id', exchange.id)
  if (exchange.replyHeaders !== undefined) headers.push(...exchange.replyHeaders)
  const more = exchange.style.headers?.(exchange)
  if (more !== undefined) headers.push(...more)
  return { status: answer.status, headers, body }
}
