import type { Answer } from './answer.ts'
import type { Refusal } from './decision.ts'
import type { Exchange } from './exchange.ts'

/** The answer to a refusal, complete. */
export interface RefusalAnswer extends Answer {
  readonly body: string
}

const TITLES: Readonly<Record<Refusal['effect'], string>> = {
  throttle: 'Too many requests',
  challenge: 'Please prove that this is you',
  deny: 'Request refused',
}

/**
 * The answer to a refused request: a problem document (RFC 9457), or the same words as a small page where the caller prefers HTML.
 * It carries the request id and the caller's sentence; rule and evidence stay with the operator, who finds them by the id.
 */
export function refusalAnswer(refusal: Refusal, exchange: Exchange): RefusalAnswer {
  const id = exchange.id
  const detail = refusal.reasons[0].message
  const title = refusal.status >= 500 ? 'Not available right now' : TITLES[refusal.effect]
  const content = refusal.content
  const html = content === undefined && prefersHtml(exchange.header('accept'))
  const body =
    content !== undefined
      ? content.text
      : html
        ? page(title, detail, id)
        : JSON.stringify({
            type: `urn:postern:refusal:${refusal.effect}`,
            title,
            status: refusal.status,
            detail,
            instance: `urn:postern:request:${id}`,
            ...(refusal.retryAfter !== undefined && { retryAfter: refusal.retryAfter }),
          })
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
  else if (html) headers.push('Content-Security-Policy', "default-src 'none'; style-src 'unsafe-inline'")
  if (refusal.retryAfter !== undefined) headers.push('Retry-After', String(refusal.retryAfter))
  if (refusal.close === true) headers.push('Connection', 'close')
  if (refusal.headers !== undefined) headers.push(...refusal.headers)
  if (exchange.replyHeaders !== undefined) headers.push(...exchange.replyHeaders)
  return { status: refusal.status, headers, body }
}

/** A browser's navigation names `text/html` first; API clients name JSON, `*` or nothing. */
function prefersHtml(accept: string | undefined): boolean {
  if (accept === undefined) return false
  const html = accept.indexOf('text/html')
  if (html < 0) return false
  const json = accept.search(/application\/(?:problem\+)?json/)
  return json < 0 || html < json
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, char => `&#${char.charCodeAt(0)};`)
}

function page(title: string, detail: string, id: string): string {
  return `<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${escapeHtml(title)}</title>
<style>:root{color-scheme:light dark}body{font:1rem/1.5 system-ui,sans-serif;max-width:36rem;margin:15vh auto;padding:0 1rem}code{font-size:.95em}</style>
<h1>${escapeHtml(title)}</h1>
<p>${escapeHtml(detail)}</p>
<p>If you think this is a mistake, tell the people who run this site the request id: <code>${id}</code></p>
</html>
`
}
