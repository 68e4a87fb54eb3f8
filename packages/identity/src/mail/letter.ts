import type { LetterKind } from '../pages/language/letter-kind.ts'
import type { Texts } from '../pages/language/texts.ts'
import type { Mail } from './mailer.ts'

/** What a letter is about, to whom it goes and where its link leads. */
export interface Letter {
  readonly kind: LetterKind
  readonly to: string
  readonly texts: Texts
  readonly site: { readonly origin: string; readonly base: string; readonly siteName: string }
  /** Where the link leads, below the pages' base. Default: no link. */
  readonly path?: string
}

/**
 * A mail in the reader's language. Its link goes to the configured origin, never to one a request named, and
 * nothing that a stranger typed stands in it.
 */
export function letter({ kind, to, texts, site, path }: Letter): Mail {
  const { subject, text } = texts.mail[kind]
  const fill = (template: string): string => template.replaceAll('{site}', site.siteName)
  const link = path === undefined ? '' : `\n\n${site.origin}${site.base}${path}`
  return { to, subject: fill(subject), text: `${fill(text)}${link}\n\n${fill(texts.mail.footer)}` }
}
