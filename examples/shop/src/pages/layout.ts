import { html, type Markup, unescaped } from './html.ts'
import { STYLE } from './style.ts'

/** Who is looking, for the header. */
export interface Visitor {
  readonly id: number
  readonly name: string
  readonly role: string
}

export interface PageOptions {
  readonly title: string
  readonly visitor: Visitor | undefined
  /** What is already in the search field. */
  readonly query?: string
  readonly body: Markup
}

/** A whole page. */
export function page({ title, visitor, query, body }: PageOptions): string {
  return html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title} · Harbour Supply</title><link rel="icon" href="data:,"><style>${unescaped(STYLE)}</style></head>
<body>
<header><div>
  <a class="brand" href="/">Harbour <span>Supply</span></a>
  <form class="search" action="/search"><input name="q" type="search" placeholder="Search the shop" aria-label="Search" value="${query}"><button>Search</button></form>
  <nav><a href="/products">Products</a>${
    visitor === undefined
      ? html`<a href="/login">Sign in</a>`
      : html`<a href="/account">${visitor.name}</a>${visitor.role === 'admin' ? html`<a href="/admin">Admin</a>` : undefined}`
  }</nav>
</div></header>
<main>${body}</main>
<footer>Harbour Supply is an example that is vulnerable on purpose. It sells nothing, and listens on this machine only.</footer>
</body></html>
`.markup
}
