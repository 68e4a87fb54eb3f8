import { createHmac, createSecretKey, type KeyObject } from 'node:crypto'
import { type RandomSource, systemRandom } from '@postern/core'
import { type MigrationSet, openSqlite, type SqliteDatabase } from '@postern/store'
import { type Subject, subjectName } from './entry.ts'
import type { SubjectKey } from './seal.ts'

/** Keeps the subjects' keys, outside the log. */
export interface SubjectKeys {
  /** The subject's key, created if there is none. Not durable before `flush`. */
  obtain(subject: Subject): SubjectKey
  /** The subject's key, if there is one. */
  find(subject: Subject): SubjectKey | undefined
  /** Ids of the keys of a principal in each of these tenants, as far as there are any. */
  idsOf(principal: string, tenants: readonly string[]): readonly string[]
  /** The key with this id, if it was not destroyed. */
  byId(id: string): SubjectKey | undefined
  /** Makes the keys obtained so far durable. */
  flush(): void
  /** Destroys a key permanently: everything sealed under it is erased. */
  destroy(id: string): void
  /** Destroys the keys of anonymous traffic of days before this one (`2026-11-23`); gives their ids. */
  destroyDaysBefore(day: string): readonly string[]
  /** A token for an address, the same for all subjects: finds the subjects that used it. */
  addressToken(address: string): Uint8Array
}

/** A subject's own token for an address: it means nothing once the subject's key is gone. */
export function subjectAddressToken(key: SubjectKey, address: string): Uint8Array {
  return createHmac('sha256', key.key).update(`address\n${address}`).digest().subarray(0, 12)
}

const MIGRATIONS: MigrationSet = {
  name: 'audit-keys',
  migrations: [
    {
      id: 1,
      name: 'subjects and their keys',
      sqlite: `
        CREATE TABLE master (id INTEGER PRIMARY KEY CHECK (id = 1), search_key BLOB NOT NULL) STRICT;
        CREATE TABLE subjects (
          id   TEXT PRIMARY KEY,
          name BLOB NOT NULL UNIQUE,
          key  BLOB NOT NULL,
          day  TEXT
        ) STRICT;
        CREATE INDEX subjects_by_day ON subjects (day) WHERE day IS NOT NULL;`,
    },
  ],
}

const CACHE_LIMIT = 20_000

/** Subjects' keys in an SQLite file of mode 0600, whose names are HMACs: the file does not list people. */
export class KeyStore implements SubjectKeys {
  readonly #database: SqliteDatabase
  readonly #random: RandomSource
  readonly #readOnly: boolean
  readonly #searchKey: KeyObject
  readonly #byName = new Map<string, SubjectKey>()
  readonly #byId = new Map<string, SubjectKey>()
  /** Made and not yet durable, by subject name. */
  #pending = new Map<string, { readonly subject: Subject; readonly key: SubjectKey }>()

  private constructor(database: SqliteDatabase, random: RandomSource, readOnly: boolean) {
    this.#database = database
    this.#readOnly = readOnly
    this.#random = random
    if (!readOnly) {
      database.transaction(() => {
        database.db.exec('PRAGMA secure_delete = ON')
        database.db.prepare('INSERT OR IGNORE INTO master VALUES (1, ?)').run(random.bytes(32))
      })
    }
    const row = database.db.prepare('SELECT search_key FROM master').get()
    this.#searchKey = createSecretKey(row?.['search_key'] as Uint8Array)
  }

  /**
   * Opens or creates the file.
   * @throws StoreError when it cannot be opened
   */
  static open(
    path: string,
    options: { readonly readOnly?: boolean; readonly random?: RandomSource } = {},
  ): KeyStore {
    const readOnly = options.readOnly ?? false
    const database = openSqlite({ path, readOnly, migrations: [MIGRATIONS] })
    return new KeyStore(database, options.random ?? systemRandom, readOnly)
  }

  obtain(subject: Subject): SubjectKey {
    const name = subjectName(subject)
    const known = this.#byName.get(name) ?? this.find(subject)
    if (known !== undefined) return known
    const key = { id: Buffer.from(this.#random.bytes(16)).toString('hex'), key: this.#random.bytes(32) }
    this.#pending.set(name, { subject, key })
    this.#remember(name, key)
    return key
  }

  find(subject: Subject): SubjectKey | undefined {
    const name = subjectName(subject)
    const pending = this.#pending.get(name)
    if (pending !== undefined) return pending.key
    const row = this.#database.read(() =>
      this.#database.db.prepare('SELECT id, key FROM subjects WHERE name = ?').get(this.#nameToken(name)),
    )
    if (row === undefined) return undefined
    const key = { id: String(row['id']), key: row['key'] as Uint8Array }
    // A reader's cache may be older than an erasure by the writer: only the writer trusts its cache.
    if (!this.#readOnly) this.#remember(name, key)
    return key
  }

  idsOf(principal: string, tenants: readonly string[]): readonly string[] {
    const names = tenants.map(tenant => subjectName({ tenant, principal }))
    const pending = names.flatMap(name => this.#pending.get(name)?.key.id ?? [])
    return this.#database.read(() => {
      const statement = this.#database.db.prepare('SELECT id FROM subjects WHERE name = ?')
      const kept = names.map(name => statement.get(this.#nameToken(name))?.['id'])
      return [...pending, ...kept.filter(id => typeof id === 'string')]
    })
  }

  byId(id: string): SubjectKey | undefined {
    const known = this.#byId.get(id)
    if (known !== undefined) return known
    const row = this.#database.read(() =>
      this.#database.db.prepare('SELECT key FROM subjects WHERE id = ?').get(id),
    )
    if (row === undefined) return undefined
    const key = { id, key: row['key'] as Uint8Array }
    // As in `find`. Kept, it is imported once, and opening takes a fifth of the time.
    if (!this.#readOnly) this.#rememberId(key)
    return key
  }

  #remember(name: string, key: SubjectKey): void {
    if (this.#byName.size >= CACHE_LIMIT) {
      this.#byName.clear()
      this.#byId.clear()
    }
    this.#byName.set(name, key)
    this.#byId.set(key.id, key)
  }

  #rememberId(key: SubjectKey): void {
    if (this.#byId.size >= 2 * CACHE_LIMIT) this.#byId.clear()
    this.#byId.set(key.id, key)
  }

  flush(): void {
    if (this.#pending.size === 0) return
    const pending = this.#pending
    this.#database.transaction(() => {
      const insert = this.#database.db.prepare(
        'INSERT INTO subjects (id, name, key, day) VALUES (?, ?, ?, ?)',
      )
      for (const [name, { subject, key }] of pending)
        insert.run(key.id, this.#nameToken(name), key.key, subject.day ?? null)
    })
    this.#pending = new Map()
  }

  destroy(id: string): void {
    this.flush()
    this.#byName.clear()
    this.#byId.clear()
    this.#database.transaction(() => this.#database.db.prepare('DELETE FROM subjects WHERE id = ?').run(id))
    this.#emptyWal()
  }

  destroyDaysBefore(day: string): readonly string[] {
    this.flush()
    this.#byName.clear()
    this.#byId.clear()
    const rows = this.#database.transaction(() =>
      this.#database.db.prepare('DELETE FROM subjects WHERE day < ? RETURNING id').all(day),
    )
    this.#emptyWal()
    return rows.map(row => String(row['id']))
  }

  /** Without this a destroyed key would stay in SQLite's write-ahead file until the next checkpoint. */
  #emptyWal(): void {
    this.#database.read(() => this.#database.db.exec('PRAGMA wal_checkpoint(TRUNCATE)'))
  }

  addressToken(address: string): Uint8Array {
    return createHmac('sha256', this.#searchKey).update(`address\n${address}`).digest().subarray(0, 12)
  }

  #nameToken(name: string): Uint8Array {
    return createHmac('sha256', this.#searchKey).update(`subject\n${name}`).digest()
  }

  close(): void {
    this.#database.close()
  }
}
