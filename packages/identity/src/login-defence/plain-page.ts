import type { RefusalContent } from '@postern/core'
import { escapeHtml } from './escape-html.ts'

/** A small page that stands alone. @param body HTML, escaped by the caller */
export function plainPage(
  title: string,
  body: string,
  script?: { readonly nonce: string; readonly text: string },
): RefusalContent {
  return {
    type: 'text/html; charset=utf-8',
    policy:
      "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'" +
      (script === undefined ? '' : `; script-src 'nonce-${script.nonce}'`),
    text: `<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${escapeHtml(title)}</title>
<style>:root{color-scheme:light dark}body{font:1rem/1.5 system-ui,sans-serif;max-width:36rem;margin:15vh auto;padding:0 1rem}button{font:inherit;padding:.5rem 1rem}</style>
<main><h1>${escapeHtml(title)}</h1>
${body}</main>
${script === undefined ? '' : `<script nonce="${script.nonce}">${script.text}</script>`}</html>
`,
  }
}
