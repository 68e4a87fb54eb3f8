// Held, not looked up: see CONTRIBUTING.md.
const { charCodeAt } = String.prototype
/**
 * Whether a text begins, or ends, with any of many words: only those that share its first or last character
 * are compared. Lists of file endings are asked about nearly every request, and most paths end in a letter
 * that none of them ends in.
 */
export class AffixSet {
  readonly #side: 'startswith' | 'endswith'
  readonly #byCharacter = new Map<number, string[]>()
  readonly #hasEmpty: boolean

  constructor(words: readonly string[], side: 'startswith' | 'endswith') {
    this.#side = side
    this.#hasEmpty = words.includes('')
    for (const word of words) {
      const code = charCodeAt.call(word, side === 'endswith' ? word.length - 1 : 0)
      const list = this.#byCharacter.get(code)
      if (list === undefined) this.#byCharacter.set(code, [word])
      else list.push(word)
    }
  }

  has(text: string): boolean {
    if (this.#hasEmpty) return true
    const atEnd = this.#side === 'endswith'
    const words = this.#byCharacter.get(charCodeAt.call(text, atEnd ? text.length - 1 : 0))
    if (words === undefined) return false
    for (let i = 0; i < words.length; i++) {
      const word = words[i] as string
      if (atEnd ? text.endsWith(word) : text.startsWith(word)) return true
    }
    return false
  }
}
