import { escapeHtml, plainPage, type RefusalContent, type RefusalLanguage } from '@postern/core'

const STYLE =
  'button{font:inherit;cursor:pointer;padding:.6rem 1.1rem;border-radius:9px;border:1px solid var(--act);background:var(--act);color:var(--on)}' +
  'button:focus-visible{outline:3px solid var(--mark);outline-offset:2px}form{margin:1.25rem 0}'

/**
 * A page of login defence, which stands alone.
 * @param body HTML, escaped by the caller
 */
export function loginPage(
  language: RefusalLanguage,
  title: string,
  body: string,
  script?: { readonly nonce: string; readonly text: string },
): RefusalContent {
  const own = script === undefined ? '' : `\n<script nonce="${script.nonce}">${script.text}</script>`
  return {
    type: 'text/html; charset=utf-8',
    policy:
      "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'" +
      (script === undefined ? '' : `; script-src 'nonce-${script.nonce}'`),
    text: plainPage({
      language,
      title,
      style: STYLE,
      main: `<h1>${escapeHtml(title)}</h1>\n${body}${own}`,
    }),
  }
}
