// Held, not looked up: see CONTRIBUTING.md.
const { charCodeAt } = String.prototype
/**
 * Whether a text holds any of many words, in one pass over it whatever their number (Aho and Corasick, 1975,
 * compiled to a table). Characters beyond ASCII share one column: a word that has one is looked for the plain
 * way.
 */
export class WordSet {
  /** Agents and paths come again and again: the answers of short texts are kept, a bounded number of them. */
  #known = new Map<string, boolean>()
  readonly #next: Uint16Array | Int32Array
  readonly #isEnd: Uint8Array
  readonly #column: Uint8Array
  readonly #columns: number
  readonly #others: readonly string[]

  /** @param words not empty, in the case the texts come in */
  constructor(words: readonly string[]) {
    const ascii = words.filter(word => !/[^\u0000-\u007f]/.test(word))
    this.#others = words.filter(word => /[^\u0000-\u007f]/.test(word))
    this.#column = new Uint8Array(128)
    let columns = 1
    for (const word of ascii) {
      for (let i = 0; i < word.length; i++) {
        const code = charCodeAt.call(word, i)
        if (this.#column[code] === 0) this.#column[code] = columns++
      }
    }
    this.#columns = columns
    const states = 1 + ascii.reduce((sum, word) => sum + word.length, 0)
    // Half the memory wherever the numbers fit: the shipped scenarios need a third of a million of them.
    this.#next = states <= 0x10000 ? new Uint16Array(states * columns) : new Int32Array(states * columns)
    this.#isEnd = new Uint8Array(states)
    this.#link(this.#plant(ascii))
  }

  has(text: string): boolean {
    if (text.length > 256) return this.search(text)
    let answer = this.#known.get(text)
    if (answer === undefined) {
      answer = this.search(text)
      if (this.#known.size >= 4_096) this.#known = new Map()
      this.#known.set(text, answer)
    }
    return answer
  }

  /** `has` without remembering the answer. */
  search(text: string): boolean {
    const next = this.#next
    const columns = this.#columns
    const column = this.#column
    const isEnd = this.#isEnd
    let state = 0
    for (let i = 0; i < text.length; i++) {
      const code = charCodeAt.call(text, i)
      state = next[state * columns + (code < 128 ? (column[code] as number) : 0)] as number
      if (isEnd[state] === 1) return true
    }
    return this.#others.some(word => text.includes(word))
  }

  /** The trie of the words. @returns how many states it has */
  #plant(words: readonly string[]): number {
    let states = 1
    for (const word of words) {
      let state = 0
      for (let i = 0; i < word.length; i++) {
        const at = state * this.#columns + (this.#column[charCodeAt.call(word, i)] as number)
        if (this.#next[at] === 0) this.#next[at] = states++
        state = this.#next[at] as number
      }
      this.#isEnd[state] = 1
    }
    return states
  }

  /** Breadth first: a missing step goes where the longest suffix that is also a prefix would go. */
  #link(states: number): void {
    const columns = this.#columns
    const fallback = new Int32Array(states)
    const queue: number[] = []
    for (let column = 1; column < columns; column++) {
      const child = this.#next[column] as number
      if (child !== 0) queue.push(child)
    }
    for (let head = 0; head < queue.length; head++) {
      const state = queue[head] as number
      const back = fallback[state] as number
      if (this.#isEnd[back] === 1) this.#isEnd[state] = 1
      for (let column = 1; column < columns; column++) {
        const at = state * columns + column
        const child = this.#next[at] as number
        const viaBack = this.#next[back * columns + column] as number
        if (child === 0) this.#next[at] = viaBack
        else {
          fallback[child] = viaBack
          queue.push(child)
        }
      }
    }
  }
}
