import type { Requirement } from './required-text.ts'

// Held, not looked up: see CONTRIBUTING.md.
const { charCodeAt } = String.prototype

const PAIRS = 1 << 14
const TRIPLES = 1 << 15
/** Readings until the marks of the first could be taken for those of one at hand. */
const GENERATIONS = 65_535

/** A text as the places of its pairs or triples of characters in the tables. */
type Marks = Int32Array
type CompiledRequirement = readonly (readonly Marks[])[]

/** Requirements of one rule, compiled. */
export type CompiledRequirements = readonly CompiledRequirement[]

/**
 * Tells of a text which rules could match it at all, after one pass over it: whether all pairs and triples
 * of characters are there that a required text consists of. So a text is searched only by the few
 * expressions whose words stand in it, and the others cost a look into a table. Sometimes says yes without
 * need, never no.
 */
export class TextFilter {
  /** The number of the last text in which each pair and each triple stood: nothing is cleared between two. */
  readonly #pairs = new Uint16Array(PAIRS)
  readonly #triples = new Uint16Array(TRIPLES)
  #generation = 0

  /** Passes over a text in lower case, to which the questions that follow refer. */
  read(lower: string): void {
    if (++this.#generation > GENERATIONS) {
      this.#pairs.fill(0)
      this.#triples.fill(0)
      this.#generation = 1
    }
    const pairs = this.#pairs
    const triples = this.#triples
    const generation = this.#generation
    let first = 0
    let second = 0
    for (let at = 0; at < lower.length; at++) {
      const code = charCodeAt.call(lower, at)
      pairs[pairAt(second, code)] = generation
      triples[tripleAt(first, second, code)] = generation
      first = second
      second = code
    }
  }

  /** Whether the text at hand may meet one of these. */
  mayMeet(requirements: CompiledRequirements): boolean {
    for (const requirement of requirements) if (this.#meets(requirement)) return true
    return false
  }

  #meets(requirement: CompiledRequirement): boolean {
    for (const list of requirement) {
      let isThere = false
      for (const marks of list) {
        if (!this.#has(marks)) continue
        isThere = true
        break
      }
      if (!isThere) return false
    }
    return true
  }

  #has(marks: Marks): boolean {
    const table = marks.length === 1 && (marks[0] as number) < 0 ? this.#pairs : this.#triples
    for (const mark of marks) if (table[mark < 0 ? ~mark : mark] !== this.#generation) return false
    return true
  }
}

function pairAt(first: number, second: number): number {
  return ((first << 7) ^ second) & (PAIRS - 1)
}

function tripleAt(first: number, second: number, third: number): number {
  return ((first << 10) ^ (second << 5) ^ third) & (TRIPLES - 1)
}

/** Compiles what `requiredText` found. A text of two characters is one pair, kept as its complement. */
export function compileRequirements(requirements: readonly Requirement[]): CompiledRequirements {
  return requirements.map(lists => lists.map(texts => texts.map(marksOf)))
}

function marksOf(text: string): Marks {
  const code = (at: number): number => charCodeAt.call(text, at)
  if (text.length === 2) return Int32Array.of(~pairAt(code(0), code(1)))
  return Int32Array.from({ length: text.length - 2 }, (_, at) =>
    tripleAt(code(at), code(at + 1), code(at + 2)),
  )
}
