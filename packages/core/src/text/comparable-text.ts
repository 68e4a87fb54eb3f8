/** Longest text that is folded, in UTF-16 units: longer than any name of an account. */
const MAX_FOLDED = 1_024

/**
 * Characters that no reader sees and that many databases ignore: soft hyphen, joiners,
 * directional marks, variation selectors, tags.
 */
const INVISIBLE = /[\p{Default_Ignorable_Code_Point}\p{Cc}]/gu

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

/**
 * The one spelling of a name for all that backends and their databases may take for the same: Unicode NFKC,
 * without invisible characters and surrounding space, case-folded; letters still have their marks. What is
 * longer than 1,024 units is only trimmed and lower-cased.
 */
export function foldedText(text: string): string {
  const visible = text.replace(INVISIBLE, '').trim()
  if (visible.length > MAX_FOLDED) return visible.toLowerCase()
  // Lower, upper, lower: the nearest to full case folding that the language has (ß and SS, final sigma).
  return visible
    .normalize('NFKC')
    .replace(INVISIBLE, '')
    .toLowerCase()
    .toUpperCase()
    .toLowerCase()
    .normalize('NFKC')
    .trim()
}

/**
 * A folded text without marks over and under letters: databases find `alice` for `álice` too (MySQL by
 * default, and WordPress). Of one that is all marks, the text itself.
 */
export function plainLetters(folded: string): string {
  if (folded.length > MAX_FOLDED * 4) return folded
  const plain = folded
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .replace(/[øđłħŧæœ]/g, letter => LETTERS.get(letter) ?? letter)
  return plain === '' ? folded : plain
}
