import { join } from 'node:path'
import type { SQLInputValue, SQLOutputValue, StatementSync } from 'node:sqlite'
import { EventSeal } from '@postern/audit'
import type { Event, GuardTime, RandomSource } from '@postern/core'
import { openSqlite, type SqliteDatabase } from '@postern/store'
import type { RequestPage } from './merged-pages.ts'
import { type PageShare, WHOLE_SHARE } from './page-share.ts'
import { SqlitePages } from './sqlite-pages.ts'
import { SQLITE, TRAFFIC_MIGRATIONS } from './traffic.sql.ts'
import { type StoredEvent, type TrafficEvent, type Verdict, verdictOf } from './traffic-event.ts'
import type {
  FalsePositive,
  PlaceCount,
  RefusedActor,
  TrafficCount,
  TrafficQuery,
  TrafficSize,
  TrafficStore,
} from './traffic-store.ts'

/** The folder that traffic is kept in, for how long, and how large it may become. */
export interface SqliteTrafficOptions {
  /** Directory of the database and of the keys; it must exist. */
  readonly directory: string
  /** Milliseconds. */
  readonly keep: number
  /** Bytes. */
  readonly maxSize: number
  readonly random?: RandomSource
}

type Statements = { readonly [Name in keyof typeof SQLITE]: StatementSync }
type Row = Readonly<Record<string, SQLOutputValue>>

const DAY_MS = 86_400_000
/** Rows removed at once: a longer transaction would hold up the thread. */
const REMOVED_AT_ONCE = 500
/** Batches removed in one call of `prune`; the rest goes in the next. */
const BATCHES_AT_ONCE = 40
const ORIGIN = 'postern traffic'
/** Requests that are on no page are read so many at a time. */
const PAGE_EVENTS = 512

/** Traffic in an SQLite file of its own, mode 0600, personal parts sealed. */
export class SqliteTraffic implements TrafficStore {
  readonly #database: SqliteDatabase
  readonly #seal: EventSeal
  readonly #options: SqliteTrafficOptions
  readonly #statements: Statements
  readonly #pages: SqlitePages
  #lastId: number

  private constructor(database: SqliteDatabase, seal: EventSeal, options: SqliteTrafficOptions) {
    this.#database = database
    this.#seal = seal
    this.#options = options
    const names = Object.keys(SQLITE) as (keyof typeof SQLITE)[]
    this.#statements = Object.fromEntries(
      names.map(name => [name, database.db.prepare(SQLITE[name])]),
    ) as Statements
    this.#lastId = Number(this.#statements.lastId.get()?.['id'] ?? 0)
    this.#pages = new SqlitePages(database, seal, this.#lastId)
  }

  /** @throws StoreError when it cannot be opened or was written by a later version */
  static open(options: SqliteTrafficOptions): SqliteTraffic {
    const seal = EventSeal.open({
      directory: join(options.directory, 'traffic-keys'),
      origin: ORIGIN,
      ...(options.random !== undefined && { random: options.random }),
    })
    try {
      const database = openSqlite({
        path: join(options.directory, 'traffic.db'),
        migrations: [TRAFFIC_MIGRATIONS],
        // A power cut may take the last seconds of what is only shown; the audit log is what must last.
        synchronous: 'normal',
      })
      return new SqliteTraffic(database, seal, options)
    } catch (error) {
      seal.close()
      throw error
    }
  }

  async write(
    events: readonly TrafficEvent[],
    counts: readonly TrafficCount[],
    places: readonly PlaceCount[] = [],
  ): Promise<void> {
    const ids = events.map((_, i) => this.#lastId + 1 + i)
    const rows = events.map((event, i) => this.#row(event, ids[i] ?? 0))
    const { pages, keep } = this.#pages.take(events, ids)
    this.#seal.flush()
    this.#database.transaction(() => {
      pages()
      for (const row of rows) this.#statements.insert.run(...row)
      for (const { minute, verdict, route, rule, requests, layer, total } of counts)
        this.#statements.count.run(minute, verdict, route, rule, requests, layer, total)
      for (const { hour, country, requests, refused } of places)
        this.#statements.place.run(hour, country, requests, refused)
    })
    this.#lastId += rows.length
    keep()
  }

  #row({ event, weight, guardTimes }: TrafficEvent, id: number): readonly SQLInputValue[] {
    const { open, sealed } = this.#seal.seal(event, id)
    const { address, principal } = event.actor
    const verdict = verdictOf(event)
    return [
      id,
      event.time,
      event.type,
      verdict,
      event.type === 'http' && verdict === 'allow' ? 1 : 0,
      event.request?.id ?? null,
      event.reasons?.[0]?.rule ?? null,
      event.request?.route ?? null,
      address === undefined ? null : this.#seal.token('address', address),
      principal === undefined ? null : this.#seal.token('principal', principal),
      weight,
      JSON.stringify(open),
      sealed?.key ?? null,
      sealed?.box ?? null,
      guardTimes === undefined ? null : JSON.stringify(guardTimes),
    ]
  }

  async find(query: TrafficQuery): Promise<readonly StoredEvent[]> {
    const { verdicts, rule = null, route = null, address, principal, type = null } = query
    const rows = this.#database.read(() =>
      this.#statements.find.all({
        before: query.before ?? Number.MAX_SAFE_INTEGER,
        from: query.from ?? 0,
        type,
        verdicts: verdicts === undefined ? null : JSON.stringify(verdicts),
        rule,
        route,
        address: address === undefined ? null : this.#seal.token('address', address),
        principal: principal === undefined ? null : this.#seal.token('principal', principal),
        limit: Math.min(query.limit, 1_000),
      }),
    )
    return rows.map(row => this.#stored(row))
  }

  pages(from: number, what: 'heads' | 'whole', share: PageShare = WHOLE_SHARE): AsyncIterable<RequestPage> {
    return this.#pages.read({ from, what, share }, (low, high) => this.#between(low, high, from))
  }

  async pack(): Promise<boolean> {
    return this.#pages.pack((low, high) => this.#between(low, high, 0))
  }

  #between(low: number, high: number, from: number): readonly StoredEvent[] {
    return this.#database
      .read(() => this.#statements.requestsBetween.all(low, high, from, PAGE_EVENTS))
      .map(row => this.#stored(row))
  }

  async requestsFrom(from: number): Promise<number> {
    return Number(this.#database.read(() => this.#statements.requestsFrom.get(from))?.['requests'] ?? 0)
  }

  async ofRequest(id: string): Promise<readonly StoredEvent[]> {
    return this.#database.read(() => this.#statements.ofRequest.all(id)).map(row => this.#stored(row))
  }

  #stored(row: Row): StoredEvent {
    const id = Number(row['id'])
    const open = JSON.parse(String(row['body'])) as Event
    const { box_key: key, box, guards } = row
    const sealed = typeof key === 'string' && typeof box === 'string' ? { key, box } : undefined
    const { event, erased } = this.#seal.unseal({ open, ...(sealed !== undefined && { sealed }) }, id)
    return {
      id,
      event,
      erased,
      weight: Number(row['weight']),
      guardTimes: typeof guards === 'string' ? (JSON.parse(guards) as readonly GuardTime[]) : undefined,
    }
  }

  async counts(from: number): Promise<readonly TrafficCount[]> {
    return this.#database
      .read(() => this.#statements.counts.all(Math.floor(from / 60_000)))
      .map(row => ({
        minute: Number(row['minute']),
        verdict: String(row['verdict']) as Verdict,
        route: String(row['route']),
        rule: String(row['rule']),
        requests: Number(row['requests']),
        layer: Number(row['layer']),
        total: Number(row['total']),
      }))
  }

  async places(from: number): Promise<readonly PlaceCount[]> {
    return this.#database
      .read(() => this.#statements.places.all(Math.floor(from / 3_600_000)))
      .map(row => ({
        hour: Number(row['hour']),
        country: String(row['country']),
        requests: Number(row['requests']),
        refused: Number(row['refused']),
      }))
  }

  async mark({ request, rule, time, operator, note }: FalsePositive): Promise<void> {
    this.#database.transaction(() => {
      this.#statements.mark.run(request, rule, time, operator, note)
      this.#statements.removeMarks.run()
    })
  }

  async unmark(request: string): Promise<boolean> {
    return this.#database.transaction(() => this.#statements.unmark.run(request)).changes > 0
  }

  async marks(): Promise<readonly FalsePositive[]> {
    return this.#database
      .read(() => this.#statements.marks.all())
      .map(row => ({
        request: String(row['request']),
        rule: String(row['rule']),
        time: Number(row['time']),
        operator: String(row['operator']),
        note: String(row['note']),
      }))
  }

  async refusedActors(from: number, limit: number): Promise<readonly RefusedActor[]> {
    return this.#database
      .read(() => this.#statements.refusedActors.all(from, limit))
      .map(row => ({ requests: Number(row['requests']), last: this.#stored(row) }))
  }

  async prune(now: number): Promise<void> {
    const { keep, maxSize } = this.#options
    const { removeBefore, removeCounts, removePlaces, removePlain, removeOldest } = this.#statements
    const { removePagesUntil, removePages } = this.#statements
    this.#database.transaction(() => {
      removePagesUntil.run(now - keep)
      removeCounts.run(Math.floor((now - keep) / 60_000))
      removePlaces.run(Math.floor((now - keep) / 3_600_000))
    })
    for (let i = 0; i < BATCHES_AT_ONCE; i++) {
      const removed = this.#database.transaction(() => removeBefore.run(now - keep, REMOVED_AT_ONCE))
      if (removed.changes === 0) break
    }
    for (let i = 0; i < BATCHES_AT_ONCE && this.#bytes() > maxSize; i++) {
      const removed = this.#database.transaction(() => {
        const { changes } = removePlain.run(REMOVED_AT_ONCE)
        const events = changes === 0 ? removeOldest.run(REMOVED_AT_ONCE).changes : changes
        return Number(events) + Number(removePages.run().changes)
      })
      if (removed === 0) break
    }
    this.#seal.forgetDaysBefore(new Date(now - keep - DAY_MS).toISOString().slice(0, 10))
  }

  async erase(principal: string, tenant: string): Promise<void> {
    const key = this.#seal.keyOf(principal, tenant)
    if (key === undefined) return
    // First: without the key nobody could tell later which rows are theirs.
    this.#database.transaction(() =>
      this.#statements.unlink.run(this.#seal.token('principal', principal), key),
    )
    this.#seal.erase(principal, tenant)
  }

  async size(): Promise<TrafficSize> {
    const row = this.#database.read(() => this.#statements.size.get())
    const oldest = row?.['oldest']
    return {
      events: Number(row?.['events'] ?? 0),
      bytes: this.#bytes(),
      oldest: typeof oldest === 'number' ? oldest : undefined,
    }
  }

  #bytes(): number {
    return Number(this.#database.read(() => this.#statements.pages.get())?.['bytes'] ?? 0)
  }

  async close(): Promise<void> {
    this.#pages.flush(this.#lastId)
    this.#database.close()
    this.#seal.close()
  }
}
