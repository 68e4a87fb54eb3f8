import { IntegrityError } from '@postern/core'
import type { PostgresDatabase } from '@postern/store'
import type { SubjectKey } from '../entry/seal.ts'
import { encodeBundle } from '../format/entry-bundle.ts'
import { HASH_BYTES } from '../format/sha256.ts'
import { parseTilePath, TILE_WIDTH, type Tile, tilePath } from '../format/tile.ts'
import type { AuditQuery } from '../reader/audit-query.ts'
import { range } from '../reader/log-reader.ts'
import type { LogStore, RemovedEntries } from '../reader/log-store.ts'
import { PUT_WITNESSED, REMOVE_ENTRIES } from './audit.sql.ts'
import { entryConditions } from './entry-conditions.ts'
import { keysById } from './postgres-subjects.ts'

const PAGE = 200
/** The largest length of an entry that a bundle can state. */
const MAX_LEAF = 65_535

/** What a log in PostgreSQL has published. Bundles are built from the rows on request. */
export class DatabaseStore implements LogStore {
  readonly name: string
  readonly #database: PostgresDatabase
  readonly #searchKey: Uint8Array

  constructor(database: PostgresDatabase, searchKey: Uint8Array) {
    this.name = `audit log in ${database.name}`
    this.#database = database
    this.#searchKey = searchKey
  }

  /** A column of the log's one row of state. */
  async #state(column: string): Promise<string | undefined> {
    const { rows } = await this.#database.query<{ value: string | null }>(
      `SELECT ${column}::text AS value FROM audit_state`,
    )
    return rows[0]?.value ?? undefined
  }

  checkpoint(): Promise<string | undefined> {
    return this.#state('checkpoint')
  }

  witnessedCheckpoint(): Promise<string | undefined> {
    return this.#state('witnessed')
  }

  async keepWitnessed(note: string): Promise<void> {
    await this.#database.query(PUT_WITNESSED, [note])
  }

  async verifierKeys(): Promise<readonly string[]> {
    return ((await this.#state('verifier_keys')) ?? '').split('\n').filter(line => line !== '')
  }

  async minimumIndex(): Promise<number> {
    return Number((await this.#state('minimum_index')) ?? 0)
  }

  /** Not stored here: the tenants' last numbers have a table of their own, which retention does not touch. */
  async removedNumbers(): Promise<ReadonlyMap<string, number>> {
    return new Map()
  }

  async tile(tile: Tile): Promise<Uint8Array | undefined> {
    const { level, index, width } = tile
    if (level !== 'entries') {
      const hashes = await this.#hashes(level, index)
      if (hashes !== undefined && hashes.length < width * HASH_BYTES)
        throw new IntegrityError(`${this.name}: ${tilePath(tile)} is too short`)
      return hashes?.subarray(0, width * HASH_BYTES)
    }
    if ((index + 1) * TILE_WIDTH <= (await this.minimumIndex())) return undefined
    return encodeBundle(await this.leaves(range(index * TILE_WIDTH, index * TILE_WIDTH + width)))
  }

  async #hashes(level: number, index: number): Promise<Uint8Array | undefined> {
    const { rows } = await this.#database.query<{ hashes: Buffer }>(
      'SELECT hashes FROM audit_tiles WHERE level = $1 AND tile = $2',
      [level, index],
    )
    return rows[0]?.hashes
  }

  async raw(path: string): Promise<Uint8Array | undefined> {
    if (path === 'checkpoint') {
      const note = await this.checkpoint()
      return note === undefined ? undefined : Buffer.from(note)
    }
    const tile = parseTilePath(path)
    if (tile === undefined) return undefined
    if (tile.level !== 'entries')
      return (await this.#hashes(tile.level, tile.index))?.subarray(0, tile.width * HASH_BYTES)
    const indexes = range(tile.index * TILE_WIDTH, tile.index * TILE_WIDTH + tile.width)
    const found = await this.#rows(indexes)
    if (found.size === 0) return undefined
    // A missing row becomes an empty entry, so that later entries keep their positions.
    return encodeBundle(indexes.map(index => found.get(index)?.subarray(0, MAX_LEAF) ?? new Uint8Array(0)))
  }

  async #rows(indexes: readonly number[]): Promise<ReadonlyMap<number, Uint8Array>> {
    const { rows } = await this.#database.query<{ at: string; leaf: Buffer }>(
      'SELECT idx::text AS at, leaf FROM audit_entries WHERE idx = ANY($1::bigint[])',
      [indexes],
    )
    return new Map(rows.map(({ at, leaf }) => [Number(at), leaf]))
  }

  async leaves(indexes: readonly number[]): Promise<readonly Uint8Array[]> {
    if (indexes.length === 0) return []
    const found = await this.#rows(indexes)
    return indexes.map(index => {
      const leaf = found.get(index)
      if (leaf === undefined) throw new IntegrityError(`${this.name}: entry ${index} is missing`)
      return leaf
    })
  }

  keys(ids: readonly string[]): Promise<ReadonlyMap<string, SubjectKey>> {
    return keysById(this.#database, ids)
  }

  async *find(query: AuditQuery): AsyncGenerator<readonly number[], void, undefined> {
    const newest = query.order !== 'oldest'
    const conditions = await entryConditions(this.#database, this.#searchKey, query)
    if (conditions === undefined) return
    let after = query.after === undefined ? (newest ? Number.MAX_SAFE_INTEGER : -1) : Number(query.after)
    const last = conditions.values.length + 1
    for (;;) {
      const { rows } = await this.#database.query<{ at: string }>(
        `SELECT idx::text AS at FROM audit_entries
         WHERE ${[...conditions.where, `idx ${newest ? '<' : '>'} $${last}`].join(' AND ')}
         ORDER BY idx ${newest ? 'DESC' : 'ASC'} LIMIT ${PAGE}`,
        [...conditions.values, after],
      )
      const page = rows.map(({ at }) => Number(at))
      after = page.at(-1) ?? after
      yield page
      if (page.length < PAGE) return
    }
  }

  remove({ from, to }: RemovedEntries): Promise<boolean> {
    return this.#database.transaction(async client => {
      // The sequencer waits for this row too: no entry is added while addresses are compared with entries.
      const { rows } = await client.query<{ minimum: string }>(
        'SELECT minimum_index::text AS minimum FROM audit_state WHERE id = 1 FOR UPDATE',
      )
      if (Number(rows[0]?.minimum) !== from) return false
      await client.query('UPDATE audit_state SET minimum_index = $1', [to])
      await client.query(REMOVE_ENTRIES, [to], '60s')
      return true
    })
  }
}
