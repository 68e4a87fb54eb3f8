import type { Answer } from '@postern/core'
import { accountMenu, type MenuEntry } from './account-frame.ts'
import { html } from './html.ts'
import { direction, LANGUAGES } from './language/language.ts'
import type { Page, PageAnswer, PageRequest } from './page-request.ts'

/** What frames need of the site. */
export interface FrameOptions {
  readonly base: string
  readonly siteName: string
  /** Where the name of the site leads: back to the application. */
  readonly home: string
  /** Fresh for each page. */
  readonly nonce: string
  /** Changes with the assets, so that browsers may keep them. */
  readonly assetVersion: string
  /** Entries of the account's menu. */
  readonly menu: readonly MenuEntry[]
}

/**
 * Headers of every answer of ours: nothing is stored by caches, framed or sniffed. Nobody learns the address
 * of a page, which may hold the token of a mailed link; the application behind us would log it. Its origin
 * stays: without it browsers send `Origin: null` with the forms of a page.
 */
const COMMON = [
  'Cache-Control',
  'no-store',
  'X-Content-Type-Options',
  'nosniff',
  'Referrer-Policy',
  'strict-origin',
  'Cross-Origin-Opener-Policy',
  'same-origin',
  'Cross-Origin-Resource-Policy',
  'same-origin',
]

/** A page's answer as an answer for any carrier. */
export function render(answer: PageAnswer, request: PageRequest, options: FrameOptions): Answer {
  if (answer.kind === 'raw') return answer.answer
  const headers = [...COMMON]
  for (const cookie of answer.cookies ?? []) headers.push('Set-Cookie', cookie)
  if (answer.kind !== 'redirect' && answer.retryAfter !== undefined)
    headers.push('Retry-After', String(answer.retryAfter))
  if (answer.kind === 'redirect') {
    headers.push('Location', answer.location)
    if (answer.clear !== undefined) headers.push('Clear-Site-Data', '"cache", "storage"')
    return { status: 303, headers, body: '' }
  }
  if (answer.kind === 'json') {
    headers.push('Content-Type', 'application/json')
    if (answer.fileName !== undefined)
      headers.push('Content-Disposition', `attachment; filename="${answer.fileName}"`)
    return { status: answer.status, headers, body: JSON.stringify(answer.value) }
  }
  const { nonce } = options
  const target = answer.page.formAction === undefined ? '' : ` ${answer.page.formAction}`
  headers.push(
    'Content-Type',
    'text/html; charset=utf-8',
    'Content-Language',
    request.language,
    'Content-Security-Policy',
    `default-src 'none'; style-src 'nonce-${nonce}'; script-src 'nonce-${nonce}'; connect-src 'self'; img-src 'self'; ` +
      `form-action 'self'${target}; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'`,
    'Permissions-Policy',
    'publickey-credentials-get=(self), publickey-credentials-create=(self), camera=(), geolocation=(), microphone=()',
  )
  if (answer.page.refresh !== undefined) headers.push('Refresh', `0; url=${answer.page.refresh}`)
  return { status: answer.status, headers, body: document(answer.page, request, options) }
}

function document(
  page: Page,
  request: PageRequest,
  { base, siteName, home, nonce, assetVersion, menu }: FrameOptions,
): string {
  const { texts, language } = request
  const languages = LANGUAGES.map(([code, name]) =>
    code === language
      ? html`<li><span lang="${code}" aria-current="true">${name}</span></li>`
      : html`<li><a href="${languageLink(request, code)}" lang="${code}" hreflang="${code}" rel="nofollow">${name}</a></li>`,
  )
  const isWide = page.width === 'wide'
  const content = html`<!doctype html>
<html lang="${language}" dir="${direction(language)}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex"><meta name="color-scheme" content="light dark"><title>${page.title} · ${siteName}</title>
<link rel="stylesheet" nonce="${nonce}" href="${base}/assets/${assetVersion}/style.css"><script type="module" nonce="${nonce}" src="${base}/assets/${assetVersion}/page.js"></script></head>
<body data-base="${base}"><main class="${isWide ? 'wide' : 'narrow'}"><p class="brand"><a href="${home}">${siteName}</a></p><h1>${page.title}</h1>
${page.menu === undefined ? undefined : accountMenu(request, base, page.menu, menu)}${page.body}</main>
<footer><nav aria-label="${texts.language}"><ul>${languages}</ul></nav></footer></body></html>
`
  return content.text
}

/** This page in another language; a page that was posted goes to the path alone. */
function languageLink({ exchange, query }: PageRequest, language: string): string {
  const fields = new URLSearchParams(exchange.method === 'GET' ? [...query] : [])
  fields.set('lang', language)
  return `${exchange.path.canonical}?${fields}`
}
