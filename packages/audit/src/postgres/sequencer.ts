import { type Event, IntegrityError, type RandomSource } from '@postern/core'
import type { PostgresDatabase, SqlClient } from '@postern/store'
import { composeLeaf, type Erasure, erasureEvent } from '../compose-leaf.ts'
import { splitEvent, subjectName } from '../entry.ts'
import { signCheckpoint } from '../format/checkpoint.ts'
import { leafHash } from '../format/merkle-tree.ts'
import type { NoteSigner } from '../format/note-key.ts'
import { subjectAddressToken } from '../key-store.ts'
import type { SubjectKey } from '../seal.ts'
import { TileTree } from '../tile-tree.ts'
import {
  ADVANCE,
  INSERT_ADDRESSES,
  INSERT_ENTRIES,
  PUT_CHECKPOINT,
  PUT_TENANTS,
  PUT_TILES,
  TAKE_INBOX,
} from './audit.sql.ts'
import { obtainKeys, searchToken } from './postgres-subjects.ts'

export interface SequencerOptions {
  readonly database: PostgresDatabase
  readonly origin: string
  readonly signers: readonly NoteSigner[]
  readonly random: RandomSource
  /** Unique among the instances. */
  readonly holder: string
  readonly searchKey: Uint8Array
}

/** A row of the inbox that became an entry. */
export interface Sequenced {
  readonly inbox: string
  readonly index: number
  /** Hex. */
  readonly leafHash: string
}

interface InboxRow {
  readonly id: string
  readonly kind: 'event' | 'erasure'
  readonly event: string
}

interface State {
  readonly size: string
  readonly term: string
  readonly holder: string
  readonly checkpoint_size: string
  readonly checkpoint: string
}

const BATCH = 1_000
/** Advisory lock of the sequencer: "postern audit" in ASCII, shortened to 64 bits. */
const LOCK = 0x706f737461756469n

/**
 * Turns inbox rows into entries, one instance at a time. The lock only saves work: what makes it safe is that a batch is committed only if size
 * and term are still those its tree was computed on. Signs after the commit: only durable state is signed.
 */
export class Sequencer {
  readonly #options: SequencerOptions
  readonly #tiles = new Map<
    string,
    { readonly level: number; readonly tile: number; readonly hashes: Buffer }
  >()
  readonly #tree: TileTree
  #term = ''

  constructor(options: SequencerOptions) {
    this.#options = options
    this.#tree = new TileTree((tile, hashes) => this.#keepTile(Number(tile.level), tile.index, hashes))
  }

  #keepTile(level: number, tile: number, hashes: Uint8Array): void {
    this.#tiles.set(`${level}/${tile}`, { level, tile, hashes: Buffer.from(hashes) })
  }

  /**
   * Sequences one batch, if no other instance is at it. Gives what became of it; fewer than asked for means the inbox is empty.
   * @throws StoreError when the database refuses; IntegrityError when its tiles are not whole
   */
  async step(): Promise<readonly Sequenced[]> {
    this.#tiles.clear()
    let done: readonly Sequenced[] = []
    let state: State | undefined
    try {
      done = await this.#options.database.transaction(async client => {
        const { rows } = await client.query<{ locked: boolean }>(
          'SELECT pg_try_advisory_xact_lock($1) AS locked',
          [LOCK.toString()],
        )
        if (rows[0]?.locked !== true) return []
        state = await this.#takeTerm(client)
        const inbox = (await client.query<InboxRow>(TAKE_INBOX, [BATCH])).rows
        if (inbox.length === 0) return []
        inbox.sort((a, b) => Number(BigInt(a.id) - BigInt(b.id)))
        return await this.#enter(client, inbox)
      })
    } catch (error) {
      // The transaction is undone, the tree is not: load it again next time.
      this.#term = ''
      throw error
    }
    if (state !== undefined && this.#tree.size > Number(state.checkpoint_size))
      await this.#sign(state.checkpoint)
    return done
  }

  /** Makes sure that the tree in memory is the one in the database; a new holder begins a new term. */
  async #takeTerm(client: SqlClient): Promise<State> {
    const { rows } = await client.query<State>(
      'SELECT size::text, term::text, holder, checkpoint_size::text, checkpoint FROM audit_state WHERE id = 1 FOR UPDATE',
    )
    const state = rows[0]
    if (state === undefined) throw new IntegrityError('the audit log has lost its state')
    if (
      state.holder === this.#options.holder &&
      state.term === this.#term &&
      Number(state.size) === this.#tree.size
    )
      return state
    const term = (BigInt(state.term) + 1n).toString()
    await client.query('UPDATE audit_state SET term = $1, holder = $2', [term, this.#options.holder])
    await this.#load(client, Number(state.size))
    this.#term = term
    return state
  }

  async #load(client: SqlClient, size: number): Promise<void> {
    const { rows } = await client.query<{ level: number; at: string; hashes: Buffer }>(
      'SELECT DISTINCT ON (level) level, tile::text AS at, hashes FROM audit_tiles ORDER BY level, tile DESC',
    )
    this.#tree.load(size, tile => {
      const row = rows.find(({ level, at }) => level === tile.level && Number(at) === tile.index)
      if (row === undefined || row.hashes.length < tile.width * 32)
        throw new IntegrityError(`tile ${tile.index} of level ${tile.level} is missing from the database`)
      return row.hashes.subarray(0, tile.width * 32)
    })
  }

  async #enter(client: SqlClient, inbox: readonly InboxRow[]): Promise<readonly Sequenced[]> {
    const { origin, random, searchKey } = this.#options
    const erased: string[] = []
    const events = inbox.map(row => {
      if (row.kind === 'event') return JSON.parse(row.event) as Event
      const erasure = JSON.parse(row.event) as Erasure
      erased.push(erasure.key)
      return erasureEvent(erasure)
    })
    const subjects = events.map(event => splitEvent(event).subject)
    const keys = await obtainKeys(
      client,
      subjects.filter(subject => subject !== undefined),
      searchKey,
      random,
    )
    const numbers = await this.#lastNumbers(client, events)
    const oldSize = this.#tree.size
    const salt = random.bytes(12)
    const addresses = new Map<string, { token: Buffer; subject: string; address: Buffer }>()
    const entries = events.map((event, i) => {
      const subject = subjects[i]
      const key = subject === undefined ? undefined : keys.get(subjectName(subject))
      const index = oldSize + i
      const tenant = event.actor.tenant ?? ''
      const number = (numbers.get(tenant) ?? 0) + 1
      numbers.set(tenant, number)
      const leaf = composeLeaf({ event, index, number, origin, key, salt })
      const hash = leafHash(leaf)
      this.#tree.append(hash)
      const address = this.#addressToken(event, key, addresses)
      return {
        inbox: inbox[i]?.id ?? '',
        index,
        leaf,
        hash,
        event,
        tenant,
        number,
        subject: key?.id ?? null,
        address,
      }
    })
    for (const { tile, hashes } of this.#tree.partialTiles())
      this.#keepTile(Number(tile.level), tile.index, hashes)
    await client.query(INSERT_ENTRIES, [
      entries.map(({ index }) => index),
      entries.map(({ inbox: id }) => id),
      entries.map(({ leaf }) => leaf),
      entries.map(({ event }) => event.time),
      entries.map(({ event }) => event.type),
      entries.map(({ tenant }) => tenant),
      entries.map(({ number }) => number),
      entries.map(({ event }) => event.action ?? null),
      entries.map(({ event }) => event.resource?.type ?? null),
      entries.map(({ event }) => event.resource?.id ?? null),
      entries.map(({ event }) => event.decision ?? null),
      entries.map(({ event }) => event.request?.id ?? null),
      entries.map(({ subject }) => subject),
      entries.map(({ address }) => address),
    ])
    const rows = [...addresses.values()]
    await client.query(INSERT_ADDRESSES, [
      rows.map(({ token }) => token),
      rows.map(({ subject }) => subject),
      rows.map(({ address }) => address),
    ])
    await client.query(PUT_TENANTS, [[...numbers.keys()], [...numbers.values()]])
    const tiles = [...this.#tiles.values()]
    await client.query(PUT_TILES, [
      tiles.map(({ level }) => level),
      tiles.map(({ tile }) => tile),
      tiles.map(({ hashes }) => hashes),
    ])
    for (const id of erased) await eraseKey(client, id)
    const { rowCount } = await client.query(ADVANCE, [this.#tree.size, oldSize, this.#term])
    if (rowCount !== 1) throw new IntegrityError('another instance moved the log on under the lock')
    return entries.map(({ inbox: id, index, hash }) => ({
      inbox: id,
      index,
      leafHash: Buffer.from(hash).toString('hex'),
    }))
  }

  async #lastNumbers(client: SqlClient, events: readonly Event[]): Promise<Map<string, number>> {
    const tenants = [...new Set(events.map(event => event.actor.tenant ?? ''))]
    const { rows } = await client.query<{ tenant: string; number: string }>(
      'SELECT tenant, number::text FROM audit_tenants WHERE tenant = ANY($1)',
      [tenants],
    )
    return new Map(rows.map(({ tenant, number }) => [tenant, Number(number)]))
  }

  #addressToken(
    event: Event,
    key: SubjectKey | undefined,
    addresses: Map<string, { token: Buffer; subject: string; address: Buffer }>,
  ): Buffer | null {
    const { address } = event.actor
    if (address === undefined || key === undefined) return null
    const known = addresses.get(`${key.id} ${address}`)
    if (known !== undefined) return known.address
    const own = Buffer.from(subjectAddressToken(key, address))
    const token = searchToken(this.#options.searchKey, 'address', address)
    addresses.set(`${key.id} ${address}`, { token, subject: key.id, address: own })
    return own
  }

  async #sign(previous: string): Promise<void> {
    const { origin, signers, database } = this.#options
    const size = this.#tree.size
    const checkpoint = signCheckpoint({ origin, size: BigInt(size), root: this.#tree.root() }, signers)
    await database.query(PUT_CHECKPOINT, [checkpoint, size, size === 0 ? previous : ''])
  }
}

async function eraseKey(client: SqlClient, id: string): Promise<void> {
  await client.query('DELETE FROM audit_subjects WHERE id = $1', [id])
  await client.query('DELETE FROM audit_addresses WHERE subject = $1', [id])
  await client.query('UPDATE audit_entries SET address = NULL WHERE subject = $1', [id])
}
