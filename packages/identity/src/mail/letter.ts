import type { LetterKind } from '../pages/language/letter-kind.ts'
import type { Texts } from '../pages/language/texts.ts'
import type { Mail } from './mailer.ts'

/**
 * A mail in the reader's language. Its link goes to the configured origin, never to one a request named, and
 * nothing that a stranger typed stands in it.
 * @param path below the pages' base
 */
export function letter(
  kind: LetterKind,
  to: string,
  texts: Texts,
  site: { readonly origin: string; readonly base: string; readonly siteName: string },
  path: string | undefined,
): Mail {
  const { subject, text } = texts.mail[kind]
  const fill = (template: string): string => template.replaceAll('{site}', site.siteName)
  const link = path === undefined ? '' : `\n\n${site.origin}${site.base}${path}`
  return { to, subject: fill(subject), text: `${fill(text)}${link}\n\n${fill(texts.mail.footer)}` }
}
