import type { Answer, Exchange } from '@postern/core'
import type { Session } from '../session/session.ts'
import type { Language } from './language/language.ts'
import type { Texts } from './language/texts.ts'

/** A request for one of our own pages, with what every page needs. */
export interface PageRequest {
  readonly exchange: Exchange
  /** Fields of the query, first of each name. */
  readonly query: ReadonlyMap<string, string>
  /** Fields of a form that was posted; empty otherwise. */
  readonly form: ReadonlyMap<string, string>
  /** A JSON body; undefined otherwise. */
  readonly json: unknown
  readonly session: Session | undefined
  /** The token of that session; empty without one. */
  readonly token: string
  readonly language: Language
  readonly texts: Texts
  /** Goes into every form: the fallback for browsers that send neither Sec-Fetch-Site nor Origin. */
  readonly csrf: string
}

/** What a page handler answers. `cookies` are whole `Set-Cookie` values. */
export type PageAnswer =
  /** An answer that is complete already: of the OAuth server's endpoints. */
  | { readonly kind: 'raw'; readonly answer: Answer; readonly cookies?: readonly string[] }
  | {
      readonly kind: 'page'
      readonly status: number
      readonly page: Page
      readonly cookies?: readonly string[]
      readonly retryAfter?: number
    }
  | {
      readonly kind: 'redirect'
      readonly location: string
      readonly cookies?: readonly string[]
      readonly clear?: 'site-data'
    }
  | {
      readonly kind: 'json'
      readonly status: number
      readonly value: unknown
      readonly cookies?: readonly string[]
      readonly fileName?: string
      readonly retryAfter?: number
    }

/** One page, before it is put into the frame. */
export interface Page {
  readonly title: string
  readonly body: import('./html.ts').Html
  /** Pages with lists are wider. Default `narrow`. */
  readonly width?: 'narrow' | 'wide'
  /** Which entry of the account's menu this is; no menu by default. */
  readonly menu?: string
  /** A further origin that a form of this page may end at: where consent redirects to. */
  readonly formAction?: string
  /** Where the browser goes by itself: another site that a form may not end at. */
  readonly refresh?: string
}

/** Answers one page or endpoint. */
export type PageHandler = (request: PageRequest) => Promise<PageAnswer> | PageAnswer

/** Handlers by method and path below the base: `GET /sign-in`. */
export type Routes = Readonly<Record<string, PageHandler>>
