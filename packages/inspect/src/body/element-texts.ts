/** The texts directly in one element. */
interface Texts {
  readonly pieces: string[]
  /** How many of them are more than white space. */
  telling: number
}

/**
 * The texts of a document put together again. A parser gives a handler `1' UNION SELECT` also where a
 * comment, a section of character data or an element parts the words: the texts directly in an element as
 * one (SimpleXML of PHP), or all below it (`textContent`; DOM Living Standard section 4.4).
 */
export class ElementTexts {
  readonly #open: Texts[] = [{ pieces: [], telling: 0 }]
  readonly #all: Texts = { pieces: [], telling: 0 }

  /** Takes a text that stands at this place of the document. */
  add(text: string): void {
    const isTelling = text.trim() !== ''
    for (const texts of [this.#open.at(-1), this.#all]) {
      if (texts === undefined) continue
      texts.pieces.push(text)
      if (isTelling) texts.telling++
    }
  }

  /** An element begins. @param most elements that are held open: the outermost is forgotten */
  open(most: number): void {
    this.#open.push({ pieces: [], telling: 0 })
    if (this.#open.length > most + 1) this.#open.shift()
  }

  /** An element ends. @returns the texts directly in it as one, where there are any */
  close(): string | undefined {
    const texts = this.#open.pop()
    // Behind an end that nothing began, lenient parsers read on.
    if (this.#open.length === 0) this.#open.push({ pieces: [], telling: 0 })
    return texts === undefined || texts.telling === 0 ? undefined : texts.pieces.join('')
  }

  /** All texts of the document as one, where there are several. */
  all(): string | undefined {
    return this.#all.telling > 1 ? this.#all.pieces.join('') : undefined
  }
}
