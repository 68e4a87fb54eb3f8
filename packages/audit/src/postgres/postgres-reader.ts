import { IntegrityError } from '@postern/core'
import type { SqlClient } from '@postern/store'
import type { AuditQuery } from '../audit-query.ts'
import type { Entry } from '../entry.ts'
import { inclusionProof } from '../format/merkle-tree.ts'
import { tileNodes } from '../format/tile.ts'
import { formatTlogProof } from '../format/tlog-proof.ts'
import { openEntry } from '../open-entry.ts'
import { entryConditions } from './entry-conditions.ts'
import { keysById } from './postgres-subjects.ts'

const PAGE = 200

/** Reads what the log in a database has published. */
export class PostgresReader {
  readonly #database: SqlClient
  readonly #origin: string
  readonly #searchKey: Uint8Array

  constructor(database: SqlClient, origin: string, searchKey: Uint8Array) {
    this.#database = database
    this.#origin = origin
    this.#searchKey = searchKey
  }

  /** The latest signed checkpoint and its size. */
  async head(): Promise<{ readonly checkpoint: string; readonly size: number }> {
    const { rows } = await this.#database.query<{ checkpoint: string; checkpoint_size: string }>(
      'SELECT checkpoint, checkpoint_size::text FROM audit_state',
    )
    return { checkpoint: rows[0]?.checkpoint ?? '', size: Number(rows[0]?.checkpoint_size ?? 0) }
  }

  /** A `.tlog-proof` for an entry. @throws RangeError when the log has no such entry */
  async proof(index: bigint): Promise<string> {
    const { checkpoint, size } = await this.head()
    const nodes = tileNodes(async tile => {
      const { rows } = await this.#database.query<{ hashes: Buffer }>(
        'SELECT hashes FROM audit_tiles WHERE level = $1 AND tile = $2',
        [tile.level, tile.index],
      )
      const hashes = rows[0]?.hashes
      if (hashes === undefined || hashes.length < tile.width * 32)
        throw new IntegrityError(`tile ${tile.index} of level ${tile.level} is missing from the database`)
      return hashes
    }, size)
    return formatTlogProof({ index, hashes: await inclusionProof(nodes, Number(index), size), checkpoint })
  }

  /** Entries that match, a page at a time. */
  async *query(query: AuditQuery): AsyncGenerator<Entry, void, undefined> {
    const newest = query.order !== 'oldest'
    const text = query.text?.toLowerCase()
    const conditions = await entryConditions(this.#database, this.#searchKey, query)
    if (conditions === undefined) return
    let left = query.limit ?? Number.POSITIVE_INFINITY
    let after = query.after === undefined ? (newest ? Number.MAX_SAFE_INTEGER : -1) : Number(query.after)
    const last = conditions.values.length + 1
    for (;;) {
      const { rows } = await this.#database.query<{ at: string; leaf: Buffer; subject: string | null }>(
        `SELECT idx::text AS at, leaf, subject FROM audit_entries
         WHERE ${[...conditions.where, `idx ${newest ? '<' : '>'} $${last}`].join(' AND ')}
         ORDER BY idx ${newest ? 'DESC' : 'ASC'} LIMIT ${PAGE}`,
        [...conditions.values, after],
      )
      const ids = rows.map(({ subject }) => subject).filter(subject => subject !== null)
      const keys = await keysById(this.#database, [...new Set(ids)])
      for (const { at, leaf } of rows) {
        if (left <= 0) return
        after = Number(at)
        const { entry } = openEntry(leaf, after, this.#origin, { byId: id => keys.get(id) })
        if (text !== undefined && !JSON.stringify(entry.event).toLowerCase().includes(text)) continue
        left--
        yield entry
      }
      if (rows.length < PAGE) return
    }
  }
}
