import { assertSettableHeader } from '../header/header-field.ts'

/**
 * The head of the handler's or backend's answer, before it is sent: what `Guard.onAnswer` reads and changes,
 * whatever the carrier. Names are compared without regard to case. Headers that frame the message or manage
 * the connection can be read, but not changed.
 * @example
 * ```ts
 * import { ALLOW, type AnswerHead, type Guard } from 'postern'
 *
 * export const marked: Guard = {
 *   name: 'marked',
 *   failure: 'open',
 *   decide: () => ALLOW,
 *   onAnswer: (_exchange, head: AnswerHead) => head.set('X-Robots-Tag', 'noindex'),
 * }
 * ```
 */
export interface AnswerHead {
  /** HTTP status, 200 or higher; 101 where the gateway completes a WebSocket handshake. */
  readonly status: number
  /**
   * The value of a header, several joined with `, `; undefined when it is absent.
   * Use `getAll` for `Set-Cookie`.
   */
  get(name: string): string | undefined
  /** Every value of a header, in order; empty when it is absent. */
  getAll(name: string): readonly string[]
  /**
   * Replaces a header. Several values become several header lines.
   * @throws TypeError for a name or value that cannot be sent, or a header that the carrier owns
   */
  set(name: string, value: string | readonly string[]): void
  /**
   * Adds a header line and keeps those that exist.
   * @throws TypeError as `set` does
   */
  append(name: string, value: string): void
  /**
   * Removes every line of a header.
   * @throws TypeError for a header that the carrier owns
   */
  remove(name: string): void
}

/** An answer head over a flat list (name, value, ...), which is changed in place. */
export class HeaderListHead implements AnswerHead {
  readonly status: number
  readonly #headers: string[]

  /** @param headers name, value, ...; changed in place */
  constructor(status: number, headers: string[]) {
    this.status = status
    this.#headers = headers
  }

  get(name: string): string | undefined {
    // Several guards ask for one header of every answer: lengths differ more often than letters.
    const { length } = name
    let lower: string | undefined
    let value: string | undefined
    for (let i = 0; i + 1 < this.#headers.length; i += 2) {
      const other = this.#headers[i] as string
      if (other.length !== length) continue
      if (other !== name) {
        lower ??= name.toLowerCase()
        if (other.toLowerCase() !== lower) continue
      }
      const found = this.#headers[i + 1] as string
      value = value === undefined ? found : `${value}, ${found}`
    }
    return value
  }

  getAll(name: string): readonly string[] {
    const lower = name.toLowerCase()
    const values: string[] = []
    for (let i = 0; i + 1 < this.#headers.length; i += 2)
      if (this.#headers[i]?.toLowerCase() === lower) values.push(this.#headers[i + 1] as string)
    return values
  }

  set(name: string, value: string | readonly string[]): void {
    const values = typeof value === 'string' ? [value] : value
    for (const one of values) assertSettableHeader(name, one)
    this.remove(name)
    for (const one of values) this.#headers.push(name, one)
  }

  append(name: string, value: string): void {
    assertSettableHeader(name, value)
    this.#headers.push(name, value)
  }

  remove(name: string): void {
    assertSettableHeader(name, '')
    const lower = name.toLowerCase()
    for (let i = this.#headers.length - 2; i >= 0; i -= 2)
      if (this.#headers[i]?.toLowerCase() === lower) this.#headers.splice(i, 2)
  }
}
