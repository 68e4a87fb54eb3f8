import type { SQLOutputValue, StatementSync } from 'node:sqlite'
import type { EventSeal } from '@postern/audit'
import type { SqliteDatabase } from '@postern/store'
import { numberedEvents, pageOfEvents } from './event-page.ts'
import { JsonPage } from './json-page.ts'
import { mergedPages, type NextPage, type RequestPage } from './merged-pages.ts'
import { PackedPage, packBoxes } from './packed-page.ts'
import { type ReadPages, SHARE_BLOCK } from './page-share.ts'
import { type CutPage, PageTail, PageTokenCache, pageOfGap } from './page-tail.ts'
import { SQLITE } from './traffic.sql.ts'
import type { StoredEvent, TrafficEvent } from './traffic-event.ts'
import { type Coverage, type Gap, gapsOf } from './uncovered.ts'

type PageStatements = Pick<typeof SQLITE, 'addPage' | 'coverage' | 'heads' | 'pagesWhole'>
type Row = Readonly<Record<string, SQLOutputValue>>

/** Gives events above one number, up to another, oldest first; as many as are read at a time. */
export type EventsBetween = (low: number, high: number) => readonly StoredEvent[]

/** The pages that a batch fills, and what to do once the batch is written. */
export interface TakenBatch {
  /** Writes the pages; to be called in the transaction of the batch. */
  readonly pages: () => void
  /** To be called when the transaction is durable. */
  readonly keep: () => void
}

/** Pages of requests in SQLite, written with the events that fill them. */
export class SqlitePages {
  readonly #database: SqliteDatabase
  readonly #seal: EventSeal
  readonly #statements: { readonly [Name in keyof PageStatements]: StatementSync }
  readonly #tokens: PageTokenCache
  #tail: PageTail
  /** Found with the first call of `pack`. */
  #gaps: readonly Gap[] | undefined

  /** @param lastId number of the newest event: what comes after it is put on pages */
  constructor(database: SqliteDatabase, seal: EventSeal, lastId: number) {
    this.#database = database
    this.#seal = seal
    this.#tokens = new PageTokenCache((kind, value) => seal.token(kind, value))
    this.#tail = new PageTail(lastId)
    const { db } = database
    this.#statements = {
      addPage: db.prepare(SQLITE.addPage),
      coverage: db.prepare(SQLITE.coverage),
      heads: db.prepare(SQLITE.heads),
      pagesWhole: db.prepare(SQLITE.pagesWhole),
    }
  }

  /** Takes a batch of events that is being written. */
  take(events: readonly TrafficEvent[], ids: readonly number[]): TakenBatch {
    const { pages, tail } = this.#tail.with(events, ids, event => this.#tokens.of(event))
    const writing = pages.map(page => this.#writing(page))
    return {
      pages: () => {
        for (const write of writing) write()
      },
      keep: () => {
        this.#tail = tail
      },
    }
  }

  /** Sealed here, before the keys are made durable. */
  #writing(page: CutPage): () => void {
    const { first, after, covered, until, plain, head, parts } = page
    const boxes = packBoxes(this.#seal.sealAll(parts, first))
    return () => {
      this.#statements.addPage.run(first, after, covered, until, plain, head, boxes)
    }
  }

  /** Writes what is on no page yet. @param lastId number of the newest event */
  flush(lastId: number): void {
    const page = this.#tail.rest(lastId)
    if (page === undefined) return
    const write = this.#writing(page)
    this.#seal.flush()
    this.#database.transaction(write)
    this.#tail = new PageTail(lastId)
  }

  /**
   * Puts requests of the oldest gap onto a page.
   * @returns whether there were any
   */
  pack(between: EventsBetween): boolean {
    this.#gaps ??= gapsOf(this.#coverage(), ['']).filter(({ low }) => low < this.#tail.after)
    const [gap] = this.#gaps
    if (gap === undefined) return false
    const high = Math.min(gap.high, this.#tail.after)
    const events = between(gap.low, high)
    const covered = events.at(-1)?.id
    this.#gaps = [...(covered === undefined ? [] : [{ ...gap, low: covered }]), ...this.#gaps.slice(1)]
    if (covered === undefined) return this.#gaps.length > 0
    const numbered = numberedEvents(events, this.#tokens)
    if (numbered.length === 0) return true
    const write = this.#writing(pageOfGap(numbered, { after: gap.low, covered }))
    this.#seal.flush()
    this.#database.transaction(write)
    return true
  }

  #coverage(): readonly Coverage[] {
    return this.#database
      .read(() => this.#statements.coverage.all())
      .map(row => ({ instance: '', after: Number(row['after']), covered: Number(row['covered']) }))
  }

  /** Every request since a time, in pages. */
  async *read({ from, what, share }: ReadPages, between: EventsBetween): AsyncGenerator<RequestPage> {
    const { heads, pagesWhole } = this.#statements
    const more =
      what === 'heads'
        ? (last: number) => heads.all(last, from)
        : // A number would be bound as one with a fraction, and divided as such.
          (last: number) =>
            pagesWhole.all({
              ...{ last, from },
              ...{ block: BigInt(SHARE_BLOCK), of: BigInt(share.of), index: BigInt(share.index) },
            })
    yield* mergedPages(this.#stored(more), gapsOf(this.#coverage(), ['']), gap => this.#inGap(gap, between))
  }

  #stored(more: (last: number) => Row[]): NextPage {
    let rows: Row[] = []
    let last = 0
    return async () => {
      if (rows.length === 0) rows = this.#database.read(() => more(last))
      const row = rows.shift()
      if (row === undefined) return undefined
      last = Number(row['first'])
      return this.#page(row, last)
    }
  }

  #page(row: Row, first: number): RequestPage {
    const { packed_head: head, packed_boxes: boxes } = row
    if (!(head instanceof Uint8Array)) return this.#jsonPage(row, first)
    const page = new PackedPage(head, boxes instanceof Uint8Array ? boxes : undefined)
    return {
      head: page.head,
      open: async isWanted => page.rows(isWanted, box => this.#seal.open(box, first)),
    }
  }

  #jsonPage({ head, body, boxes }: Row, first: number): RequestPage {
    const page = new JsonPage({
      head: String(head),
      body: String(body),
      ...(typeof boxes === 'string' && { boxes }),
    })
    return {
      head: page.head,
      open: async isWanted => {
        const wanted = page.wanted(isWanted)
        const opened = page.boxes.map((box, at) =>
          wanted.has(at) ? this.#seal.unsealTexts([box], first)[0] : undefined,
        )
        return page.rows(opened, isWanted)
      },
    }
  }

  #inGap({ low, high }: Gap, between: EventsBetween): NextPage {
    let last = low
    return async () => {
      for (;;) {
        const events = between(last, high)
        if (events.length === 0) return undefined
        last = events.at(-1)?.id ?? high
        const page = pageOfEvents(events, this.#tokens)
        if (page.head.ids.length > 0) return page
      }
    }
  }
}
