import { createHash } from 'node:crypto'
import { type Event, type RandomSource, StoreError, systemRandom } from '@postern/core'
import { migrate, type PostgresDatabase, type SqlClient } from '@postern/store'
import { joinEvent, type Sealed, type Subject, splitEvent, subjectName } from '../entry/entry.ts'
import {
  bytesOrigin,
  type SealedBytes,
  type SealedEvent,
  type SubjectBytes,
  textOrigin,
} from '../entry/event-seal.ts'
import { openBytes, openPersonal, openText, type SubjectKey, sealBytes, sealPersonal } from '../entry/seal.ts'
import { searchToken } from './postgres-subjects.ts'
import { SEAL_KEY_MIGRATIONS, SEAL_KEYS } from './seal-keys.sql.ts'

const NONCE_BYTES = 12

interface KeyRow {
  readonly id: string
  readonly name: Buffer
  readonly key: Buffer
}

/**
 * As `EventSeal`, with the keys in PostgreSQL: every instance opens what another sealed. Whoever reads the
 * whole database reads the keys too; what a destroyed key sealed, nobody reads. No key outlives a call in
 * memory, so that an erasure holds on every instance at once.
 */
export class PostgresEventSeal {
  readonly #database: PostgresDatabase
  readonly #scope: string
  readonly #searchKey: Uint8Array
  readonly #random: RandomSource

  private constructor(
    database: PostgresDatabase,
    scope: string,
    searchKey: Uint8Array,
    random: RandomSource,
  ) {
    this.#database = database
    this.#scope = scope
    this.#searchKey = searchKey
    this.#random = random
  }

  /**
   * Opens or creates the keys of a scope.
   * @param options.scope names what is sealed: a box moved elsewhere does not open
   * @throws StoreError when the database cannot be reached or migrated
   */
  static async open(options: {
    readonly database: PostgresDatabase
    readonly scope: string
    readonly random?: RandomSource
  }): Promise<PostgresEventSeal> {
    const { database, scope, random = systemRandom } = options
    await migrate(database, 'event-seal', SEAL_KEY_MIGRATIONS)
    await database.query(SEAL_KEYS.begin, [scope, Buffer.from(random.bytes(32))])
    const { rows } = await database.query<{ search_key: Buffer }>(SEAL_KEYS.searchKey, [scope])
    const [row] = rows
    if (row === undefined)
      throw new StoreError('lost the key of its index', { store: database.name, retryable: true })
    return new PostgresEventSeal(database, scope, row.search_key, random)
  }

  /**
   * Seals events, in one look-up for all their keys.
   * @param client of the transaction that writes them: a key that was made is there when its events are
   * @param numbers of the events where they are kept
   */
  async seal(
    client: SqlClient,
    events: readonly Event[],
    numbers: readonly number[],
  ): Promise<readonly SealedEvent[]> {
    const split = events.map(splitEvent)
    const subjects = new Map(
      split.flatMap(({ subject }) =>
        subject === undefined ? [] : [[subjectName(subject), subject] as const],
      ),
    )
    const keys = await this.#obtain(client, subjects)
    return split.map(({ open, personal, subject }, i) => {
      const key = subject === undefined ? undefined : keys.get(subjectName(subject))
      if (personal === undefined || key === undefined) return { open }
      const context = { origin: this.#scope, index: numbers[i] ?? 0 }
      return { open, sealed: sealPersonal(personal, key, this.#random.bytes(NONCE_BYTES), context) }
    })
  }

  async #obtain(
    client: SqlClient,
    subjects: ReadonlyMap<string, Subject>,
  ): Promise<ReadonlyMap<string, SubjectKey>> {
    if (subjects.size === 0) return new Map()
    const tokens = new Map(
      // In one order everywhere: two instances that add the same keys then wait for each other, never both.
      [...subjects.keys()].sort().map(name => [this.#nameToken(name).toString('hex'), name]),
    )
    const found = await this.#find(client, tokens)
    const missing = [...tokens].filter(([, name]) => !found.has(name))
    if (missing.length === 0) return found
    await client.query(SEAL_KEYS.add, [
      missing.map(() => Buffer.from(this.#random.bytes(16)).toString('hex')),
      this.#scope,
      missing.map(([token]) => Buffer.from(token, 'hex')),
      missing.map(() => Buffer.from(this.#random.bytes(32))),
      missing.map(([, name]) => subjects.get(name)?.day ?? null),
    ])
    // Another instance may have been first: its keys are the ones that hold.
    return this.#find(client, tokens)
  }

  async #find(
    client: SqlClient,
    tokens: ReadonlyMap<string, string>,
  ): Promise<ReadonlyMap<string, SubjectKey>> {
    const names = [...tokens.keys()].map(token => Buffer.from(token, 'hex'))
    const { rows } = await client.query<KeyRow>(SEAL_KEYS.find, [this.#scope, names])
    return new Map(rows.map(({ id, name, key }) => [tokens.get(name.toString('hex')) ?? '', { id, key }]))
  }

  /**
   * The whole events again, or their readable part where the key was destroyed.
   * @throws IntegrityError when a box was changed or belongs elsewhere
   */
  async unseal(
    events: readonly SealedEvent[],
    numbers: readonly number[],
  ): Promise<readonly { readonly event: Event; readonly erased: boolean }[]> {
    const keys = await this.#byId(events.flatMap(({ sealed }) => (sealed === undefined ? [] : [sealed.key])))
    return events.map(({ open, sealed }, i) => {
      if (sealed === undefined) return { event: open, erased: false }
      const key = keys.get(sealed.key)
      if (key === undefined) return { event: open, erased: true }
      const personal = openPersonal(sealed, key, { origin: this.#scope, index: numbers[i] ?? 0 })
      return { event: joinEvent(open, personal), erased: false }
    })
  }

  async #byId(ids: readonly string[]): Promise<ReadonlyMap<string, SubjectKey>> {
    if (ids.length === 0) return new Map()
    const { rows } = await this.#database.query<Omit<KeyRow, 'name'>>(SEAL_KEYS.byId, [
      this.#scope,
      [...new Set(ids)],
    ])
    return new Map(rows.map(({ id, key }) => [id, { id, key }]))
  }

  /**
   * Seals bytes, some of each subject.
   * @param client as of `seal` @param number of the place where they are kept together
   */
  async sealAll(
    client: SqlClient,
    parts: readonly SubjectBytes[],
    number: number,
  ): Promise<readonly SealedBytes[]> {
    const subjects = new Map(parts.map(({ subject }) => [subjectName(subject), subject]))
    const keys = await this.#obtain(client, subjects)
    const context = { origin: bytesOrigin(this.#scope), index: number }
    return parts.map(({ subject, bytes }) => {
      const key = keys.get(subjectName(subject))
      if (key === undefined)
        throw new StoreError('lost the key of a subject', { store: this.#database.name, retryable: true })
      return { key: key.id, box: sealBytes(bytes, key, this.#random.bytes(NONCE_BYTES), context) }
    })
  }

  /**
   * Finds keys, as far as they are not known and were not destroyed.
   * @param known keys that were found before, to be kept for no longer than one reading of many places
   */
  async findKeys(ids: readonly string[], known: Map<string, SubjectKey>): Promise<void> {
    const missing = ids.filter(id => !known.has(id))
    for (const [id, key] of await this.#byId(missing)) known.set(id, key)
  }

  /**
   * Bytes again; undefined where the key is not among those that were found.
   * @throws IntegrityError when the box was changed or belongs elsewhere
   */
  open(
    { key: id, box }: SealedBytes,
    number: number,
    known: ReadonlyMap<string, SubjectKey>,
  ): Uint8Array | undefined {
    const key = known.get(id)
    return key === undefined
      ? undefined
      : openBytes(box, key, { origin: bytesOrigin(this.#scope), index: number })
  }

  /**
   * Texts that an earlier version sealed; undefined where the key was destroyed.
   * @param known keys that were found before, to be kept for no longer than one reading of many places
   * @throws IntegrityError when a box was changed or belongs elsewhere
   */
  async unsealTexts(
    boxes: readonly Sealed[],
    number: number,
    known: Map<string, SubjectKey>,
  ): Promise<readonly (string | undefined)[]> {
    await this.findKeys(
      boxes.map(({ key }) => key),
      known,
    )
    const context = { origin: textOrigin(this.#scope), index: number }
    return boxes.map(box => {
      const key = known.get(box.key)
      return key === undefined ? undefined : openText(box, key, context)
    })
  }

  /** Finds what somebody did without naming them, the same on every instance. */
  token(kind: 'address' | 'principal', value: string): Buffer {
    const name = createHash('sha256').update(`${kind}\n${value}`).digest('hex')
    return searchToken(this.#searchKey, 'address', name).subarray(0, 12)
  }

  /** As `EventSeal.keyOf`. */
  async keyOf(principal: string, tenant = ''): Promise<string | undefined> {
    const name = this.#nameToken(subjectName({ tenant, principal }))
    const { rows } = await this.#database.query<KeyRow>(SEAL_KEYS.find, [this.#scope, [name]])
    return rows[0]?.id
  }

  /** Destroys the key of a principal. */
  async erase(principal: string, tenant = ''): Promise<void> {
    const name = this.#nameToken(subjectName({ tenant, principal }))
    await this.#database.query(SEAL_KEYS.destroy, [this.#scope, name])
  }

  /** Destroys the keys of anonymous traffic of days before this one, `2026-11-23`. */
  async forgetDaysBefore(day: string): Promise<void> {
    await this.#database.query(SEAL_KEYS.destroyDays, [this.#scope, day])
  }

  #nameToken(name: string): Buffer {
    return searchToken(this.#searchKey, 'subject', name)
  }
}
