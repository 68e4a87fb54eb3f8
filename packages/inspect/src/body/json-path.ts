import type { Locator } from '../value/value-visitor.ts'
import type { JsonString } from './json-string.ts'

/** Where the walk over a JSON text stands. One object for the whole walk. */
export class JsonPath implements Locator {
  readonly #base: string
  readonly #keys: string[] = []
  readonly #indices: number[] = []
  #key = ''
  /** What the name at hand is to be cut from, once somebody asks for it. */
  #uncut: JsonString | undefined
  #start = 0
  #end = 0
  #index = -1
  readonly asName: Locator = { location: () => `${this.location()}#name`, name: () => this.parents() }

  constructor(base: string) {
    this.#base = base
  }

  get key(): string {
    if (this.#uncut !== undefined) this.key = this.#uncut.cut(this.#start, this.#end)
    return this.#key
  }

  set key(name: string) {
    this.#key = name
    this.#uncut = undefined
  }

  /** Takes a part of the text for the name at hand; it is cut out when somebody asks for it. */
  nameBy(string: JsonString): void {
    this.#uncut = string
    this.#start = string.start
    this.#end = string.end
  }

  get depth(): number {
    return this.#keys.length
  }

  get inObject(): boolean {
    return this.#index < 0
  }

  enter(isArray: boolean): void {
    this.#keys.push(this.key)
    this.#indices.push(this.#index)
    this.#index = isArray ? 0 : -1
    this.key = ''
  }

  leave(): void {
    this.key = this.#keys.pop() ?? ''
    this.#index = this.#indices.pop() ?? -1
  }

  next(): void {
    if (this.#index >= 0) this.#index++
  }

  location(): string {
    let path = this.#base
    for (let i = 1; i < Math.min(this.#keys.length, 16); i++) path += part(this.#keys[i], this.#indices[i])
    return this.#keys.length === 0 ? path : path + part(this.key, this.#index)
  }

  name(): string {
    return this.key.toLowerCase()
  }

  /**
   * The names above the one at hand, dotted, in lower case: what an operator stands under. Behind those of
   * a document that is itself a value, a brace.
   */
  parents(): string {
    const location = this.location()
    const above = location.slice(0, Math.max(0, location.lastIndexOf('.'))).toLowerCase()
    return this.#keys.length === 1 && this.#base !== 'body' ? `${above}{` : above
  }
}

function part(key: string | undefined, index: number | undefined): string {
  if (index !== undefined && index >= 0) return `.${index}`
  return `.${(key ?? '').slice(0, 64)}`
}
