import { createHash } from 'node:crypto'
import type { StatementSync } from 'node:sqlite'
import { IntegrityError } from '@postern/core'
import { openSqlite, type SqliteDatabase } from '@postern/store'
import type { Entry } from '../entry/entry.ts'
import { type SubjectKeys, subjectAddressToken } from '../entry/key-store.ts'
import type { AuditQuery } from '../reader/audit-query.ts'
import {
  INDEX_MIGRATIONS,
  INSERT_ADDRESS,
  INSERT_ENTRY,
  REMOVE_UNUSED_ADDRESSES,
  SET_TENANT,
  STRANGE,
} from './audit-index.sql.ts'
import { indexProblem, unusableIndex } from './index-problem.ts'

type Value = string | number | Uint8Array

/** An entry with the id of the key its personal part is sealed under. */
export interface IndexedEntry {
  readonly entry: Pick<Entry, 'index' | 'tenant' | 'number' | 'event'>
  readonly subject: string | undefined
}

const PAGE = 256
const TOKEN_CACHE = 20_000

/**
 * Finds entries by their contents. Derived: it can be deleted and rebuilt from the log, and the two compared
 * by their digests. Personal data is in it only as tokens that mean nothing without the subject's key.
 */
export class AuditIndex {
  readonly #database: SqliteDatabase
  readonly #path: string
  readonly #keys: SubjectKeys
  readonly #insertEntry: StatementSync | undefined
  readonly #insertAddress: StatementSync | undefined
  readonly #setTenant: StatementSync | undefined
  readonly #tokens = new Map<string, Uint8Array>()
  /** Last numbers of the tenants that have entries waiting. */
  readonly #tenants = new Map<string, number>()
  #waiting: IndexedEntry[] = []

  private constructor(database: SqliteDatabase, path: string, keys: SubjectKeys, readOnly: boolean) {
    this.#database = database
    this.#path = path
    this.#keys = keys
    if (!readOnly) {
      database.db.exec('PRAGMA secure_delete = ON')
      this.#insertEntry = database.db.prepare(INSERT_ENTRY)
      this.#insertAddress = database.db.prepare(INSERT_ADDRESS)
      this.#setTenant = database.db.prepare(SET_TENANT)
    }
  }

  /**
   * Opens or creates the file; `:memory:` for one that is rebuilt each time.
   * @throws StoreError when it cannot be opened; IntegrityError when it is damaged, or somebody edited it
   */
  static open(path: string, keys: SubjectKeys, options: { readonly readOnly?: boolean } = {}): AuditIndex {
    const readOnly = options.readOnly ?? false
    let database: SqliteDatabase | undefined
    try {
      database = openSqlite({ path, readOnly, synchronous: 'normal', migrations: [INDEX_MIGRATIONS] })
      // A trigger or a view would change what is written and found, and nothing would say so.
      const strange = database.db.prepare(STRANGE).get()?.['name']
      if (strange !== undefined) throw unusableIndex(path, `it has a ${String(strange)}`)
      return new AuditIndex(database, path, keys, readOnly)
    } catch (error) {
      database?.close()
      throw error instanceof IntegrityError && database !== undefined ? error : indexProblem(error, path)
    }
  }

  /** Runs work on the database, with failures as `indexProblem` says them. */
  #run<T>(work: () => T): T {
    try {
      return work()
    } catch (error) {
      throw indexProblem(error, this.#path)
    }
  }

  /**
   * How many entries of the log are in the index.
   * @throws IntegrityError when it does not say
   */
  get size(): number {
    const row = this.#run(() =>
      this.#database.read(() => this.#database.db.prepare('SELECT size FROM position').get()),
    )
    const size = Number(row?.['size'])
    if (!Number.isSafeInteger(size) || size < 0)
      throw unusableIndex(this.#path, 'it does not say how many entries it has')
    return size
  }

  /** Adds the next entry; it is in the index after `commit`. */
  add(entry: IndexedEntry): void {
    this.#waiting.push(entry)
    this.#tenants.set(entry.entry.tenant, entry.entry.number)
  }

  /** Discards the entries added since the last commit. */
  abandon(): void {
    this.#waiting = []
    this.#tenants.clear()
  }

  /** Writes the entries added so far. @param size of the log they complete */
  commit(size: number): void {
    const waiting = this.#waiting
    this.#waiting = []
    this.#run(() =>
      this.#database.transaction(() => {
        for (const entry of waiting) this.#insert(entry)
        for (const [tenant, number] of this.#tenants) this.#setTenant?.run(tenant, number)
        this.#database.db.prepare('UPDATE position SET size = ?').run(size)
      }),
    )
    this.#tenants.clear()
  }

  #insert({ entry, subject }: IndexedEntry): void {
    const { event } = entry
    const token = subject === undefined ? undefined : this.#addressTokens(subject, event.actor.address)
    this.#insertEntry?.run(
      entry.index,
      event.time,
      event.type,
      entry.tenant,
      entry.number,
      event.action ?? null,
      event.resource?.type ?? null,
      event.resource?.id ?? null,
      event.decision ?? null,
      event.request?.id ?? null,
      subject ?? null,
      token ?? null,
    )
  }

  #addressTokens(subject: string, address: string | undefined): Uint8Array | undefined {
    if (address === undefined) return undefined
    const cached = this.#tokens.get(`${subject} ${address}`)
    if (cached !== undefined) return cached
    const key = this.#keys.byId(subject)
    if (key === undefined) return undefined
    const own = subjectAddressToken(key, address)
    this.#insertAddress?.run(this.#keys.addressToken(address), subject, own)
    if (this.#tokens.size >= TOKEN_CACHE) this.#tokens.clear()
    this.#tokens.set(`${subject} ${address}`, own)
    return own
  }

  /** Begins after the entries that retention removed, with the number each tenant had reached there. */
  startAt(size: number, numbers: ReadonlyMap<string, number>): void {
    for (const [tenant, number] of numbers) this.#tenants.set(tenant, number)
    this.commit(size)
  }

  /** Deletes the entries below an index, which retention removed. */
  removeBelow(minimumIndex: number): void {
    this.#tokens.clear()
    this.#database.transaction(() => {
      this.#database.db.prepare('DELETE FROM entries WHERE idx < ?').run(minimumIndex)
      this.#database.db.exec(REMOVE_UNUSED_ADDRESSES)
    })
  }

  /** Deletes the tokens of a subject whose key was destroyed. */
  eraseSubject(subject: string): void {
    this.#tokens.clear()
    this.#database.transaction(() => {
      this.#database.db.prepare('UPDATE entries SET address = NULL WHERE subject = ?').run(subject)
      this.#database.db.prepare('DELETE FROM addresses WHERE subject = ?').run(subject)
    })
    this.#database.read(() => this.#database.db.exec('PRAGMA wal_checkpoint(TRUNCATE)'))
  }

  /** Indexes of the entries that match everything but `text`, in pages, in the order asked for. */
  *find(query: AuditQuery): Generator<readonly number[], void, undefined> {
    const newest = query.order !== 'oldest'
    const { where, values } = this.#conditions(query)
    if (where === undefined) return
    const statement = this.#run(() =>
      this.#database.db.prepare(
        `SELECT idx FROM entries WHERE ${[...where, `idx ${newest ? '<' : '>'} ?`].join(' AND ')}
       ORDER BY idx ${newest ? 'DESC' : 'ASC'} LIMIT ${PAGE}`,
      ),
    )
    let after = query.after === undefined ? (newest ? Number.MAX_SAFE_INTEGER : -1) : Number(query.after)
    for (;;) {
      const rows = this.#run(() => this.#database.read(() => statement.all(...values, after)))
      if (rows.length === 0) return
      const page = rows.map(row => Number(row['idx']))
      after = page.at(-1) ?? after
      yield page
      if (rows.length < PAGE) return
    }
  }

  /** Conditions on `entries`; `where` is undefined when nothing can match. */
  #conditions(query: AuditQuery): { readonly where: string[] | undefined; readonly values: Value[] } {
    const where: string[] = []
    const values: Value[] = []
    const equal = (column: string, value: string | undefined): void => {
      if (value === undefined) return
      where.push(`${column} = ?`)
      values.push(value)
    }
    equal('tenant', query.tenant)
    equal('type', query.type)
    equal('action', query.action)
    equal('resource', query.resource?.type)
    equal('resource_id', query.resource?.id)
    equal('decision', query.decision)
    equal('request', query.request)
    if (query.from !== undefined) {
      where.push('time >= ?')
      values.push(query.from)
    }
    if (query.to !== undefined) {
      where.push('time < ?')
      values.push(query.to)
    }
    if (query.principal !== undefined) {
      const subjects = this.#subjectsOf(query.principal, query.tenant)
      if (subjects.length === 0) return { where: undefined, values }
      where.push('subject IN (SELECT value FROM json_each(?))')
      values.push(JSON.stringify(subjects))
    }
    if (query.address !== undefined) {
      where.push('(subject, address) IN (SELECT subject, address FROM addresses WHERE token = ?)')
      values.push(this.#keys.addressToken(query.address))
    }
    return { where, values }
  }

  /** Ids of the keys of a principal: in one tenant, or in whichever tenants know that name. */
  #subjectsOf(principal: string, tenant: string | undefined): readonly string[] {
    const tenants =
      tenant === undefined
        ? this.#database.db
            .prepare('SELECT tenant FROM tenants')
            .all()
            .map(row => String(row['tenant']))
        : [tenant]
    return this.#keys.idsOf(principal, tenants)
  }

  /** SHA-256 over everything the index says, hex: two indexes of one log have the same. */
  digest(): string {
    return this.#run(() => this.#digest())
  }

  #digest(): string {
    const hash = createHash('sha256')
    for (const table of [
      'entries ORDER BY idx',
      'addresses ORDER BY token, subject',
      'tenants ORDER BY tenant',
      'position',
    ]) {
      const rows = this.#database.db.prepare(`SELECT * FROM ${table}`)
      for (const row of rows.iterate()) {
        for (const value of Object.values(row)) {
          hash.update(
            value instanceof Uint8Array
              ? `x${Buffer.from(value).toString('hex')}\n`
              : `${JSON.stringify(value)}\n`,
          )
        }
      }
    }
    return hash.digest('hex')
  }

  close(): void {
    this.#database.close()
  }
}
