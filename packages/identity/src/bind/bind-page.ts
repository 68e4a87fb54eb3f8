import { type Decision, type Exchange, escapeHtml, pageLanguage, plainPage } from '@postern/core'
import { BIND_PATH, served } from './bind-answers.ts'
import { BIND_WORDS } from './bind-words.ts'

const POLICY =
  "default-src 'none'; script-src 'self'; connect-src 'self'; worker-src 'self'; style-src 'unsafe-inline'; " +
  "form-action 'self'; base-uri 'none'; frame-ancestors 'self'"

/**
 * Nothing is seen of the page while its script works: it takes a moment, and people wait for another page.
 */
const STYLE = 'body:not(.shown) main{visibility:hidden}button{font:inherit;padding:.6rem 1.1rem}'

/**
 * The page in place of the one that was asked for: its script registers or renews, and reloads the page.
 * `sent`: something was sent with the request, which is not repeated; the page says so once the
 * session is renewed. Scripts from elsewhere do not run in it.
 */
export function bindPage(exchange: Exchange, kind: 'bind' | 'sent'): Decision {
  const language = pageLanguage(exchange)
  const words = BIND_WORDS[language]
  const isSent = kind === 'sent'
  const text = isSent ? words.sent : words.keyless
  const form = isSent
    ? ''
    : `<form method="post" action="${BIND_PATH}/without-key"><button>${escapeHtml(words.proceed)}</button></form>`
  const body = plainPage({
    language,
    title: words.title,
    style: STYLE,
    main: `<noscript><style>main{visibility:visible!important}</style></noscript>
<h1>${escapeHtml(words.title)}</h1><p>${escapeHtml(text)}</p>${form}
<script src="${BIND_PATH}/session.js" data-then="${isSent ? 'stay' : 'reload'}"></script>`,
  })
  return served(
    isSent ? 401 : 200,
    [
      ...['Content-Type', 'text/html; charset=utf-8', 'Content-Language', language],
      ...['Content-Security-Policy', POLICY, 'X-Content-Type-Options', 'nosniff'],
      // The form has to say where it was shown.
      ...['Referrer-Policy', 'same-origin'],
    ],
    body,
  )
}
