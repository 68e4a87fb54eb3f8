import { domainToASCII } from 'node:url'

/** An e-mail address in the one form that is stored, compared and sent to. */
export type Email = string & { readonly __brand: 'Email' }

const LOCAL = /^[a-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*$/
const DOMAIN = /^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9][a-z0-9-]{0,61}[a-z0-9]$/

/**
 * Brings an address into canonical form: Unicode NFKC first, then lower case, the domain in ASCII (IDNA), and
 * only then the checks. A check before normalisation would pass look-alikes (a full-width `@`, a dotless i)
 * that turn into somebody else's address afterwards; here what was checked is what is stored. Local parts are
 * ASCII: one that still holds other characters after NFKC is refused.
 * @returns undefined for what is not an address we would send mail to
 */
export function parseEmail(text: string): Email | undefined {
  if (text.length > 320) return undefined
  const plain = text.normalize('NFKC').trim()
  const at = plain.lastIndexOf('@')
  if (at < 1 || plain.indexOf('@') !== at) return undefined
  const local = plain.slice(0, at).toLowerCase()
  const domain = asciiDomain(plain.slice(at + 1))
  if (domain === undefined || !LOCAL.test(local) || local.length > 64) return undefined
  return `${local}@${domain}` as Email
}

/** Letters, digits, hyphens and dots, or what IDNA may turn into them; after NFKC. */
const NAME = /^[a-z0-9.\u0080-\u{10ffff}-]+$/iu

/**
 * The one ASCII form of a domain with at least one dot (IDNA, RFC 5891), or undefined. Node's conversion is
 * that of URLs, which undoes `%70` and stops at `/`, `?` and `#`: what holds one of these is not a domain, or
 * one address would have as many spellings as anybody likes.
 */
export function asciiDomain(text: string): string | undefined {
  const name = text.normalize('NFKC').replaceAll('\u3002', '.')
  const domain = NAME.test(name) ? domainToASCII(name).toLowerCase() : ''
  return DOMAIN.test(domain) && domain.length <= 253 ? domain : undefined
}
