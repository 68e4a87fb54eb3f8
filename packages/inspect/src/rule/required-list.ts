/**
 * Before or behind a text, a word of a match begins or ends there (`\b`): of a longer word it says nothing.
 * No expression asks for the character itself.
 */
export const WORD_END = '\b'
const WORD_ENDS = /[\b]/g
/** One that says nothing: between characters, or beside one that words do not hold. */
const IDLE_END = /(?<!^)[\b](?!$)|^[\b]+(?!\w)|(?<!\w)[\b]+$|(?<=[\b])[\b]/g
/** Most texts in one list: checking a longer one costs as much as searching. */
const MAX_TEXTS = 48
/** Shorter texts stand nearly everywhere. */
const SHORTEST = 2

/** Stands for every distance that has no bound, or a larger one, in characters. */
export const ANYWHERE = 65_535

/** Texts of which a match holds at least one. */
export interface RequiredList {
  readonly texts: readonly string[]
  /** How far from where the match begins one of them begins at most, in characters. Default: anywhere. */
  readonly within?: number
}

/** Lists of texts; a match holds a text of each. */
export type Requirement = readonly RequiredList[]

/** A required text as it stands in a match. */
export function withoutEnds(text: string): string {
  return text.includes(WORD_END) ? text.replace(WORD_ENDS, '') : text
}

const SIGN = /[^a-z\s\b]/g

/**
 * How much a required text tells: the longer, the more, a whole word more than a part of one, and a sign or a
 * digit more than a letter. In characters.
 */
function weightOf(text: string): number {
  return (text.length + withoutEnds(text).length + (text.match(SIGN)?.length ?? 0)) / 2
}

/** Of several lists the one whose texts are met least: that of which the shortest text is longest. */
export function mostTelling(lists: Requirement): RequiredList | undefined {
  const [only] = lists
  if (lists.length < 2) return only
  let best = only
  let most = Number.NEGATIVE_INFINITY
  for (const list of lists) {
    const weight = Math.min(...list.texts.map(weightOf)) * 64 - list.texts.length
    if (weight <= most) continue
    most = weight
    best = list
  }
  return best
}

/** Adds a list, if it tells anything. */
export function addList(lists: RequiredList[], exact: readonly string[], within: number): void {
  if (exact.length > MAX_TEXTS) return
  const texts = exact.map(text => (text.includes(WORD_END) ? text.replace(IDLE_END, '') : text))
  if (texts.some(text => withoutEnds(text).length < SHORTEST)) return
  const different = texts.length > 1 ? [...new Set(texts)] : texts
  lists.push({ texts: different, ...(within < ANYWHERE && { within }) })
}

/** Whether as many texts can be told apart. */
export function isShortList(texts: readonly string[]): boolean {
  return texts.length <= MAX_TEXTS
}

/** The sum of two distances. */
export function farther(a: number, b: number): number {
  return Math.min(a + b, ANYWHERE)
}

/** The same list, of a match that begins so much earlier. */
export function behind(list: RequiredList, distance: number): RequiredList {
  const { texts, within } = list
  return distance === 0 || within === undefined ? list : { texts, within: farther(within, distance) }
}
