import { resolve } from 'node:path'
import type { StatementSync } from 'node:sqlite'
import { IntegrityError, StoreError } from '@postern/core'
import { openSqlite, type SqliteDatabase } from '@postern/store'
import { unwrapKey, wrapKey } from '../primitive/key-wrap.ts'
import { MAX_LIFETIME_MS } from '../split/capability.ts'
import type { HolderId, Part } from '../split/part.ts'
import { VERSION_CHARACTERS } from './counted-records.ts'
import { HOLDER_SQL } from './holder.sql.ts'
import type { HolderJournal, OpenedEntry, SearchedEntry, UsedCapability } from './holder-journal.ts'
import { HolderKeys } from './holder-keys.ts'
import { holderIdOf } from './holder-request.ts'
import { assertOwnSchema, HOLDER_SCHEMA } from './holder-schema.ts'
import { JournalSync, type SyncedFile, syncedFileAt } from './journal-sync.ts'
import { isWrappedCanary, unwrapCanary, wrapCanary } from './wrapped-canary.ts'

/** Pages of 4 KiB in the write-ahead log before they are moved into the file. */
const CHECKPOINT_PAGES = 8_192
/** Rows of a table that one clearing takes: a holder clears more often than so many are added. */
const PRUNED_AT_ONCE = 1_000

/**
 * Records opened that a power failure may take, so that no answer waits for the disk while it keeps up:
 * what was taken can be opened once more.
 */
export const MOST_UNSYNCED = 100
/** Half of that waits for the next sync at most, so that the answers of another half go on meanwhile. */
const PACE = { within: 10, units: MOST_UNSYNCED / 2 } as const

/** Settings: the file is a copy that was not started since; nothing is opened before. */
const COPY = 'copy'
const CLOSED = 'closed.until'
/** Until when capabilities that were used expired which are not in the file any more. */
const FORGOTTEN = 'forgotten.until'
/** Epochs that were removed, a byte each: a part of one is never taken again. */
const REMOVED = 'removed'
/** Seed of the TLS identity, wrapped as the parts are. */
export const TLS_KEY = 'tls.key'

type Statements = { readonly [Name in keyof typeof HOLDER_SQL]: StatementSync }

/**
 * One holder's SQLite file: its parts, wrapped, and what it must not forget. Openings are written through
 * to the
 * operating system before an answer leaves, so a killed process forgets nothing, and follow onto the disk
 * at once without being waited for: see `settled`. Everything else is on the disk when its method returns.
 */
export class HolderStore implements HolderJournal {
  readonly #database: SqliteDatabase
  readonly #run: Statements
  readonly #sync: JournalSync
  /** What the file is unlocked with, once it is. */
  #kek: Uint8Array | undefined

  private constructor(database: SqliteDatabase, log: SyncedFile) {
    this.#database = database
    this.#sync = new JournalSync(log, PACE)
    this.#run = Object.fromEntries(
      Object.entries(HOLDER_SQL).map(([name, text]) => [name, database.db.prepare(text)]),
    ) as Statements
  }

  /**
   * Opens or creates the file.
   * @param log its write-ahead log
   * @throws StoreError, IntegrityError as `openSqlite`, and as `assertOwnSchema`
   */
  static open(path: string, log: SyncedFile = syncedFileAt(`${resolve(path)}-wal`)): HolderStore {
    const database = openSqlite({
      path,
      synchronous: 'normal',
      migrations: [HOLDER_SCHEMA],
    })
    try {
      assertOwnSchema(database, path)
    } catch (error) {
      database.close()
      throw error
    }
    // A checkpoint syncs the file while an answer waits. At SQLite's 1,000 pages one in 300 answers
    // would wait.
    database.db.exec(`PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES}`)
    // A part that was removed, or wrapped again, must be gone from the file, not only from its index.
    database.db.exec('PRAGMA secure_delete = ON')
    return new HolderStore(database, log)
  }

  /** A setting, or undefined. */
  setting(name: string): Uint8Array | undefined {
    return this.#database.read(() => this.#run.getSetting.get(name)?.['value'] as Uint8Array | undefined)
  }

  /** A transaction that is on the disk when this returns. */
  #durably(work: () => void): void {
    this.#database.db.exec('PRAGMA synchronous = FULL')
    try {
      this.#database.transaction(work)
    } finally {
      this.#database.db.exec('PRAGMA synchronous = NORMAL')
    }
  }

  /**
   * Waits until a power failure would take at most `MOST_UNSYNCED` of the records opened so far: what an
   * answer waits for before it leaves. Undefined when there is nothing to wait for.
   * @throws StoreError when the disk failed: nothing more is opened
   */
  settled(): Promise<void> | undefined {
    return this.#sync.unsynced <= MOST_UNSYNCED ? undefined : this.#sync.synced()
  }

  /** Keeps settings, all of them or none. */
  setSettings(settings: Readonly<Record<string, Uint8Array>>): void {
    this.#durably(() => {
      for (const [name, value] of Object.entries(settings)) this.#run.putSetting.run(name, value)
    })
  }

  /** Number of this holder, once it has one. */
  get id(): HolderId | undefined {
    return holderIdOf(this.setting('id')?.[0])
  }

  /**
   * The parts, unwrapped.
   * @throws IntegrityError when the unlocking key is another one
   */
  keys(id: HolderId, kek: Uint8Array): HolderKeys {
    this.#kek = kek
    this.#wrapCanaries(kek)
    const keys = new HolderKeys(id)
    for (const row of this.#database.read(() => this.#run.parts.all())) {
      const epoch = Number(row['epoch'])
      keys.add(epoch, row['part'] as Part, unwrapKey(kek, row['wrapped'] as Uint8Array))
    }
    for (const epoch of this.#removed) keys.remove(epoch)
    return keys
  }

  /** Whether there are parts in it, which only the key that wrapped them unlocks. */
  get hasParts(): boolean {
    return this.#database.read(() => this.#run.parts.get()) !== undefined
  }

  /** Keeps a part. One that is there already stays. */
  addPart(epoch: number, part: Part, key: Uint8Array, kek: Uint8Array): void {
    this.#durably(() => this.#run.addPart.run(epoch, part, wrapKey(kek, key)))
  }

  /** Removes a part that nothing was sealed with. */
  forgetPart(epoch: number, part: Part): void {
    this.#durably(() => this.#run.forgetPart.run(epoch, part))
  }

  /** Removes the parts of all later epochs, which nothing was sealed with. */
  forgetAfter(epoch: number): void {
    this.#durably(() => this.#run.forgetAfter.run(epoch))
  }

  /** Removes the parts of an epoch, from the file too, and remembers that they never come back. */
  removeEpoch(epoch: number): void {
    const removed = Uint8Array.from(new Set([...this.#removed, epoch]))
    this.#durably(() => {
      this.#run.removeEpoch.run(epoch)
      this.#run.putSetting.run(REMOVED, removed)
    })
    this.#foldLog()
  }

  get #removed(): Uint8Array {
    return this.setting(REMOVED) ?? new Uint8Array(0)
  }

  /** The write-ahead log has pages as they were until it is folded into the file. */
  #foldLog(): void {
    this.#database.db.exec('PRAGMA wal_checkpoint(TRUNCATE)')
  }

  /**
   * Wraps every part and the TLS identity under another key and keeps the settings that go with it, in one
   * transaction. What was wrapped under the earlier key is gone from the file then.
   */
  rewrapParts(from: Uint8Array, to: Uint8Array, settings: Readonly<Record<string, Uint8Array>>): void {
    this.#durably(() => {
      for (const row of this.#run.parts.all()) {
        const key = unwrapKey(from, row['wrapped'] as Uint8Array)
        this.#run.setPart.run(wrapKey(to, key), Number(row['epoch']), String(row['part']))
      }
      for (const canary of this.#run.canaries.all().map(row => String(row['record']))) {
        this.#run.removeCanary.run(canary)
        this.#run.addCanary.run(wrapCanary(to, unwrapCanary(from, canary)))
      }
      const identity = this.#run.getSetting.get(TLS_KEY)?.['value']
      if (identity instanceof Uint8Array)
        this.#run.putSetting.run(TLS_KEY, wrapKey(to, unwrapKey(from, identity)))
      for (const [name, value] of Object.entries(settings)) this.#run.putSetting.run(name, value)
    })
    this.#foldLog()
  }

  opened({ time, person, service, records }: OpenedEntry, used?: UsedCapability): void {
    if (records.size === 0 && used === undefined) return
    const text = formatRecords(records)
    const addOpened = (): unknown => this.#run.addOpened.run(time, person ?? null, service, text)
    // One statement is a transaction by itself; BEGIN and COMMIT around it took as long as the statement.
    if (used === undefined) this.#database.read(addOpened)
    else
      this.#database.transaction(() => {
        this.#run.addUsed.run(`${used.actor} ${used.nonce}`, used.expiresAt, used.service)
        if (records.size > 0) addOpened()
      })
    // A capability without a record of its own counts as one: it must not come twice without end either.
    this.#sync.written(Math.max(1, records.size))
  }

  *openedSince(since: number): Iterable<OpenedEntry> {
    for (const row of this.#run.openedSince.iterate(since)) {
      yield {
        time: Number(row['time']),
        person: typeof row['person'] === 'string' ? row['person'] : undefined,
        service: String(row['service']),
        records: parseRecords(String(row['records'])),
      }
    }
  }

  searched({ time, scope, terms }: SearchedEntry): void {
    const text = Buffer.from(terms.join(''), 'latin1').toString('base64url')
    this.#database.read(() => this.#run.addSearched.run(time, scope, text))
    this.#sync.written(terms.length)
  }

  *searchedSince(since: number): Iterable<SearchedEntry> {
    for (const row of this.#run.searchedSince.iterate(since))
      yield {
        time: Number(row['time']),
        scope: String(row['scope']),
        terms: versionsOf(String(row['terms'])),
      }
  }

  guessed(user: string, time: number): void {
    this.#durably(() => this.#run.addGuess.run(time, user))
  }

  *guessedSince(since: number): Iterable<{ readonly user: string; readonly time: number }> {
    for (const row of this.#run.guessedSince.iterate(since))
      yield { user: String(row['user']), time: Number(row['time']) }
  }

  *usedAfter(now: number): Iterable<UsedCapability> {
    for (const row of this.#run.usedAfter.iterate(now)) {
      const capability = String(row['capability'])
      // An actor's name may hold spaces; a nonce holds none.
      const at = capability.lastIndexOf(' ')
      yield {
        service: String(row['service']),
        actor: capability.slice(0, at),
        nonce: capability.slice(at + 1),
        expiresAt: Number(row['expiresAt']),
      }
    }
  }

  freeze(actor: string, reason: string, time: number): void {
    this.#durably(() => this.#run.freeze.run(actor, reason, time))
  }

  thaw(actor: string): void {
    this.#durably(() => this.#run.thaw.run(actor))
  }

  *frozen(): Iterable<{ readonly actor: string; readonly reason: string; readonly time: number }> {
    for (const row of this.#run.frozen.iterate())
      yield { actor: String(row['actor']), reason: String(row['reason']), time: Number(row['time']) }
  }

  /** @throws StoreError before `keys` has unlocked the file */
  addCanary(record: string): void {
    const wrapped = wrapCanary(this.#unlocked, record)
    this.#durably(() => this.#run.addCanary.run(wrapped))
  }

  *canaries(): Iterable<string> {
    for (const row of this.#run.canaries.iterate()) yield unwrapCanary(this.#unlocked, String(row['record']))
  }

  get #unlocked(): Uint8Array {
    if (this.#kek !== undefined) return this.#kek
    throw new StoreError('is locked', { store: 'holder', retryable: false })
  }

  /** Earlier releases kept digests as they are. */
  #wrapCanaries(kek: Uint8Array): void {
    const plain = this.#run.canaries
      .all()
      .map(row => String(row['record']))
      .filter(record => !isWrappedCanary(record))
    if (plain.length === 0) return
    this.#durably(() => {
      for (const record of plain) {
        this.#run.removeCanary.run(record)
        this.#run.addCanary.run(wrapCanary(kek, record))
      }
    })
    this.#foldLog()
  }

  prune(before: number): void {
    this.#database.transaction(() => {
      this.#run.pruneOpened.run(before, PRUNED_AT_ONCE)
      this.#run.pruneSearched.run(before, PRUNED_AT_ONCE)
      this.#run.pruneGuessed.run(before, PRUNED_AT_ONCE)
      const until = this.#run.oldUsed.get(before, PRUNED_AT_ONCE)?.['until']
      if (typeof until !== 'number') return
      this.#run.pruneUsed.run(before, PRUNED_AT_ONCE)
      this.#run.putSetting.run(FORGOTTEN, Buffer.from(`${Math.max(until, this.forgottenUntil())}`))
    })
  }

  forgottenUntil(): number {
    return Number(Buffer.from(this.setting(FORGOTTEN) ?? new Uint8Array(0)).toString())
  }

  /**
   * Copies the file while it is in use. The copy is as secret as the file: parts in it stay wrapped. It says
   * of itself that it is one, see `closedUntil`.
   */
  async backup(path: string): Promise<void> {
    await this.#database.backup(path)
    const copy = HolderStore.open(path)
    copy.markAsCopy()
    copy.close()
  }

  /** Makes the file say of itself that it is a copy. */
  markAsCopy(): void {
    this.setSettings({ [COPY]: Uint8Array.of(1) })
  }

  /**
   * Until when nothing may be opened, epoch milliseconds; 0 for a file that was never restored. A copy does
   * not know what was opened after it was made, so all of a window is taken for used up, and at least the
   * life of a capability, since it does not know which were used either.
   * @param window of the budgets, milliseconds
   */
  closedUntil(now: number, window: number): number {
    if (this.setting(COPY) !== undefined)
      this.#durably(() => {
        this.#run.putSetting.run(CLOSED, Buffer.from(`${now + Math.max(window, MAX_LIFETIME_MS)}`))
        this.#run.removeSetting.run(COPY)
      })
    const until = this.setting(CLOSED)
    return until === undefined ? 0 : Number(Buffer.from(until).toString())
  }

  close(): void {
    this.#sync.close()
    this.#database.close()
  }
}

/** Record versions per table, as text: `{"customers":"<16 bytes each, base64url>"}`. */
function formatRecords(records: ReadonlyMap<string, string>): string {
  const byTable: Record<string, string> = Object.create(null)
  for (const [version, table] of records) byTable[table] = (byTable[table] ?? '') + version
  for (const table of Object.keys(byTable))
    byTable[table] = Buffer.from(byTable[table] ?? '', 'latin1').toString('base64url')
  return JSON.stringify(byTable)
}

/** Also reads what earlier releases wrote: `[["<22 characters, base64url>","customers"], ...]`. */
function parseRecords(text: string): ReadonlyMap<string, string> {
  const records = new Map<string, string>()
  const parsed: unknown = JSON.parse(text)
  if (typeof parsed !== 'object' || parsed === null)
    throw new IntegrityError('holder store: table opened is damaged; restore a backup')
  const packed: readonly unknown[] = Array.isArray(parsed)
    ? parsed
    : Object.entries(parsed).map(([table, versions]) => [versions, table])
  for (const entry of packed) {
    const [versions, table] = Array.isArray(entry) ? entry : []
    for (const version of versionsOf(String(versions))) records.set(version, String(table))
  }
  return records
}

/** Versions from one text of base64url. */
function versionsOf(text: string): readonly string[] {
  const bytes = Buffer.from(text, 'base64url').toString('latin1')
  const versions: string[] = []
  for (let at = 0; at + VERSION_CHARACTERS <= bytes.length; at += VERSION_CHARACTERS)
    versions.push(bytes.slice(at, at + VERSION_CHARACTERS))
  return versions
}
