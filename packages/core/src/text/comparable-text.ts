/** Longest text that is folded, in UTF-16 units: longer than any name of an account. */
const MAX_FOLDED = 1_024

/**
 * Characters that no reader sees and that many databases ignore: soft hyphen, joiners,
 * directional marks, variation selectors, tags.
 */
const INVISIBLE = /[\p{Default_Ignorable_Code_Point}\p{Cc}]/gu

const NOT_ASCII = /[^\0-\x7f]/gu
const LETTERS = 'abcdefghijklmnopqrstuvwxyz'
/** Ligatures, which have no decomposition, as databases compare them. */
const LIGATURES: ReadonlyMap<string, string> = new Map([
  ['æ', 'ae'],
  ['œ', 'oe'],
])

/**
 * How databases compare that look at neither case nor marks: by the weights of the Unicode collation
 * algorithm (MySQL by default). Made when it is first needed, which takes milliseconds.
 */
class Comparison {
  #collator: Intl.Collator | undefined

  /**
   * Without the characters that such a database passes over, of which a name may hold as many as anybody
   * likes, and with the letters that it takes others for.
   */
  read(text: string): string {
    return text.replace(NOT_ASCII, character => {
      this.#collator ??= new Intl.Collator('und', { sensitivity: 'base' })
      const { compare } = this.#collator
      return compare(`a${character}b`, 'ab') === 0 ? '' : (letterLike(character, compare) ?? character)
    })
  }
}

const comparison = new Comparison()

/** The letter that is equal to a character, found by halves. */
function letterLike(character: string, compare: (x: string, y: string) => number): string | undefined {
  let low = 0
  let high = LETTERS.length
  while (low < high) {
    const middle = (low + high) >> 1
    const letter = LETTERS.charAt(middle)
    const order = compare(character, letter)
    if (order === 0) return letter
    if (order < 0) high = middle
    else low = middle + 1
  }
  return undefined
}

/**
 * The one spelling of a name for all that backends and their databases may take for the same: Unicode NFKC,
 * without invisible characters, those that databases pass over, and surrounding space, case-folded; letters
 * may still have their marks. What is longer than 1,024 units is only trimmed and lower-cased.
 */
export function foldedText(text: string): string {
  const found = text.replace(INVISIBLE, '').trim()
  if (found.length > MAX_FOLDED) return found.toLowerCase()
  // First, for other steps make letters of some marks.
  const visible = comparison.read(found) || found
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
    .replace(/[æœ]/g, letter => LIGATURES.get(letter) ?? letter)
  return comparison.read(plain) || folded
}
