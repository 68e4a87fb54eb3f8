import { NO_SIGNS, type RequiredSigns, type SignSet, signsOfEither } from './required-signs.ts'

/**
 * Tells of a short text which rules could match it at all, by the kinds of characters that each of them
 * needs: in a text of a few characters most of what an expression needs is missing. Sometimes lets a rule
 * through without need, never keeps one back that would match.
 */
export class SignFilter {
  /**
   * Needs of all rules in a row: the masks of what is needed, how many sets one is needed of, and these. Of a
   * rule with several alternatives first what they share, then each of them.
   */
  readonly #needs: Int32Array
  /** Where those of each rule begin; one more, for where the last ends. */
  readonly #starts: Int32Array
  /** Whether a rule has several alternatives. */
  readonly #isManifold: Uint8Array

  /** @param needs of each rule, one for each of its alternatives */
  constructor(needs: readonly (readonly RequiredSigns[] | undefined)[]) {
    const rows = needs.map(compiled)
    this.#needs = Int32Array.from(rows.flat())
    this.#starts = new Int32Array(rows.length + 1)
    this.#isManifold = Uint8Array.from(needs, alternatives => ((alternatives?.length ?? 0) > 1 ? 1 : 0))
    rows.forEach((row, index) => {
      this.#starts[index + 1] = (this.#starts[index] as number) + row.length
    })
  }

  /**
   * Which of 32 rules a text may be matched by.
   * @param chars of the text, as scanned
   * @param holds of the text, as scanned
   */
  among(row: number, rules: number, chars: number, holds: number): number {
    let left = rules
    for (let open = rules; open !== 0; open &= open - 1) {
      const lowest = open & -open
      if (!this.#isMet((row << 5) + 31 - Math.clz32(lowest), chars, holds)) left ^= lowest
    }
    return left
  }

  #isMet(rule: number, chars: number, holds: number): boolean {
    const needs = this.#needs
    const end = this.#starts[rule + 1] as number
    let at = this.#starts[rule] as number
    if (at === end) return true
    if (this.#isManifold[rule] === 1) {
      if (!isHeld(needs, at, chars, holds)) return false
      at += 3 + 2 * (needs[at + 2] as number)
    }
    for (; at < end; at += 3 + 2 * (needs[at + 2] as number)) if (isHeld(needs, at, chars, holds)) return true
    return false
  }
}

/** Whether a text holds what is needed at one place of a row. */
function isHeld(needs: Int32Array, at: number, chars: number, holds: number): boolean {
  if (((needs[at] as number) & ~chars) !== 0 || ((needs[at + 1] as number) & ~holds) !== 0) return false
  const end = at + 3 + 2 * (needs[at + 2] as number)
  for (let set = at + 3; set < end; set += 2)
    if (((needs[set] as number) & chars) === 0 && ((needs[set + 1] as number) & holds) === 0) return false
  return true
}

function compiled(needs: readonly RequiredSigns[] | undefined): readonly number[] {
  if (needs === undefined || needs.includes(NO_SIGNS)) return []
  const parts = needs.length > 1 ? [signsOfEither(needs), ...needs] : needs
  return parts.flatMap(({ all, some }) => {
    const sets = some.filter((set, at) => isTelling(set, all, some.slice(0, at)))
    return [all.chars, all.holds, sets.length, ...sets.flatMap(({ chars, holds }) => [chars, holds])]
  })
}

/** Whether a set says what neither the kinds that are all needed nor the sets before it say. */
function isTelling(set: SignSet, all: SignSet, before: readonly SignSet[]): boolean {
  if ((set.chars & all.chars) !== 0 || (set.holds & all.holds) !== 0) return false
  return !before.some(({ chars, holds }) => (chars & ~set.chars) === 0 && (holds & ~set.holds) === 0)
}
