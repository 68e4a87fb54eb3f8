/** Longest account name that is looked at, in UTF-16 units. RFC 5321 lets an address be 254 octets. */
const MAX_LENGTH = 320

/**
 * Characters that no reader sees and that many databases ignore: soft hyphen, joiners,
 * directional marks, variation selectors, tags.
 */
const INVISIBLE = /[\p{Default_Ignorable_Code_Point}\p{Cc}]/gu

/**
 * The one spelling that stands for an account: Unicode NFKC, without invisible characters and surrounding
 * space, case-folded. Every check reads this form, so writing a name differently neither bypasses a
 * limit nor makes a second account. Undefined for an empty name, and for one over 320 characters.
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
  return folded === '' || folded.length > MAX_LENGTH * 4 ? undefined : folded
}
