import { domainToUnicode } from 'node:url'
import { foldedText, plainLetters } from '@postern/core'
import { asciiDomain } from '../account/email.ts'

/** Longest account name that is looked at, in UTF-16 units. RFC 5321 lets an address be 254 octets. */
const MAX_LENGTH = 320

/**
 * The one spelling that stands for an account: Unicode NFKC, without invisible characters, marks and
 * surrounding space, case-folded; of an address, the domain as people read it. Every check reads this form:
 * writing a name differently neither bypasses a limit nor makes a second account. Databases find `alice` for
 * `álice` too (MySQL by default, and WordPress), also in the domain, so both are one name here. Undefined for
 * an empty name, and for one that is longer than any account's.
 */
export function canonicalAccount(name: string): string | undefined {
  if (name.length > MAX_LENGTH) return undefined
  const folded = foldedText(name)
  if (folded === '' || folded.length > MAX_LENGTH * 4) return undefined
  const at = folded.lastIndexOf('@')
  const domain = at < 1 ? undefined : asciiDomain(folded.slice(at + 1))
  if (domain === undefined) return plainLetters(folded)
  return plainLetters(`${folded.slice(0, at)}@${domainToUnicode(domain)}`)
}
