import { ANYWHERE, mostTelling, type RequiredList, type Requirement } from '../rule/required-list.ts'

/** The texts of which each rule requires one, a new one under the next number. */
export interface RequiredTexts {
  /** Their numbers, rule by rule. */
  readonly texts: readonly number[]
  /** How far from the start of what is read each of them may begin. */
  readonly bounds: readonly number[]
  /** Of each rule, where its texts begin, and of one more where the last ends. */
  readonly firstText: Int32Array
}

/** @param numbers of the texts so far; gets those of new ones */
export function requiredTexts(
  requirements: readonly (readonly Requirement[] | undefined)[],
  numbers: Map<string, number>,
): RequiredTexts {
  const found: number[] = []
  const bounds: number[] = []
  const firstText = new Int32Array(requirements.length + 1)
  let first = 0
  const add = (text: string, within: number): void => {
    const number = numbers.get(text) ?? numbers.size
    if (number === numbers.size) numbers.set(text, number)
    const known = found.indexOf(number, first)
    if (known >= 0) bounds[known] = Math.max(bounds[known] as number, within)
    else bounds[found.push(number) - 1] = within
  }
  requirements.forEach((alternatives = [], rule) => {
    first = found.length
    for (const alternative of alternatives) {
      const { texts, within = ANYWHERE } = mostTelling(alternative) ?? NO_TEXTS
      for (const text of texts) add(text, within)
    }
    firstText[rule + 1] = found.length
  })
  return { texts: found, bounds, firstText }
}

const NO_TEXTS: RequiredList = { texts: [] }
