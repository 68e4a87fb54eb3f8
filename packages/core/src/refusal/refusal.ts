import type { Answer } from '../decision/answer.ts'
import type { Refusal } from '../decision/decision.ts'
import type { Exchange } from '../exchange/exchange.ts'
import { problemDocument } from './problem-document.ts'
import { refusalPage } from './refusal-page.ts'
import { refusalKind, refusalText } from './refusal-text.ts'
import { REFUSAL_WORDS } from './refusal-words.ts'

/** The answer to a refusal, complete. */
export interface RefusalAnswer extends Answer {
  readonly body: string
}

/**
 * The answer to a refused request: a problem document (RFC 9457), or the same words as a small page where
 * the caller prefers HTML. It carries the request id and the caller's sentence; rule and evidence stay with
 * the operator, who finds them by the id.
 */
export function refusalAnswer(refusal: Refusal, exchange: Exchange): RefusalAnswer {
  const id = exchange.id
  const content = refusal.content ?? exchange.style.content?.(refusal, exchange)
  const html = content === undefined && prefersHtml(exchange)
  const body =
    content !== undefined
      ? content.text
      : html
        ? refusalPage(refusalText(refusal, exchange), {
            repeats: canRepeat(exchange),
            next: refusal.next,
          })
        : problemDocument(exchange, {
            type: `urn:postern:refusal:${refusal.effect}`,
            title: REFUSAL_WORDS.en.title[refusalKind(refusal)],
            status: refusal.status,
            detail: refusal.reasons[0].message,
            ...(refusal.retryAfter !== undefined && { retryAfter: refusal.retryAfter }),
          }).text
  const headers = [
    'Content-Type',
    content?.type ?? (html ? 'text/html; charset=utf-8' : 'application/problem+json'),
    'Content-Length',
    String(Buffer.byteLength(body)),
    'Cache-Control',
    'no-store',
    'X-Content-Type-Options',
    'nosniff',
    'X-Request-Id',
    id,
  ]
  if (content !== undefined) headers.push('Content-Security-Policy', content.policy ?? "default-src 'none'")
  else if (html)
    headers.push(
      'Content-Security-Policy',
      "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'",
    )
  if (refusal.retryAfter !== undefined) headers.push('Retry-After', String(refusal.retryAfter))
  if (refusal.close === true) headers.push('Connection', 'close')
  if (refusal.headers !== undefined) headers.push(...refusal.headers)
  if (exchange.replyHeaders !== undefined) headers.push(...exchange.replyHeaders)
  const more = exchange.style.headers?.(exchange)
  if (more !== undefined) headers.push(...more)
  return { status: refusal.status, headers, body }
}

function canRepeat({ method }: Exchange): boolean {
  return method === 'GET' || method === 'HEAD'
}

/** A browser's navigation names `text/html` first; API clients name JSON, `*` or nothing. */
export function prefersHtml(exchange: Exchange): boolean {
  const accept = exchange.header('accept')
  if (accept === undefined) return false
  const html = accept.indexOf('text/html')
  if (html < 0) return false
  const json = accept.search(/application\/(?:problem\+)?json/)
  return json < 0 || html < json
}
