import { PostgresEventSeal } from '@postern/audit'
import type { Event, GuardTime, RandomSource } from '@postern/core'
import { migrate, type PostgresDatabase, type SqlClient } from '@postern/store'
import type { Instance } from './instance-board.ts'
import type { RequestPage } from './merged-pages.ts'
import { type PageShare, WHOLE_SHARE } from './page-share.ts'
import { PostgresPages } from './postgres-pages.ts'
import { POSTGRES_TRAFFIC, POSTGRES_TRAFFIC_MIGRATIONS } from './postgres-traffic.sql.ts'
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
import type { Gap } from './uncovered.ts'

export interface PostgresTrafficOptions {
  /** Opened by the caller, who closes it. */
  readonly database: PostgresDatabase
  /** Name of this instance among those that share the database. */
  readonly instance: string
  /** Milliseconds. */
  readonly keep: number
  /** Bytes, of all instances together. */
  readonly maxSize: number
  readonly random?: RandomSource
}

interface Row {
  readonly id: string
  readonly instance: string
  readonly weight: number
  readonly body: string
  readonly box_key: string | null
  readonly box: string | null
  readonly guards: string | null
}

interface InstanceRow extends Pick<Instance, 'name' | 'gateway' | 'version' | 'configuration'> {
  readonly started_at: number
  readonly seen_at: number
}

const DAY_MS = 86_400_000
const REMOVED_AT_ONCE = 2_000
const BATCHES_AT_ONCE = 40
const ROW_BYTES = 200
const SCOPE = 'postern traffic'
/** Requests that are on no page are read so many at a time. */
const PAGE_EVENTS = 512

/**
 * Traffic of all instances on one PostgreSQL, personal parts sealed. Every instance reads what others kept.
 * Connects and migrates with the first call, so that a gateway starts while its database is away.
 */
export class PostgresTraffic implements TrafficStore {
  readonly #options: PostgresTrafficOptions
  readonly #database: PostgresDatabase
  readonly #pages: PostgresPages
  #opening: Promise<PostgresEventSeal> | undefined

  constructor(options: PostgresTrafficOptions) {
    this.#options = options
    this.#database = options.database
    this.#pages = new PostgresPages(options.database, options.instance)
  }

  /** Migrated, with the keys. @throws StoreError; the next call tries again */
  #open(): Promise<PostgresEventSeal> {
    if (this.#opening === undefined) {
      const { database, random } = this.#options
      this.#opening = migrate(database, 'traffic', POSTGRES_TRAFFIC_MIGRATIONS).then(() =>
        PostgresEventSeal.open({ database, scope: SCOPE, ...(random !== undefined && { random }) }),
      )
      this.#opening.catch(() => {
        this.#opening = undefined
      })
    }
    return this.#opening
  }

  async write(
    events: readonly TrafficEvent[],
    counts: readonly TrafficCount[],
    places: readonly PlaceCount[] = [],
  ): Promise<void> {
    const seal = await this.#open()
    let keep = (): void => {}
    await this.#database.transaction(async client => {
      if (events.length > 0) {
        const { rows } = await client.query<{ id: string }>(POSTGRES_TRAFFIC.numbers, [events.length])
        const ids = rows.map(({ id }) => Number(id))
        keep = await this.#pages.take(client, seal, events, ids)
        const sealed = await seal.seal(
          client,
          events.map(({ event }) => event),
          ids,
        )
        const token = (kind: 'address' | 'principal', value: string | undefined): Buffer | null =>
          value === undefined ? null : seal.token(kind, value)
        const column = <T>(of: (event: TrafficEvent, i: number) => T): T[] => events.map(of)
        await client.query(POSTGRES_TRAFFIC.insert, [
          this.#options.instance,
          ids,
          column(({ event }) => event.time),
          column(({ event }) => event.type),
          column(({ event }) => verdictOf(event)),
          column(({ event }) => event.type === 'http' && verdictOf(event) === 'allow'),
          column(({ event }) => event.request?.id ?? null),
          column(({ event }) => event.reasons?.[0]?.rule ?? null),
          column(({ event }) => event.request?.route ?? null),
          column(({ event }) => token('address', event.actor.address)),
          column(({ event }) => token('principal', event.actor.principal)),
          column(({ weight }) => weight),
          column((_, i) => JSON.stringify(sealed[i]?.open)),
          column((_, i) => sealed[i]?.sealed?.key ?? null),
          column((_, i) => sealed[i]?.sealed?.box ?? null),
          column(({ guardTimes }) => (guardTimes === undefined ? null : JSON.stringify(guardTimes))),
        ])
      }
      if (counts.length > 0)
        await client.query(POSTGRES_TRAFFIC.count, [
          counts.map(({ minute }) => minute),
          counts.map(({ verdict }) => verdict),
          counts.map(({ route }) => route),
          counts.map(({ rule }) => rule),
          counts.map(({ requests }) => requests),
          counts.map(({ layer }) => layer),
          counts.map(({ total }) => total),
        ])
      if (places.length > 0)
        await client.query(POSTGRES_TRAFFIC.place, [
          places.map(({ hour }) => hour),
          places.map(({ country }) => country),
          places.map(({ requests }) => requests),
          places.map(({ refused }) => refused),
        ])
    })
    keep()
  }

  async find(query: TrafficQuery): Promise<readonly StoredEvent[]> {
    const seal = await this.#open()
    const { verdicts = null, rule = null, route = null, address, principal, type = null } = query
    return this.#stored(POSTGRES_TRAFFIC.find, [
      query.before ?? Number.MAX_SAFE_INTEGER,
      query.from ?? 0,
      type,
      verdicts,
      rule,
      route,
      address === undefined ? null : seal.token('address', address),
      principal === undefined ? null : seal.token('principal', principal),
      query.instance ?? null,
      Math.min(query.limit, 1_000),
    ])
  }

  async *pages(
    from: number,
    what: 'heads' | 'whole',
    share: PageShare = WHOLE_SHARE,
  ): AsyncGenerator<RequestPage> {
    const seal = await this.#open()
    yield* this.#pages.read(seal, { from, what, share }, gap => this.#between(gap, from))
  }

  async pack(): Promise<boolean> {
    const seal = await this.#open()
    return this.#pages.pack(seal, gap => this.#between(gap, 0))
  }

  #between({ instance, low, high }: Gap, from: number): Promise<readonly StoredEvent[]> {
    return this.#stored(POSTGRES_TRAFFIC.requestsBetween, [instance, low, high, from, PAGE_EVENTS])
  }

  async requestsFrom(from: number): Promise<number> {
    await this.#open()
    const { rows } = await this.#database.query<{ requests: string }>(POSTGRES_TRAFFIC.requestsFrom, [from])
    return Number(rows[0]?.requests ?? 0)
  }

  ofRequest(id: string): Promise<readonly StoredEvent[]> {
    return this.#stored(POSTGRES_TRAFFIC.ofRequest, [id])
  }

  /** The newest events of other instances after a number, oldest first. */
  async ofOthersAfter(after: number, limit: number): Promise<readonly StoredEvent[]> {
    const { instance } = this.#options
    return [...(await this.#stored(POSTGRES_TRAFFIC.others, [after, instance, limit]))].reverse()
  }

  /** Number of the newest event. */
  async lastId(): Promise<number> {
    await this.#open()
    const { rows } = await this.#database.query<{ id: string }>(POSTGRES_TRAFFIC.lastId)
    return Number(rows[0]?.id ?? 0)
  }

  async #stored(text: string, values: readonly unknown[]): Promise<readonly StoredEvent[]> {
    const seal = await this.#open()
    const { rows } = await this.#database.query<Row>(text, values)
    const ids = rows.map(({ id }) => Number(id))
    const opened = await seal.unseal(
      rows.map(({ body, box_key: key, box }) => ({
        open: JSON.parse(body) as Event,
        ...(key !== null && box !== null && { sealed: { key, box } }),
      })),
      ids,
    )
    return rows.flatMap(({ instance, weight, guards }, i) => {
      const found = opened[i]
      if (found === undefined) return []
      return [
        {
          id: ids[i] ?? 0,
          ...found,
          instance,
          weight,
          guardTimes: guards === null ? undefined : (JSON.parse(guards) as readonly GuardTime[]),
        },
      ]
    })
  }

  async counts(from: number): Promise<readonly TrafficCount[]> {
    await this.#open()
    const { rows } = await this.#database.query<Readonly<Record<keyof TrafficCount, string>>>(
      POSTGRES_TRAFFIC.counts,
      [Math.floor(from / 60_000)],
    )
    return rows.map(({ minute, verdict, route, rule, requests, layer, total }) => ({
      minute: Number(minute),
      verdict: verdict as Verdict,
      route,
      rule,
      requests: Number(requests),
      layer: Number(layer),
      total: Number(total),
    }))
  }

  async places(from: number): Promise<readonly PlaceCount[]> {
    await this.#open()
    const { rows } = await this.#database.query<Readonly<Record<keyof PlaceCount, string>>>(
      POSTGRES_TRAFFIC.places,
      [Math.floor(from / 3_600_000)],
    )
    return rows.map(({ hour, country, requests, refused }) => ({
      hour: Number(hour),
      country,
      requests: Number(requests),
      refused: Number(refused),
    }))
  }

  async mark({ request, rule, time, operator, note }: FalsePositive): Promise<void> {
    await this.#open()
    await this.#database.transaction(async client => {
      await client.query(POSTGRES_TRAFFIC.mark, [request, rule, time, operator, note])
      await client.query(POSTGRES_TRAFFIC.removeMarks)
    })
  }

  async unmark(request: string): Promise<boolean> {
    await this.#open()
    return (await this.#database.query(POSTGRES_TRAFFIC.unmark, [request])).rowCount > 0
  }

  async marks(): Promise<readonly FalsePositive[]> {
    await this.#open()
    const { rows } = await this.#database.query<FalsePositive>(POSTGRES_TRAFFIC.marks)
    return rows.map(({ request, rule, time, operator, note }) => ({ request, rule, time, operator, note }))
  }

  async refusedActors(from: number, limit: number): Promise<readonly RefusedActor[]> {
    await this.#open()
    const { rows } = await this.#database.query<{ id: string; requests: string }>(
      POSTGRES_TRAFFIC.refusedActors,
      [from, limit],
    )
    const requests = new Map(rows.map(row => [Number(row.id), Number(row.requests)]))
    const events = await this.#stored(POSTGRES_TRAFFIC.byId, [[...requests.keys()]])
    return events
      .map(last => ({ requests: requests.get(last.id) ?? 0, last }))
      .sort((a, b) => b.requests - a.requests)
  }

  async prune(now: number): Promise<void> {
    const seal = await this.#open()
    const { keep, maxSize } = this.#options
    await this.#database.transaction(async client => {
      const { rowCount } = await client.query(POSTGRES_TRAFFIC.pruneLock)
      if (rowCount === 0) return
      await removeBefore(client, now - keep)
      await removeOver(client, maxSize)
    })
    await seal.forgetDaysBefore(new Date(now - keep - DAY_MS).toISOString().slice(0, 10))
  }

  async erase(principal: string, tenant: string): Promise<void> {
    const seal = await this.#open()
    const key = await seal.keyOf(principal, tenant)
    if (key === undefined) return
    // First: without the key nobody could tell later which rows are theirs.
    await this.#database.query(POSTGRES_TRAFFIC.unlink, [seal.token('principal', principal), key])
    await seal.erase(principal, tenant)
  }

  async size(): Promise<TrafficSize> {
    await this.#open()
    const { rows } = await this.#database.query<{ events: string; bytes: string; oldest: number | null }>(
      POSTGRES_TRAFFIC.size,
    )
    const [row] = rows
    return {
      events: Number(row?.events ?? 0),
      bytes: Number(row?.bytes ?? 0),
      oldest: row?.oldest ?? undefined,
    }
  }

  /** Says that an instance is there, and forgets those that were not for a day. */
  async report({ name, gateway, version, configuration, startedAt, seenAt }: Instance): Promise<void> {
    await this.#open()
    const values = [name, gateway, version, configuration, startedAt, seenAt]
    await this.#database.query(POSTGRES_TRAFFIC.report, values)
    await this.#database.query(POSTGRES_TRAFFIC.leave, ['', seenAt - DAY_MS])
  }

  /** Forgets an instance that ends. */
  async leave(name: string, now: number): Promise<void> {
    await this.#open()
    await this.#database.query(POSTGRES_TRAFFIC.leave, [name, now - DAY_MS])
  }

  /** Instances that were there since a time, by name; 200 at most. */
  async instances(from: number): Promise<readonly Instance[]> {
    await this.#open()
    const { rows } = await this.#database.query<InstanceRow>(POSTGRES_TRAFFIC.instances, [from])
    return rows.map(({ name, gateway, version, configuration, started_at, seen_at }) => ({
      name,
      gateway,
      version,
      configuration,
      startedAt: started_at,
      seenAt: seen_at,
    }))
  }

  /** Writes what is on no page yet, where it can, and leaves the database to its owner. */
  async close(): Promise<void> {
    const seal = await this.#opening
    if (seal !== undefined) await this.#pages.flush(seal)
  }
}

/** @param time epoch milliseconds; what is older is removed, in so many batches at once */
async function removeBefore(client: SqlClient, time: number): Promise<void> {
  await client.query(POSTGRES_TRAFFIC.removePagesUntil, [time])
  await client.query(POSTGRES_TRAFFIC.removeCounts, [Math.floor(time / 60_000)])
  await client.query(POSTGRES_TRAFFIC.removePlaces, [Math.floor(time / 3_600_000)])
  for (let i = 0; i < BATCHES_AT_ONCE; i++) {
    const { rowCount } = await client.query(POSTGRES_TRAFFIC.removeBefore, [time, REMOVED_AT_ONCE])
    if (rowCount === 0) return
  }
}

/** Removes what is over the size: allowed requests first, then the oldest. */
async function removeOver(client: SqlClient, maxSize: number): Promise<void> {
  const size = await client.query<{ bytes: string }>(POSTGRES_TRAFFIC.size)
  let over = Number(size.rows[0]?.bytes ?? 0) - maxSize
  for (let i = 0; i < BATCHES_AT_ONCE && over > 0; i++) {
    const plain = await client.query<{ bytes: number }>(POSTGRES_TRAFFIC.removePlain, [REMOVED_AT_ONCE])
    const removed =
      plain.rowCount > 0
        ? plain
        : await client.query<{ bytes: number }>(POSTGRES_TRAFFIC.removeOldest, [REMOVED_AT_ONCE])
    const pages = await client.query<{ bytes: number }>(POSTGRES_TRAFFIC.removePages)
    if (removed.rowCount + pages.rowCount === 0) return
    for (const { bytes } of removed.rows) over -= bytes + ROW_BYTES
    for (const { bytes } of pages.rows) over -= bytes
  }
}
