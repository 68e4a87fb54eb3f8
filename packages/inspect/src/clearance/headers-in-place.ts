import { mixed, wholeText } from './clean-values.ts'

/** Headers of a request that have places; what comes behind them is looked at as ever. */
const MOST_PLACES = 32
/** Values of different lengths that one place holds, a power of two. */
const WIDTH = 8
/** Longer values are not kept, in characters. */
const LONGEST_KEPT = 512

/** What a header could do that no rule finds anything in. */
export type Harmless = 'inert' | 'acting'

/**
 * Headers in which no rule finds anything, by where they stand in a request. Clients send theirs in one
 * order, and most of them send what others do: one comparison of name and value then says what telling the
 * kind of a name, a table of values or a scan would say.
 *
 * Of fixed size, and compared in full. A header is kept when it comes to its place twice in a row: those that
 * are new with every request leave a number behind and no text. Values that may be secrets are never put in.
 */
export class HeadersInPlace {
  readonly #names: string[] = new Array<string>(MOST_PLACES * WIDTH).fill('')
  readonly #values: string[] = new Array<string>(MOST_PLACES * WIDTH).fill('')
  readonly #acts: Uint8Array = new Uint8Array(MOST_PLACES * WIDTH)
  /** What came last and was not kept. */
  readonly #once: Int32Array = new Int32Array(MOST_PLACES * WIDTH)

  /**
   * What the header at a place could do; undefined for one that is not known there.
   * @param index of its name among names and values
   */
  of(index: number, name: string, value: string): Harmless | undefined {
    if (index >= MOST_PLACES * 2) return undefined
    const at = index * (WIDTH / 2) + (value.length & (WIDTH - 1))
    if (this.#values[at] !== value || this.#names[at] !== name) return undefined
    return this.#acts[at] === 1 ? 'acting' : 'inert'
  }

  /**
   * Keeps a header from the second time on.
   * @param isPublic whether it may be kept as it is; asked once it is to be kept
   */
  note(
    index: number,
    name: string,
    value: string,
    kind: Harmless,
    isPublic: (name: string, value: string) => boolean,
  ): void {
    if (index >= MOST_PLACES * 2 || value.length > LONGEST_KEPT || name.length > LONGEST_KEPT) return
    const at = index * (WIDTH / 2) + (value.length & (WIDTH - 1))
    const mark = mixed(name, value)
    if (this.#once[at] !== mark) {
      this.#once[at] = mark
      return
    }
    if (!isPublic(name, value)) return
    this.#names[at] = wholeText(name)
    this.#values[at] = wholeText(value)
    this.#acts[at] = kind === 'acting' ? 1 : 0
  }
}
