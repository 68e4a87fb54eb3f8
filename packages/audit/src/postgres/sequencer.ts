import { type Clock, type Event, IntegrityError, type RandomSource } from '@postern/core'
import { type PostgresDatabase, PostgresError, type SqlClient } from '@postern/store'
import { composeLeaf } from '../entry/compose-leaf.ts'
import { splitEvent, subjectName } from '../entry/entry.ts'
import { subjectAddressToken } from '../entry/key-store.ts'
import type { SubjectKey } from '../entry/seal.ts'
import { openCheckpoint, signCheckpoint } from '../format/checkpoint.ts'
import { verifyConsistency } from '../format/merkle-proof.ts'
import { consistencyProof, EMPTY_ROOT, leafHash } from '../format/merkle-tree.ts'
import type { NoteSigner, NoteVerifier } from '../format/note.ts'
import { HASH_BYTES, type Hash } from '../format/sha256.ts'
import { type Tile, tileNodes } from '../format/tile.ts'
import { TileTree } from '../log/tile-tree.ts'
import {
  ADVANCE,
  HELD_STATE,
  INSERT_ADDRESSES,
  INSERT_ENTRIES,
  LOCK_STATE,
  PUT_CHECKPOINT,
  PUT_TENANTS,
  PUT_TILES,
  TAKE_INBOX,
  TAKE_OLDEST,
} from './audit.sql.ts'
import { columnText } from './column-text.ts'
import { entryColumns } from './entry-columns.ts'
import { GivenNumbers } from './given-numbers.ts'
import { type InboxRow, readInbox, unreadable } from './inbox-event.ts'
import { obtainKeys, searchToken } from './postgres-subjects.ts'

export interface SequencerOptions {
  readonly database: PostgresDatabase
  readonly origin: string
  readonly signers: readonly NoteSigner[]
  /** Keys of `signers`: a checkpoint that none of them signed is not built on. */
  readonly verifiers: readonly NoteVerifier[]
  readonly clock: Clock
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

interface State {
  readonly size: string
  readonly term: string
  readonly holder: string
  readonly checkpoint_size: string
  readonly checkpoint: string
}

const BATCH = 1_000
/** Rows of a step for what other roles than that of the instances have inserted. */
const OF_OTHERS = 100
/** A tree that this instance has seen the log have. */
interface Known {
  readonly size: bigint
  readonly root: Hash
}

/** States of PostgreSQL that mean a row cannot be stored as it is, and not that the database has failed. */
const UNFIT = /^(?:21|22|23|54)/

/**
 * Turns inbox rows into entries, one instance at a time. The lock only saves work: safety comes from
 * committing a batch only if size and term are still those that its tree was computed on. Signs after the
 * commit: only durable state is signed. Extends only a tree that contains the signed checkpoint and every
 * tree this instance has seen: signed entries cannot be changed in the database and signed again.
 */
export class Sequencer {
  readonly #options: SequencerOptions
  readonly #tiles = new Map<
    string,
    { readonly level: number; readonly tile: number; readonly hashes: Buffer }
  >()
  readonly #tree: TileTree
  #term = ''
  /** The checkpoint in the database, as it was when the tree was last compared with it. */
  #signed = { checkpoint: '', size: -1 }
  readonly #numbers = new GivenNumbers()
  #known: Known = { size: 0n, root: EMPTY_ROOT }
  /**
   * Rows of one step, and whether the first is logged unread: an unexpected row must
   * not stop the rows after it.
   */
  #batch = BATCH
  #distrustsFirst = false
  /** Since when another instance has had the state while rows wait and nothing is entered. */
  #held: { readonly size: string; readonly since: number } | undefined
  #wasHeld = false

  constructor(options: SequencerOptions) {
    this.#options = options
    this.#tree = new TileTree((tile, hashes) => this.#keepTile(Number(tile.level), tile.index, hashes))
  }

  #keepTile(level: number, tile: number, hashes: Uint8Array): void {
    this.#tiles.set(`${level}/${tile}`, { level, tile, hashes: Buffer.from(hashes) })
  }

  /** Whether the last step did nothing because another instance was at work. */
  get wasHeld(): boolean {
    return this.#wasHeld
  }

  /** How long another instance has been at work and entered nothing, though rows wait; milliseconds. */
  get heldFor(): number {
    return this.#held === undefined ? 0 : this.#options.clock.monotonic() - this.#held.since
  }

  /**
   * Sequences one batch, unless another instance is doing so. Returns the result of each row; fewer
   * than requested means the inbox is empty.
   * @throws StoreError when the database refuses
   * @throws IntegrityError when its tiles or checkpoint were changed, or it was restored to an older state
   */
  async step(): Promise<readonly Sequenced[]> {
    this.#tiles.clear()
    this.#numbers.begin()
    let done: readonly Sequenced[] = []
    let state: State | undefined
    try {
      done = await this.#options.database.transaction(async client => {
        state = await this.#lockState(client)
        this.#wasHeld = state === undefined
        if (state === undefined) return []
        await this.#takeTerm(client, state)
        const inbox = await this.#take(client)
        if (inbox.length === 0) return []
        inbox.sort((a, b) => Number(BigInt(a.id) - BigInt(b.id)))
        return await this.#enterAll(client, inbox)
      })
    } catch (error) {
      // The transaction is undone, the tree is not: load it again next time.
      this.#term = ''
      const isLastResort = this.#distrustsFirst
      this.#distrustsFirst = false
      if (!isUnfit(error) || isLastResort) throw error
      this.#distrustsFirst = this.#batch === 1
      this.#batch = 1
      return await this.step()
    }
    if (this.#distrustsFirst || done.length === 0) this.#batch = BATCH
    this.#distrustsFirst = false
    if (state !== undefined) {
      this.#numbers.keep(this.#term)
      this.#known = { size: BigInt(this.#tree.size), root: this.#tree.root() }
      if (this.#tree.size > Number(state.checkpoint_size)) await this.#sign()
    }
    return done
  }

  /**
   * The state, if no other instance has it. A row is locked, not a number: an advisory lock can be held by
   * every role that may connect, and would stop the log.
   */
  async #lockState(client: SqlClient): Promise<State | undefined> {
    const { rows } = await client.query<State>(LOCK_STATE)
    const before = this.#held
    this.#held = undefined
    if (rows[0] !== undefined) return rows[0]
    const [held] = (await client.query<{ size: string; waits: boolean }>(HELD_STATE)).rows
    if (held === undefined) throw new IntegrityError('the audit log has lost its state')
    const since = before?.size === held.size ? before.since : this.#options.clock.monotonic()
    if (held.waits) this.#held = { size: held.size, since }
    return undefined
  }

  async #take(client: SqlClient): Promise<InboxRow[]> {
    if (this.#batch === 1) return (await client.query<InboxRow>(TAKE_OLDEST)).rows
    return (await client.query<InboxRow>(TAKE_INBOX, [this.#batch, OF_OTHERS])).rows
  }

  /** Checks that the tree in memory is the one in the database; a new holder begins a new term. */
  async #takeTerm(client: SqlClient, state: State): Promise<void> {
    if (
      state.holder === this.#options.holder &&
      state.term === this.#term &&
      state.checkpoint === this.#signed.checkpoint &&
      Number(state.checkpoint_size) === this.#signed.size &&
      Number(state.size) === this.#tree.size
    )
      return
    this.#numbers.resume(state.term, state.holder === this.#options.holder)
    const term = (BigInt(state.term) + 1n).toString()
    await client.query('UPDATE audit_state SET term = $1, holder = $2', [term, this.#options.holder])
    await this.#load(client, Number(state.size))
    await this.#compare(client, state)
    this.#term = term
    this.#signed = { checkpoint: state.checkpoint, size: Number(state.checkpoint_size) }
  }

  /** The next signed tree extends what was signed before, and what this instance saw. */
  async #compare(client: SqlClient, state: State): Promise<void> {
    const head = this.#openHead(state)
    const size = BigInt(this.#tree.size)
    const root = this.#tree.root()
    const nodes = tileNodes(tile => readTile(client, tile), this.#tree.size)
    for (const known of [head, this.#known]) {
      if (known.size > size)
        throw new IntegrityError(
          `the database has ${size} entries of the audit log, and had ${known.size}: it was put back to an older state. ` +
            'Find out why; if it was meant, restart every instance with acceptRollback',
        )
      const proof = await consistencyProof(nodes, Number(known.size), Number(size))
      if (!verifyConsistency(known.size, size, known.root, root, proof))
        throw new IntegrityError(
          `the first ${known.size} entries of the audit log are not those that were signed: tiles in the database were changed`,
        )
    }
  }

  #openHead(state: State): Known {
    const { verifiers, origin } = this.#options
    let head: Known
    try {
      head = openCheckpoint(state.checkpoint, verifiers, origin)
    } catch (cause) {
      throw new IntegrityError(
        'the checkpoint in the database was not signed with the keys of this instance, which therefore enters nothing; ' +
          'to rotate keys, give every instance both, the new one first',
        { cause },
      )
    }
    if (head.size !== BigInt(state.checkpoint_size))
      throw new IntegrityError(
        `the checkpoint is of ${head.size} entries, but was declared with another size`,
      )
    return head
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

  /** In parts that end with an erasure: what its subject does next is sealed with another key. */
  async #enterAll(client: SqlClient, inbox: readonly InboxRow[]): Promise<readonly Sequenced[]> {
    const done: Sequenced[] = []
    while (done.length < inbox.length) {
      const erasure = inbox.findIndex(({ kind }, i) => i >= done.length && kind === 'erasure')
      const part = inbox.slice(done.length, erasure < 0 ? inbox.length : erasure + 1)
      done.push(...(await this.#enter(client, part)))
    }
    return done
  }

  async #enter(client: SqlClient, inbox: readonly InboxRow[]): Promise<readonly Sequenced[]> {
    const { origin, random, searchKey } = this.#options
    const now = this.#options.clock.now()
    const read = inbox.map((row, i) =>
      this.#distrustsFirst && i === 0
        ? { event: unreadable(row, now, 'cannot be stored') }
        : readInbox(row, now),
    )
    const events = read.map(({ event }) => event)
    const erased = read.flatMap(({ erases }) => (erases === undefined ? [] : [erases]))
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
      const subjectId = key?.id ?? null
      const columns = entryColumns({ event, tenant, number, subject: subjectId, address })
      return { inbox: inbox[i]?.id ?? '', index, leaf, hash, columns }
    })
    for (const { tile, hashes } of this.#tree.partialTiles())
      this.#keepTile(Number(tile.level), tile.index, hashes)
    await client.query(INSERT_ENTRIES, [
      entries.map(({ index }) => index),
      entries.map(({ inbox: id }) => id),
      entries.map(({ leaf }) => leaf),
      entries.map(({ columns }) => columns.time),
      entries.map(({ columns }) => columns.type),
      entries.map(({ columns }) => columns.tenant),
      entries.map(({ columns }) => columns.number),
      entries.map(({ columns }) => columns.action),
      entries.map(({ columns }) => columns.resource),
      entries.map(({ columns }) => columns.resource_id),
      entries.map(({ columns }) => columns.decision),
      entries.map(({ columns }) => columns.request),
      entries.map(({ columns }) => columns.subject),
      entries.map(({ columns }) => columns.address),
    ])
    this.#numbers.enter(numbers)
    const rows = [...addresses.values()]
    await client.query(INSERT_ADDRESSES, [
      rows.map(({ token }) => token),
      rows.map(({ subject }) => subject),
      rows.map(({ address }) => address),
    ])
    await client.query(PUT_TENANTS, [[...numbers.keys()].map(columnText), [...numbers.values()]])
    const tiles = [...this.#tiles.values()]
    await client.query(PUT_TILES, [
      tiles.map(({ level }) => level),
      tiles.map(({ tile }) => tile),
      tiles.map(({ hashes }) => hashes),
    ])
    for (const id of erased) await eraseKey(client, id)
    const { rowCount } = await client.query(ADVANCE, [this.#tree.size, oldSize, this.#term])
    if (rowCount !== 1)
      throw new IntegrityError('another instance appended to the log while this one held its lock')
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
      [tenants.map(columnText)],
    )
    const stored = new Map(rows.map(({ tenant, number }) => [tenant, Number(number)]))
    const numbers = new Map(tenants.map(tenant => [tenant, stored.get(columnText(tenant)) ?? 0]))
    await this.#numbers.compare(client, numbers)
    return numbers
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

  async #sign(): Promise<void> {
    const { origin, signers, database } = this.#options
    const size = this.#tree.size
    const checkpoint = signCheckpoint({ origin, size: BigInt(size), root: this.#tree.root() }, signers)
    const { rowCount } = await database.query(PUT_CHECKPOINT, [checkpoint, size])
    if (rowCount === 1) this.#signed = { checkpoint, size }
  }
}

function isUnfit(error: unknown): boolean {
  return error instanceof PostgresError && UNFIT.test(error.state ?? '')
}

async function readTile(client: SqlClient, { level, index, width }: Tile): Promise<Uint8Array> {
  const { rows } = await client.query<{ hashes: Buffer }>(
    'SELECT hashes FROM audit_tiles WHERE level = $1 AND tile = $2',
    [level, index],
  )
  const hashes = rows[0]?.hashes
  if (hashes === undefined || hashes.length < width * HASH_BYTES)
    throw new IntegrityError(`tile ${index} of level ${level} is missing from the database`)
  return hashes
}

async function eraseKey(client: SqlClient, id: string): Promise<void> {
  await client.query('DELETE FROM audit_subjects WHERE id = $1', [id])
  await client.query('DELETE FROM audit_addresses WHERE subject = $1', [id])
  await client.query('UPDATE audit_entries SET address = NULL WHERE subject = $1', [id])
}
