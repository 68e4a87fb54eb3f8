import { ALLOW, type Answer, type Exchange, ownAnswer } from '@postern/core'
import type { NodeResponse } from '../message/node-message.ts'
import { changeNodeRequest } from '../message/request-changes.ts'
import { watchBody } from './node-answer-body.ts'
import { showAnswer } from './node-answer-head.ts'
import type { NodeCarrier } from './node-carrier.ts'

/**
 * Headers that belong to an HTTP/1 connection and must not stand in HTTP/2 or later (RFC 9113 section 8.2.2).
 */
const CONNECTION_HEADERS: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
])

/**
 * Enforces what the engine decided: an allowed exchange gets its reply headers, a refused one or one that a
 * guard serves its answer.
 * @returns whether the handler is to run
 */
export function admits(carrier: NodeCarrier): boolean {
  const { exchange, response } = carrier
  if (carrier.isGone) return false
  const own = exchange.decision === ALLOW ? undefined : ownAnswer(exchange)
  if (own !== undefined) {
    writeAnswer(own, exchange, response)
    return false
  }
  handOn(carrier)
  if (exchange.replyHeaders !== undefined && !response.headersSent) {
    setHeaders(response, exchange.replyHeaders)
  }
  return true
}

/**
 * Writes an answer of Postern's own on a node response. Headers set before (CORS, for one) stay.
 * @param status in place of the answer's own, for a proxy that understands few
 */
export function writeAnswer(
  answer: Answer,
  exchange: Exchange,
  response: NodeResponse,
  status?: number,
): void {
  if (response.headersSent) return
  response.statusCode = status ?? answer.status
  setHeaders(response, headersFor(exchange, answer.headers))
  response.end(exchange.method === 'HEAD' ? '' : answer.body)
}

/**
 * What an allowed exchange needs before its handler runs: request headers as guards changed them, and the
 * watch on the answer's head.
 */
export function handOn(carrier: NodeCarrier): void {
  const { requestChanges } = carrier.exchange
  if (requestChanges !== undefined) changeNodeRequest(carrier.native, requestChanges)
  if (carrier.engine.hasAnswerHooks) showAnswer(carrier)
  if (carrier.exchange.answerWatch !== undefined) watchBody(carrier.response, carrier.exchange.answerWatch)
}

/** The headers of an answer as the protocol of the exchange may carry them. */
export function headersFor(exchange: Exchange, headers: readonly string[]): readonly string[] {
  if (exchange.source.httpVersion.startsWith('1')) return headers
  const kept: string[] = []
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const name = headers[i] as string
    if (!CONNECTION_HEADERS.has(name.toLowerCase())) kept.push(name, headers[i + 1] as string)
  }
  return kept
}

/** Sets headers; cookies are added to those that are there. */
export function setHeaders(response: NodeResponse, headers: readonly string[]): void {
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const name = headers[i] as string
    const value = headers[i + 1] as string
    if (name.length === 10 && name.toLowerCase() === 'set-cookie') addCookie(response, value)
    else response.setHeader(name, value)
  }
}

function addCookie(response: NodeResponse, cookie: string): void {
  const present = response.getHeader('set-cookie')
  if (present === undefined) response.setHeader('Set-Cookie', cookie)
  else response.setHeader('Set-Cookie', [...(Array.isArray(present) ? present : [String(present)]), cookie])
}
