// Held, not looked up: see CONTRIBUTING.md.
const { charCodeAt } = String.prototype

/** What is left of a run of one character. */
const KEPT = 16
/** A run of this many is sure to be seen; one of up to `KEPT` is never cut. */
const STRIDE = 16
/** A longer inside of a closed comment is cut. */
const COMMENT = 64

/** A text without its padding. */
interface Collapsed {
  readonly text: string
  /** Where in `text` something was cut. */
  readonly cuts: readonly number[]
}

/**
 * Cuts what only serves as padding: a character repeated more than 32 times in a row (mostly already from
 * 17 times on), and the inside of closed comments longer than 64
 * characters. So that filler inside an attack cannot push its halves into different windows. Linear; looks
 * at every eighth character.
 */
function collapse(text: string): Collapsed {
  const cutter = new Cutter(text)
  let comment = text.indexOf('/*')
  let at = 0
  while (at < text.length) {
    if (comment >= 0 && comment <= at) {
      const close = text.indexOf('*/', comment + 2)
      if (close - comment > COMMENT && charCodeAt.call(text, comment + 2) !== 33) {
        cutter.cut(comment + 2, close)
        at = Math.max(at, close)
      }
      comment = close < 0 ? -1 : text.indexOf('/*', Math.max(close + 2, at))
    } else {
      const end = runAt(text, at) ? cutter.cutRun(at) : -1
      at = end < 0 ? at + STRIDE : end
    }
  }
  return cutter.result()
}

/** Whether a run may cover the stride that starts at `at`. */
function runAt(text: string, at: number): boolean {
  const code = charCodeAt.call(text, at)
  return code === charCodeAt.call(text, at + 8) && code === charCodeAt.call(text, at + 15)
}

/** Puts together what is left of a text. */
class Cutter {
  readonly #text: string
  readonly #cuts: number[] = []
  #out = ''
  #from = 0

  constructor(text: string) {
    this.#text = text
  }

  /** Cuts a part out, unless it begins in what is cut already. */
  cut(start: number, end: number): void {
    if (start <= this.#from) return
    this.#out += this.#text.slice(this.#from, start)
    this.#cuts.push(this.#out.length)
    this.#from = end
  }

  /**
   * Cuts a run of the character at `at` to what is kept of one.
   * @returns where it ends; -1 when there is no run
   */
  cutRun(at: number): number {
    const text = this.#text
    const code = charCodeAt.call(text, at)
    let start = at
    while (start > this.#from && charCodeAt.call(text, start - 1) === code) start--
    let end = at + 1
    while (end < text.length && charCodeAt.call(text, end) === code) end++
    if (end - start <= KEPT) return -1
    this.cut(start + KEPT, end)
    return end
  }

  result(): Collapsed {
    const text = this.#from === 0 ? this.#text : this.#out + this.#text.slice(this.#from)
    return { text, cuts: this.#cuts }
  }
}

/** `collapse`, of which only the text counts. */
export function collapsePadding(text: string): string {
  return collapse(text).text
}

/** Characters before and behind a cut. */
const AROUND = 256

/** What stands around one cut, or around several that are near each other. */
export interface Seam {
  readonly text: string
  /** Whether it begins where the value begins. */
  readonly isFirst: boolean
}

/**
 * What stands around the places where padding was cut, for a text that is read in windows: what padding
 * tore apart is together in one of them.
 * @param longest characters of one seam, unless one cut needs more
 */
export function seamsOf(value: string, longest: number): Seam[] {
  const { text, cuts } = collapse(value)
  const seams = new SeamList()
  let start = -1
  let end = -1
  for (const cut of cuts) {
    if (start >= 0 && cut - AROUND <= end && cut + AROUND - start <= longest) {
      end = cut + AROUND
      continue
    }
    if (start >= 0) seams.add(text, start, end)
    start = Math.max(0, cut - AROUND)
    end = cut + AROUND
  }
  if (start >= 0) seams.add(text, start, end)
  return seams.distinct
}

/** Seams in their order, each text once: the first may begin its value, and nothing else tells them apart. */
class SeamList {
  readonly distinct: Seam[] = []
  readonly #texts = new Set<string>()

  add(whole: string, start: number, end: number): void {
    const text = whole.slice(start, end)
    if (this.#texts.has(text)) return
    this.#texts.add(text)
    this.distinct.push({ text, isFirst: start === 0 })
  }
}
