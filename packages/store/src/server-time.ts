import { type Clock, systemClock } from '@postern/core'
import type { PostgresDatabase } from './postgres/postgres-database.ts'
import type { RedisConnection } from './redis/redis-connection.ts'

/** How long a measured difference counts, milliseconds; after a step of either clock it is measured again. */
const MEASURED_FOR = 20_000
/** Clocks that differ by less are taken for the same: instances of one network are never closer. */
const TOLERANCE = 1_000

/**
 * How far the clock of a shared server is ahead of this machine's. Times that several machines compare are
 * written in the server's time: by their own clocks, a machine an hour ahead would take what others wrote
 * for expired, and remove it for all.
 */
export class ServerTime {
  readonly #ask: () => Promise<number>
  readonly #clock: Clock
  #ahead = 0
  #measuredAt: number = Number.NEGATIVE_INFINITY
  /** Wall time minus monotonic time when measured: another value means that the clock was set. */
  #step = 0

  /** @param ask the server's wall time, epoch milliseconds */
  constructor(ask: () => Promise<number>, clock: Clock = systemClock) {
    this.#ask = ask
    this.#clock = clock
  }

  /** What was measured last, milliseconds to add to this machine's time; undefined when outdated. */
  get known(): number | undefined {
    const now = this.#clock.monotonic()
    const isStepped = Math.abs(this.#clock.now() - now - this.#step) > TOLERANCE
    return isStepped || now - this.#measuredAt > MEASURED_FOR ? undefined : this.#ahead
  }

  /** As `known`, measured first where needed. @throws StoreError (rejects) when the server is away */
  async ahead(): Promise<number> {
    return this.known ?? (await this.measure())
  }

  /** Asks the server now. @throws StoreError (rejects) when it does not answer */
  async measure(): Promise<number> {
    const before = this.#clock.monotonic()
    const server = await this.#ask()
    const after = this.#clock.monotonic()
    const difference = server + (after - before) / 2 - this.#clock.now()
    // One value for as long as it holds: what was read twice must be the same text.
    if (Math.abs(difference - this.#ahead) > TOLERANCE)
      this.#ahead = Math.abs(difference) > TOLERANCE ? Math.round(difference) : 0
    this.#measuredAt = after
    this.#step = this.#clock.now() - after
    return this.#ahead
  }
}

/** The clock of a Redis, or of any node of a cluster. */
export function redisTime(redis: RedisConnection, clock?: Clock): ServerTime {
  return new ServerTime(async () => {
    const [seconds, micros] = await redis.time()
    return Number(seconds) * 1_000 + Number(micros) / 1_000
  }, clock)
}

/** The clock of a PostgreSQL server. */
export function postgresTime(database: PostgresDatabase, clock?: Clock): ServerTime {
  return new ServerTime(async () => {
    const { rows } = await database.query<{ now: number }>(
      'SELECT extract(epoch FROM clock_timestamp())::float8 * 1000::float8 AS now',
    )
    return Number(rows[0]?.now)
  }, clock)
}
