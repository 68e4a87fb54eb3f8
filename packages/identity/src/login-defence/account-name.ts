import { asciiDomain } from '../account/email.ts'

/** Longest account name that is looked at, in UTF-16 units. RFC 5321 lets an address be 254 octets. */
const MAX_LENGTH = 320

/**
 * Characters that no reader sees and that many databases ignore: soft hyphen, joiners,
 * directional marks, variation selectors, tags.
 */
const INVISIBLE = /[\p{Default_Ignorable_Code_Point}\p{Cc}]/gu

/**
 * The one spelling that stands for an account: Unicode NFKC, without invisible characters, marks and
 * surrounding space, case-folded; of an address, the domain in ASCII. Every check reads this form, so writing
 * a name differently neither bypasses a limit nor makes a second account. Databases find `alice` for `álice`
 * too (MySQL by default, and WordPress), so both are one name here. Undefined for an empty name, and for one
 * that is longer than any account's.
 */
export function canonicalAccount(name: string): string | undefined {
  if (name.length > MAX_LENGTH) return undefined
  // Lower, upper, lower: the nearest to full case folding that the language has (ß and SS, final sigma).
  const folded = name
    .normalize('NFKC')
    .replace(INVISIBLE, '')
    .toLowerCase()
    .toUpperCase()
    .toLowerCase()
    .normalize('NFKC')
    .trim()
  if (folded === '' || folded.length > MAX_LENGTH * 4) return undefined
  const at = folded.lastIndexOf('@')
  const domain = at < 1 ? undefined : asciiDomain(folded.slice(at + 1))
  return domain === undefined ? plainLetters(folded) : `${plainLetters(folded.slice(0, at))}@${domain}`
}

/** Letters with a stroke and ligatures, which have no decomposition, as databases compare them. */
const LETTERS: ReadonlyMap<string, string> = new Map([
  ['ø', 'o'],
  ['đ', 'd'],
  ['ł', 'l'],
  ['ħ', 'h'],
  ['ŧ', 't'],
  ['æ', 'ae'],
  ['œ', 'oe'],
])

function plainLetters(text: string): string {
  const plain = text
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .replace(/[øđłħŧæœ]/g, letter => LETTERS.get(letter) ?? letter)
  return plain === '' ? text : plain
}
