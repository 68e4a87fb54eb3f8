import type { PostgresEventSeal, SubjectKey } from '@postern/audit'
import type { PostgresDatabase, SqlClient } from '@postern/store'
import { numberedEvents, pageOfEvents } from './event-page.ts'
import { JsonPage } from './json-page.ts'
import { mergedPages, type NextPage, type RequestPage } from './merged-pages.ts'
import { PackedPage, packBoxes } from './packed-page.ts'
import { type ReadPages, SHARE_BLOCK } from './page-share.ts'
import { type CutPage, PageTail, PageTokenCache, pageOfGap } from './page-tail.ts'
import { POSTGRES_TRAFFIC } from './postgres-traffic.sql.ts'
import type { StoredEvent, TrafficEvent } from './traffic-event.ts'
import { type Coverage, type Gap, gapsOf } from './uncovered.ts'

interface CoverageRow {
  readonly instance: string
  readonly after: string
  readonly covered: string
}

interface PageRow {
  readonly first: string
  readonly head: string
  readonly body: string
  readonly boxes?: string
  readonly packed_head: Buffer | null
  readonly packed_boxes?: Buffer
}

/** Gives requests of a gap, oldest first; as many as are read at a time. */
export type EventsOfGap = (gap: Gap) => Promise<readonly StoredEvent[]>

/** Pages of requests in PostgreSQL: each instance writes its own, and reads those of all. */
export class PostgresPages {
  readonly #database: PostgresDatabase
  readonly #instance: string
  #tokens: PageTokenCache | undefined
  #tail: PageTail | undefined
  #last = 0
  /** Found with the first call of `pack`. */
  #gaps: readonly Gap[] | undefined

  constructor(database: PostgresDatabase, instance: string) {
    this.#database = database
    this.#instance = instance
  }

  /**
   * Takes a batch of events that is being written, and writes the pages that it fills.
   * @returns what to call when the transaction is durable
   */
  async take(
    client: SqlClient,
    seal: PostgresEventSeal,
    events: readonly TrafficEvent[],
    ids: readonly number[],
  ): Promise<() => void> {
    const tokens = this.#tokensOf(seal)
    const begun = this.#tail ?? new PageTail((ids[0] ?? 1) - 1)
    const { pages, tail } = begun.with(events, ids, event => tokens.of(event))
    for (const page of pages) await this.#add(client, seal, page)
    return () => {
      this.#tail = tail
      this.#last = ids.at(-1) ?? this.#last
    }
  }

  async #add(client: SqlClient, seal: PostgresEventSeal, page: CutPage): Promise<void> {
    const { first, after, covered, until, plain, head, parts } = page
    const boxes = packBoxes(await seal.sealAll(client, parts, first))
    const values = [first, this.#instance, after, covered, until, plain, head, boxes]
    await client.query(POSTGRES_TRAFFIC.addPage, values)
  }

  /** Writes what is on no page yet. @throws StoreError; it is then read one by one */
  async flush(seal: PostgresEventSeal): Promise<void> {
    const page = this.#tail?.rest(this.#last)
    if (page === undefined) return
    await this.#database.transaction(client => this.#add(client, seal, page))
    this.#tail = new PageTail(this.#last)
  }

  /**
   * Puts requests of this instance's oldest gap onto a page.
   * @returns whether there were any
   */
  async pack(seal: PostgresEventSeal, between: EventsOfGap): Promise<boolean> {
    const end = this.#tail?.after
    if (end === undefined) return false
    this.#gaps ??= gapsOf(await this.#coverage(), [this.#instance]).filter(
      ({ instance, low }) => instance === this.#instance && low < end,
    )
    const [gap] = this.#gaps
    if (gap === undefined) return false
    const events = await between({ ...gap, high: Math.min(gap.high, end) })
    const covered = events.at(-1)?.id
    const numbered = numberedEvents(events, this.#tokensOf(seal))
    if (covered !== undefined && numbered.length > 0) {
      const page = pageOfGap(numbered, { after: gap.low, covered })
      await this.#database.transaction(client => this.#add(client, seal, page))
    }
    this.#gaps = [...(covered === undefined ? [] : [{ ...gap, low: covered }]), ...this.#gaps.slice(1)]
    return covered !== undefined || this.#gaps.length > 0
  }

  async #coverage(): Promise<readonly Coverage[]> {
    const { rows } = await this.#database.query<CoverageRow>(POSTGRES_TRAFFIC.coverage)
    return rows.map(({ instance, after, covered }) => ({
      instance,
      after: Number(after),
      covered: Number(covered),
    }))
  }

  #tokensOf(seal: PostgresEventSeal): PageTokenCache {
    this.#tokens ??= new PageTokenCache((kind, value) => seal.token(kind, value))
    return this.#tokens
  }

  /** Every request since a time, of all instances, in pages. */
  async *read(
    seal: PostgresEventSeal,
    reading: ReadPages,
    between: EventsOfGap,
  ): AsyncGenerator<RequestPage> {
    const { rows } = await this.#database.query<{ instance: string }>(POSTGRES_TRAFFIC.instancesOfRequests)
    const instances = rows.map(({ instance }) => instance)
    const gaps = gapsOf(await this.#coverage(), instances)
    const tokens = this.#tokensOf(seal)
    yield* mergedPages(this.#stored(seal, reading), gaps, gap => inGap(gap, between, tokens))
  }

  #stored(seal: PostgresEventSeal, { from, what, share }: ReadPages): NextPage {
    const more = async (after: number): Promise<readonly PageRow[]> => {
      const { rows: found } =
        what === 'heads'
          ? await this.#database.query<PageRow>(POSTGRES_TRAFFIC.heads, [after, from])
          : await this.#database.query<PageRow>(POSTGRES_TRAFFIC.pagesWhole, [
              ...[after, from],
              ...[SHARE_BLOCK, share.of, share.index],
            ])
      return found
    }
    // For as long as one reading takes: an erasure holds for the next.
    const keys = new Map<string, SubjectKey>()
    let rows: readonly PageRow[] = []
    let at = 0
    let last = 0
    return async () => {
      if (at === rows.length) {
        rows = await more(last)
        at = 0
      }
      const row = rows[at++]
      if (row === undefined) return undefined
      last = Number(row.first)
      return pageOf(row, seal, keys)
    }
  }
}

function pageOf(row: PageRow, seal: PostgresEventSeal, keys: Map<string, SubjectKey>): RequestPage {
  const { packed_head: head, packed_boxes: boxes } = row
  if (head === null) return jsonPageOf(row, seal, keys)
  const number = Number(row.first)
  const page = new PackedPage(head, boxes)
  return {
    head: page.head,
    open: async isWanted => {
      const wanted = [...page.wanted(isWanted).values()]
      await seal.findKeys(
        wanted.map(({ key }) => key),
        keys,
      )
      return page.rows(isWanted, box => seal.open(box, number, keys))
    },
  }
}

function jsonPageOf(
  { first, head, body, boxes }: PageRow,
  seal: PostgresEventSeal,
  keys: Map<string, SubjectKey>,
): RequestPage {
  const page = new JsonPage({ head, body, ...(boxes !== undefined && { boxes }) })
  return {
    head: page.head,
    open: async isWanted => {
      const wanted = [...page.wanted(isWanted)]
      const asked = wanted.flatMap(at => page.boxes[at] ?? [])
      const texts = await seal.unsealTexts(asked, Number(first), keys)
      const opened = page.boxes.map((): string | undefined => undefined)
      for (const [i, at] of wanted.entries()) opened[at] = texts[i]
      return page.rows(opened, isWanted)
    },
  }
}

function inGap(gap: Gap, between: EventsOfGap, tokens: PageTokenCache): NextPage {
  let { low } = gap
  return async () => {
    for (;;) {
      const events = await between({ ...gap, low })
      if (events.length === 0) return undefined
      low = events.at(-1)?.id ?? gap.high
      const page = pageOfEvents(events, tokens)
      if (page.head.ids.length > 0) return page
    }
  }
}
