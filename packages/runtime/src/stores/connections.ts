import { existsSync } from 'node:fs'
import { type CompiledConfig, isMemoryOnly } from '@postern/config'
import { ConfigError, StoreError } from '@postern/core'
import {
  connectPostgres,
  connectRedis,
  type DataDirectory,
  openDataDirectory,
  openSqlite,
  type PostgresDatabase,
  type RedisConnection,
  type SqliteDatabase,
} from '@postern/store'

/** The stores of a process, each opened when first asked for and closed together. */
export class Connections {
  readonly #config: CompiledConfig
  readonly #path: string
  readonly #expected: 'existing' | 'made'
  #directory: DataDirectory | undefined
  #sqlite: SqliteDatabase | undefined
  #postgres: PostgresDatabase | undefined
  #redis: RedisConnection | undefined
  /** As many as were ever configured while this process runs. */
  readonly #applications = new Map<string, PostgresDatabase>()

  /**
   * @param dataDirectory absolute
   * @param expected `existing` for what asks about a server's work: a folder that is not there is then a
   *   mistake in its name, and is not made
   */
  constructor(config: CompiledConfig, dataDirectory: string, expected: 'existing' | 'made' = 'made') {
    this.#config = config
    this.#path = dataDirectory
    this.#expected = expected
  }

  /** @throws StoreError when it cannot be opened */
  get directory(): DataDirectory {
    if (this.isMemoryOnly)
      throw new ConfigError({
        place: 'dataDirectory',
        problem: 'is false, and this needs a place that keeps what is written',
        hint: 'name a directory, or set stores.postgres',
      })
    if (this.#expected === 'existing' && !existsSync(this.#path))
      throw new StoreError('is not there; start the gateway first, or name its data directory with --data', {
        store: `data directory ${this.#path}`,
        retryable: false,
      })
    this.#directory ??= openDataDirectory(this.#path)
    return this.#directory
  }

  /** The embedded database. @throws StoreError when it cannot be opened */
  get sqlite(): SqliteDatabase {
    this.#sqlite ??= openSqlite({ path: this.directory.file('postern.db') })
    return this.#sqlite
  }

  /** Whether nothing is kept on disk. */
  get isMemoryOnly(): boolean {
    return isMemoryOnly(this.#path)
  }

  /** PostgreSQL, where `stores.postgres` names one. */
  get postgres(): PostgresDatabase | undefined {
    const url = this.#config.stores.postgres
    if (url !== undefined) this.#postgres ??= connectPostgres({ url })
    return this.#postgres
  }

  /** PostgreSQL of the application, by its address. */
  application(url: string): PostgresDatabase {
    const known = this.#applications.get(url)
    if (known !== undefined) return known
    const opened = connectPostgres({ url, max: 2 })
    this.#applications.set(url, opened)
    return opened
  }

  /** Redis, where `stores.redis` names one. */
  get redis(): RedisConnection | undefined {
    const url = this.#config.stores.redis
    if (url !== undefined) this.#redis ??= connectRedis({ url })
    return this.#redis
  }

  async close(): Promise<void> {
    this.#redis?.disconnect()
    await this.#postgres?.close()
    for (const database of this.#applications.values()) await database.close()
    this.#sqlite?.close()
    this.#directory?.close()
  }
}
