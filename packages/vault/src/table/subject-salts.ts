import { type RandomSource, StoreError, systemRandom } from '@postern/core'
import { openSqlite, type SqlClient, type SqliteDatabase } from '@postern/store'
import { SUBJECT_MIGRATIONS, SUBJECT_SQL } from './subject-salts.sql.ts'

/**
 * One random salt per person whose data is kept, apart from the data. Every record of the
 * person is sealed with it; destroying it erases them all, also in copies and backups of
 * the database that do not have the salts.
 */
export interface SubjectSalts {
  /** Salts of subjects, made where there is none yet. A destroyed one is not made again. */
  ensure(subjects: readonly string[]): Promise<ReadonlyMap<string, Uint8Array | undefined>>
  /** Salts of subjects that have one. */
  get(subjects: readonly string[]): Promise<ReadonlyMap<string, Uint8Array>>
  /**
   * Destroys a salt, forever. True when there was one.
   * @throws StoreError (retryable) when a trace of it is left: call it again
   */
  destroy(subject: string): Promise<boolean>
}

/**
 * Salts in a SQLite file of their own. Keep it out of the database's backups, or keep its backups shortly.
 */
export class SqliteSubjectSalts implements SubjectSalts {
  readonly #database: SqliteDatabase
  readonly #random: RandomSource

  /** @throws StoreError, IntegrityError as `openSqlite` */
  constructor(path: string, random: RandomSource = systemRandom) {
    this.#database = openSqlite({
      path,
      migrations: [{ name: 'vault-subjects', migrations: SUBJECT_MIGRATIONS }],
    })
    // What is destroyed must be gone from the file too, not only from its index.
    this.#database.db.exec('PRAGMA secure_delete = ON')
    this.#random = random
  }

  async ensure(subjects: readonly string[]): Promise<ReadonlyMap<string, Uint8Array | undefined>> {
    return this.#database.transaction(() => {
      const add = this.#database.db.prepare(SUBJECT_SQL.sqlite.add)
      for (const subject of new Set(subjects)) add.run(subject, this.#random.bytes(32))
      return this.#read(subjects)
    })
  }

  async get(subjects: readonly string[]): Promise<ReadonlyMap<string, Uint8Array>> {
    return this.#database.read(() => this.#read(subjects))
  }

  async destroy(subject: string): Promise<boolean> {
    const changed = this.#database.transaction(
      () => this.#database.db.prepare(SUBJECT_SQL.sqlite.destroy).run(subject).changes,
    )
    // The write-ahead log has the old page until it is folded into the file, which waits until nobody reads
    // it.
    const folded = this.#database.read(() =>
      this.#database.db.prepare('PRAGMA wal_checkpoint(TRUNCATE)').get(),
    )
    if (Number(folded?.['busy']) !== 0)
      throw new StoreError(
        'a salt was destroyed, but another process reads the page it was on; erase again',
        {
          store: this.#database.name,
          retryable: true,
        },
      )
    return Number(changed) > 0
  }

  close(): void {
    this.#database.close()
  }

  #read(subjects: readonly string[]): ReadonlyMap<string, Uint8Array> {
    const get = this.#database.db.prepare(SUBJECT_SQL.sqlite.get)
    const found = new Map<string, Uint8Array>()
    for (const subject of new Set(subjects)) {
      const salt = get.get(subject)?.['salt']
      if (salt instanceof Uint8Array) found.set(subject, salt)
    }
    return found
  }
}

/**
 * Salts in a PostgreSQL table. Give it a database of its own, or leave the table out of dumps. PostgreSQL
 * keeps the earlier version of a row until `VACUUM`, and in its write-ahead log until that is recycled.
 */
export class PostgresSubjectSalts implements SubjectSalts {
  readonly #client: SqlClient
  readonly #random: RandomSource

  /** @param client of a database where `SUBJECT_MIGRATIONS` were applied */
  constructor(client: SqlClient, random: RandomSource = systemRandom) {
    this.#client = client
    this.#random = random
  }

  async ensure(subjects: readonly string[]): Promise<ReadonlyMap<string, Uint8Array | undefined>> {
    const distinct = [...new Set(subjects)]
    const salts = distinct.map(() => Buffer.from(this.#random.bytes(32)))
    await this.#client.query(SUBJECT_SQL.postgres.add, [distinct, salts])
    return this.get(distinct)
  }

  async get(subjects: readonly string[]): Promise<ReadonlyMap<string, Uint8Array>> {
    const { rows } = await this.#client.query<{ readonly subject: string; readonly salt: Uint8Array | null }>(
      SUBJECT_SQL.postgres.get,
      [[...new Set(subjects)]],
    )
    return new Map(rows.flatMap(({ subject, salt }) => (salt === null ? [] : [[subject, salt] as const])))
  }

  async destroy(subject: string): Promise<boolean> {
    return (await this.#client.query(SUBJECT_SQL.postgres.destroy, [subject])).rowCount > 0
  }
}
