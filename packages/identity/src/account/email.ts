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
  const domain = domainToASCII(plain.slice(at + 1)).toLowerCase()
  if (!LOCAL.test(local) || local.length > 64) return undefined
  if (!DOMAIN.test(domain) || domain.length > 253) return undefined
  return `${local}@${domain}` as Email
}
