import { type AnswerHead, assertSettableHeader } from '@postern/core'

/** The head of a Response whose headers may be changed. */
export class FetchAnswerHead implements AnswerHead {
  readonly status: number
  readonly #headers: Headers

  constructor(response: Response) {
    this.status = response.status
    this.#headers = response.headers
  }

  get(name: string): string | undefined {
    return this.#headers.get(name) ?? undefined
  }

  getAll(name: string): readonly string[] {
    if (name.toLowerCase() === 'set-cookie') return this.#headers.getSetCookie()
    const value = this.get(name)
    return value === undefined ? [] : [value]
  }

  set(name: string, value: string | readonly string[]): void {
    const values = typeof value === 'string' ? [value] : value
    for (const one of values) assertSettableHeader(name, one)
    this.#headers.delete(name)
    for (const one of values) this.#headers.append(name, one)
  }

  append(name: string, value: string): void {
    assertSettableHeader(name, value)
    this.#headers.append(name, value)
  }

  remove(name: string): void {
    assertSettableHeader(name, '')
    this.#headers.delete(name)
  }
}

/** Bytes that are a view into shared memory are not a body for a Response: copied. */
export function bodyOf(body: string | Uint8Array): string | Uint8Array<ArrayBuffer> {
  return typeof body === 'string' ? body : new Uint8Array(body)
}
