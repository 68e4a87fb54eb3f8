/** Files, addresses and calls that only an attack names beside a command. */
const SOURCE =
  /\/etc\/|\/bin\/|\/dev\/(?:tcp|udp)|passwd|sleep\s{1,4}\d|net\s{1,4}(?:user|localgroup|share|view|use)\b|\/proc\/|\/tmp\/|https?:\/\/|>{1,2}\s{0,2}\/(?:www|web|htdocs|var|usr|home|root|opt)\/|\|\s{0,4}(?:ba|z|k|da)?sh\b|\$ifs|burpcollaborator|interact\.sh|oast\./

const NOWHERE = Number.MAX_SAFE_INTEGER

/**
 * Where such texts stand in a text. A text can hold hundreds of commands whose surroundings overlap: asked in
 * the order in which they stand, each of its characters is searched once.
 */
export class SensitiveTexts {
  readonly #next = new RegExp(SOURCE.source, 'g')
  #lower = ''
  /** From here on ... */
  #from = 0
  /** ... this is where the first begins, and where it ends. */
  #start = -1
  #end = -1

  /** @param lower the text, in lower case; empty: none */
  begin(lower: string): void {
    this.#lower = lower
    this.#start = -1
  }

  /** Whether one stands in a part of the text. */
  standIn(from: number, to: number): boolean {
    if (this.#start < from || from < this.#from) this.#search(from)
    if (this.#start >= to) return false
    // One that reaches beyond the part may hide another that ends in it.
    return this.#end <= to || SOURCE.test(this.#lower.slice(from, to))
  }

  #search(from: number): void {
    this.#next.lastIndex = from
    const found = this.#next.exec(this.#lower)
    this.#from = from
    this.#start = found?.index ?? NOWHERE
    this.#end = this.#start + (found?.[0].length ?? 0)
  }
}
