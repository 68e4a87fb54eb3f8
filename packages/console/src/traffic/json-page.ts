import type { Sealed } from '@postern/audit'
import { type PagedRequest, type PageHead, pagePrincipal } from './request-page.ts'

/** What a page of the first format says of each request without opening anything. */
interface JsonHead {
  readonly ids: readonly number[]
  readonly times: readonly number[]
  readonly weights: readonly number[]
  readonly refused: readonly number[]
  readonly networks: readonly number[]
  readonly principals: readonly number[]
  readonly tenants: readonly number[]
}

/** What else was readable of each request. Columns of few values name them once. */
interface JsonBody {
  /** Which box has the rest of a request. */
  readonly box: readonly number[]
  readonly status: readonly number[]
  readonly duration: readonly number[]
  readonly bytes: readonly number[]
  readonly tenant: Column
}

/** Values that repeat themselves: the different ones, and of each request which. */
interface Column {
  readonly values: readonly (string | null)[]
  readonly at: readonly number[]
}

/** The sealed part of all requests of one subject on a page, in their order. */
interface JsonBox {
  readonly method: Column
  readonly host: Column
  readonly address: Column
  readonly agent: Column
  readonly principal: Column
  /** Kind, roles and scopes of the principal, as JSON. */
  readonly acting: Column
  readonly path: Column
  readonly query: readonly string[]
  readonly request: readonly string[]
}

/** A page as versions before the packed format wrote it: columns as JSON, one sealed text a subject. */
export class JsonPage {
  readonly head: PageHead
  readonly boxes: readonly Sealed[]
  readonly #body: JsonBody

  /** @param texts as they are stored; `boxes` may be left out where nothing is going to be opened */
  constructor(texts: { readonly head: string; readonly body: string; readonly boxes?: string }) {
    const columns = JSON.parse(texts.head) as JsonHead
    this.#body = JSON.parse(texts.body) as JsonBody
    this.boxes = texts.boxes === undefined ? [] : (JSON.parse(texts.boxes) as readonly Sealed[])
    this.head = {
      ...columns,
      statuses: this.#body.status,
      bytes: this.#body.bytes,
      // The method is sealed.
      changing: columns.ids.map(() => 1),
    }
  }

  /** The boxes that hold rows which are wanted: the others need not be opened. */
  wanted(isWanted: (row: number) => boolean): ReadonlySet<number> {
    const wanted = new Set<number>()
    const { box } = this.#body
    for (let row = 0; row < box.length; row++) if (isWanted(row)) wanted.add(box[row] ?? 0)
    return wanted
  }

  /** @param opened text of each box; undefined for those that were erased or are not wanted */
  rows(
    opened: readonly (string | undefined)[],
    isWanted: (row: number) => boolean,
  ): readonly (PagedRequest | undefined)[] {
    const boxes = opened.map(text => (text === undefined ? undefined : (JSON.parse(text) as JsonBox)))
    const passed = boxes.map(() => 0)
    return this.#body.box.map((place, row) => {
      const at = passed[place] ?? 0
      passed[place] = at + 1
      const box = boxes[place]
      return box === undefined || !isWanted(row) ? undefined : rowOf(this.head, this.#body, box, row, at)
    })
  }
}

function rowOf(
  { ids, times, weights, refused }: PageHead,
  { status, duration, bytes, tenant }: JsonBody,
  box: JsonBox,
  row: number,
  at: number,
): PagedRequest {
  const id = textAt(box.principal, at)
  return {
    id: ids[row] ?? 0,
    time: times[row] ?? 0,
    weight: weights[row] ?? 1,
    refused: refused[row] === 1,
    outcome: { status: status[row] ?? 200, duration: duration[row] ?? 0, bytes: bytes[row] ?? 0 },
    method: textAt(box.method, at) ?? 'GET',
    host: textAt(box.host, at) ?? '',
    path: textAt(box.path, at) ?? '',
    query: box.query[at] ?? '',
    address: textAt(box.address, at) ?? '',
    agent: textAt(box.agent, at),
    principal: id === undefined ? undefined : pagePrincipal(id, textAt(tenant, row), textAt(box.acting, at)),
    request: box.request[at] ?? '',
  }
}

function textAt({ values, at }: Column, row: number): string | undefined {
  return values[at[row] ?? 0] ?? undefined
}
