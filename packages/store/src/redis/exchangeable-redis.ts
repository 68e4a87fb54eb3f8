import type { RedisConnection } from './redis-connection.ts'

type Listener = (...args: unknown[]) => void

/**
 * A connection that can be exchanged for another under those who hold it: what one address stands for, a
 * server or a cluster, is known only once it answers, and it may be away when a process starts. Listeners go
 * along.
 */
export class ExchangeableRedis {
  /** What callers hold: every call goes to the connection of the moment. */
  readonly connection: RedisConnection
  readonly #listeners: { readonly event: string; readonly listener: Listener }[] = []
  #current: RedisConnection
  #isClosed = false

  constructor(first: RedisConnection) {
    this.#current = first
    this.connection = new Proxy(first, {
      get: (_target, property) => this.#read(property),
      set: (_target, property, value) => Reflect.set(this.#current, property, value),
      has: (_target, property) => Reflect.has(this.#current, property),
      getPrototypeOf: () => Reflect.getPrototypeOf(this.#current),
    })
  }

  /** Puts another connection in place and lets go of the one before. */
  exchange(next: RedisConnection): void {
    const before = this.#current
    this.#current = next
    for (const { event, listener } of this.#listeners) {
      before.off(event, listener)
      next.on(event, listener)
    }
    // What it still says concerns nobody; without a listener Node would end the process.
    before.on('error', () => {})
    before.disconnect()
    if (this.#isClosed) next.disconnect()
  }

  #read(property: string | symbol): unknown {
    if (property === 'on') return this.#on
    if (property === 'off') return this.#off
    if (property === 'disconnect') this.#isClosed = true
    const value: unknown = Reflect.get(this.#current, property)
    return typeof value === 'function' ? value.bind(this.#current) : value
  }

  readonly #on = (event: string, listener: Listener): RedisConnection => {
    this.#listeners.push({ event, listener })
    this.#current.on(event, listener)
    return this.connection
  }

  readonly #off = (event: string, listener: Listener): RedisConnection => {
    const at = this.#listeners.findIndex(one => one.event === event && one.listener === listener)
    if (at >= 0) this.#listeners.splice(at, 1)
    this.#current.off(event, listener)
    return this.connection
  }
}
