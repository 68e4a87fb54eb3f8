import { type Subject, type SubjectText, subjectName, subjectOf } from '@postern/audit'
import type { Event, Principal } from '@postern/core'
import { type TrafficEvent, verdictOf } from './traffic-event.ts'

/** What a page says of each request without opening anything: who, by number, when, and how it ended. */
export interface PageHead {
  /** Numbers in the store, ascending. */
  readonly ids: readonly number[]
  /** Epoch milliseconds. */
  readonly times: readonly number[]
  readonly weights: readonly number[]
  /** 1 where a request was refused, or would have been in observe mode. */
  readonly refused: readonly number[]
  /**
   * 48 bits of a token of the client's network (IPv4 whole, IPv6 /48), of the principal, of the tenant; 0
   * for none.
   */
  readonly networks: readonly number[]
  readonly principals: readonly number[]
  readonly tenants: readonly number[]
}

/** What else is readable of each request. Columns of few values name them once. */
export interface PageBody {
  /** Which box has the rest of a request. */
  readonly box: readonly number[]
  readonly status: readonly number[]
  readonly duration: readonly number[]
  readonly bytes: readonly number[]
  readonly tenant: Column
}

/** Values that repeat themselves: the different ones, and of each request which. */
export interface Column {
  readonly values: readonly (string | null)[]
  readonly at: readonly number[]
}

/** The sealed part of all requests of one subject on a page, in their order. */
export interface PageBox {
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

/** One request as a preview decides it again. */
export interface PagedRequest {
  readonly id: number
  /** Epoch milliseconds. */
  readonly time: number
  readonly weight: number
  readonly refused: boolean
  readonly outcome: { readonly status: number; readonly duration: number; readonly bytes: number }
  readonly method: string
  readonly host: string
  readonly path: string
  readonly query: string
  readonly address: string
  readonly agent: string | undefined
  readonly principal: Principal | undefined
  /** Id of the request. */
  readonly request: string
}

/** A page on its way into a store: open columns as JSON, and a text to seal for each subject. */
export interface EncodedPage {
  readonly first: number
  readonly last: number
  /** Time of the newest request, epoch milliseconds. */
  readonly until: number
  /** How many of them were plainly allowed. */
  readonly plain: number
  readonly head: string
  readonly body: string
  readonly texts: readonly SubjectText[]
}

/** An event that a page can hold, with its number and the tokens of who sent it. */
export interface NumberedEvent {
  readonly id: number
  readonly kept: TrafficEvent
  readonly tokens: PageTokens
}

/** 48 bits each; 0 for none. */
export interface PageTokens {
  readonly network: number
  readonly principal: number
  readonly tenant: number
}

/** Whether a page holds an event: requests that ended, of a known address. */
export function isPaged({ type, request, actor }: Event): boolean {
  return type === 'http' && request !== undefined && actor.address !== undefined
}

/** The first 48 bits of a token as a number, never 0. */
export function tokenNumber(token: Uint8Array): number {
  return Buffer.from(token.buffer, token.byteOffset, 6).readUIntBE(0, 6) || 1
}

/** Puts requests into columns. @param events at least one, ascending */
export function encodePage(events: readonly NumberedEvent[]): EncodedPage {
  const groups = new Map<
    string,
    { readonly subject: Subject; readonly at: number; readonly events: Event[] }
  >()
  const box = events.map(({ kept: { event } }) => {
    const subject = subjectOf(event)
    const name = subjectName(subject)
    const group = groups.get(name) ?? { subject, at: groups.size, events: [] }
    groups.set(name, group)
    group.events.push(event)
    return group.at
  })
  const head: PageHead = {
    ids: events.map(({ id }) => id),
    times: events.map(({ kept }) => kept.event.time),
    weights: events.map(({ kept }) => kept.weight),
    refused: events.map(({ kept }) => (verdictOf(kept.event) === 'allow' ? 0 : 1)),
    networks: events.map(({ tokens }) => tokens.network),
    principals: events.map(({ tokens }) => tokens.principal),
    tenants: events.map(({ tokens }) => tokens.tenant),
  }
  const body: PageBody = {
    box,
    status: events.map(({ kept }) => kept.event.outcome?.status ?? 200),
    duration: events.map(({ kept }) => Math.round((kept.event.outcome?.duration ?? 0) * 100) / 100),
    bytes: events.map(({ kept }) => kept.event.outcome?.bytes ?? 0),
    tenant: column(events.map(({ kept }) => kept.event.actor.tenant ?? null)),
  }
  return {
    first: head.ids[0] ?? 0,
    last: head.ids.at(-1) ?? 0,
    until: head.times.reduce((newest, time) => Math.max(newest, time), 0),
    plain: head.refused.filter(refused => refused === 0).length,
    head: JSON.stringify(head),
    body: JSON.stringify(body),
    texts: [...groups.values()].map(({ subject, events: own }) => ({
      subject,
      text: JSON.stringify(boxOf(own)),
    })),
  }
}

function boxOf(events: readonly Event[]): PageBox {
  const of = (read: (event: Event) => string | undefined): Column =>
    column(events.map(event => read(event) ?? null))
  return {
    method: of(({ request }) => request?.method),
    host: of(({ request }) => request?.host),
    address: of(({ actor }) => actor.address),
    agent: of(({ actor }) => actor.agent),
    principal: of(({ actor }) => actor.principal),
    acting: of(actingText),
    path: of(({ request }) => request?.path),
    query: events.map(({ request }) => request?.query ?? ''),
    request: events.map(({ request }) => request?.id ?? ''),
  }
}

function column(values: readonly (string | null)[]): Column {
  const places = new Map<string | null, number>()
  const at = values.map(value => {
    const known = places.get(value)
    if (known !== undefined) return known
    places.set(value, places.size)
    return places.size - 1
  })
  return { values: [...places.keys()], at }
}

/** What a request's principal may, as the recorder noted it; undefined where nothing was noted. */
function actingText({ data }: Event): string | undefined {
  const acting = data?.['acting']
  return acting === undefined ? undefined : JSON.stringify(acting)
}

/** Reads one row of a page after another, of those boxes that could be opened. */
export class PageReader {
  readonly #head: PageHead
  readonly #body: PageBody
  readonly #boxes: readonly (PageBox | undefined)[]
  /** Of each box, how many of its rows are passed. */
  readonly #passed: number[]
  #next = 0

  /** @param boxes in their order; undefined for those that were erased or are not wanted */
  constructor(head: PageHead, body: PageBody, boxes: readonly (PageBox | undefined)[]) {
    this.#head = head
    this.#body = body
    this.#boxes = boxes
    this.#passed = boxes.map(() => 0)
  }

  /** The next row's request; undefined where its box is not there. Call this or `skip` once for each row. */
  next(): PagedRequest | undefined {
    const row = this.#next++
    const place = this.#body.box[row] ?? 0
    const box = this.#boxes[place]
    const at = this.#passed[place] ?? 0
    this.#passed[place] = at + 1
    return box === undefined ? undefined : rowOf(this.#head, this.#body, box, row, at)
  }

  /** Leaves out the next row. */
  skip(): undefined {
    const place = this.#body.box[this.#next++] ?? 0
    this.#passed[place] = (this.#passed[place] ?? 0) + 1
  }
}

function rowOf(
  { ids, times, weights, refused }: PageHead,
  { status, duration, bytes, tenant }: PageBody,
  box: PageBox,
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
    principal: id === undefined ? undefined : principalOf(id, textAt(tenant, row), textAt(box.acting, at)),
    request: box.request[at] ?? '',
  }
}

function textAt({ values, at }: Column, row: number): string | undefined {
  return values[at[row] ?? 0] ?? undefined
}

function principalOf(id: string, tenant: string | undefined, acting: string | undefined): Principal {
  const noted = acting === undefined ? undefined : (JSON.parse(acting) as Partial<Principal>)
  return { kind: 'user', ...noted, id, ...(tenant !== undefined && { tenant }) }
}

/** A kept event as a page would give it; undefined where there is none to decide. */
export function pagedRequest(event: Event, id: number, weight: number): PagedRequest | undefined {
  const { request, actor, outcome } = event
  if (!isPaged(event) || request === undefined) return undefined
  return {
    id,
    time: event.time,
    weight,
    refused: verdictOf(event) !== 'allow',
    outcome: {
      status: outcome?.status ?? 200,
      duration: Math.round((outcome?.duration ?? 0) * 100) / 100,
      bytes: outcome?.bytes ?? 0,
    },
    method: request.method,
    host: request.host,
    path: request.path,
    query: request.query,
    address: actor.address ?? '',
    agent: actor.agent,
    principal:
      actor.principal === undefined
        ? undefined
        : principalOf(actor.principal, actor.tenant, actingText(event)),
    request: request.id,
  }
}
