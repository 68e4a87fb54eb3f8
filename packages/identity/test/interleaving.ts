import type { PostgresDatabase, RedisConnection } from '@postern/store'

const COMMANDS = ['eval', 'get', 'getdel', 'set', 'del', 'hget', 'hvals', 'hgetall', 'hexists']

/** Lets a test hold one request back before any statement it sends to the database, or command to Redis. */
export class HeldStatements {
  #at = Number.POSITIVE_INFINITY
  #sent = 0
  #reached = (): void => {}
  #release: Promise<void> = Promise.resolve()

  /** Takes over the statements of one connection: a transaction counts as one. */
  constructor(database: PostgresDatabase) {
    const query = database.query.bind(database)
    const transaction = database.transaction.bind(database)
    database.query = async (text, values, timeout) => {
      await this.#pass()
      return query(text, values, timeout)
    }
    database.transaction = async work => {
      await this.#pass()
      return transaction(work)
    }
  }

  /** Takes over the commands that sessions in Redis send over a connection. */
  holdRedis(redis: RedisConnection): void {
    for (const name of COMMANDS) {
      const send = (Reflect.get(redis, name) as (...given: unknown[]) => Promise<unknown>).bind(redis)
      const held = async (...given: unknown[]): Promise<unknown> => {
        await this.#pass()
        return send(...given)
      }
      Reflect.set(redis, name, held)
    }
  }

  async #pass(): Promise<void> {
    if (this.#sent++ !== this.#at) return
    this.#reached()
    await this.#release
  }

  /**
   * Runs `held` up to its statement number `at` (from 0), then `other` to its end, then the rest of `held`.
   * @returns whether `held` sends so many
   */
  async between(at: number, held: () => Promise<unknown>, other: () => Promise<unknown>): Promise<boolean> {
    let release = (): void => {}
    this.#release = new Promise(resolve => {
      release = resolve
    })
    const reached = new Promise<true>(resolve => {
      this.#reached = () => resolve(true)
    })
    this.#sent = 0
    this.#at = at
    const running = held()
    const isReached = await Promise.race([reached, running.then(() => false as const)])
    this.#at = Number.POSITIVE_INFINITY
    try {
      await other()
    } finally {
      release()
    }
    await running
    return isReached
  }
}
