import { type SealedBytes, type Subject, type SubjectBytes, subjectName, subjectOf } from '@postern/audit'
import { type Event, IntegrityError } from '@postern/core'
import { PackedBox, packBox } from './packed-box.ts'
import {
  changingOf,
  type NumberedEvent,
  type PagedRequest,
  type PageHead,
  pagePrincipal,
} from './request-page.ts'
import { verdictOf } from './traffic-event.ts'

/** A page on its way into a store: the open columns, and what is to be sealed for each subject. */
export interface EncodedPage {
  readonly first: number
  readonly last: number
  /** Time of the newest request, epoch milliseconds. */
  readonly until: number
  /** How many of them were plainly allowed. */
  readonly plain: number
  readonly head: Uint8Array
  readonly parts: readonly SubjectBytes[]
}

const FORMAT = 2
const HEADER = 8
/** Columns of 8, 4, 2 and 1 bytes in this order, so that each of them starts where its numbers may. */
const ROW = 6 * 8 + 3 * 4 + 2 + 1
const REFUSED = 1
const CHANGES = 2
const MAX_UINT32 = 0xffff_ffff
const KEY_BYTES = 16

/** The open columns of a page, of which views of the stored bytes are made: nothing is parsed. */
interface Columns {
  readonly ids: Float64Array
  readonly times: Float64Array
  readonly networks: Float64Array
  readonly principals: Float64Array
  readonly tenants: Float64Array
  readonly bytes: Float64Array
  readonly weights: Uint32Array
  /** Hundredths of a millisecond. */
  readonly durations: Uint32Array
  /** Which box has the rest of a request. */
  readonly box: Uint32Array
  readonly statuses: Uint16Array
  readonly flags: Uint8Array
}

function columnsOf(buffer: ArrayBuffer, rows: number): Columns {
  let at = HEADER
  const take = (width: number): number => {
    const start = at
    at += rows * width
    return start
  }
  return {
    ids: new Float64Array(buffer, take(8), rows),
    times: new Float64Array(buffer, take(8), rows),
    networks: new Float64Array(buffer, take(8), rows),
    principals: new Float64Array(buffer, take(8), rows),
    tenants: new Float64Array(buffer, take(8), rows),
    bytes: new Float64Array(buffer, take(8), rows),
    weights: new Uint32Array(buffer, take(4), rows),
    durations: new Uint32Array(buffer, take(4), rows),
    box: new Uint32Array(buffer, take(4), rows),
    statuses: new Uint16Array(buffer, take(2), rows),
    flags: new Uint8Array(buffer, take(1), rows),
  }
}

/** Puts requests into columns. @param events at least one, ascending */
export function encodePage(events: readonly NumberedEvent[]): EncodedPage {
  const rows = events.length
  const buffer = new ArrayBuffer(HEADER + rows * ROW)
  const header = new DataView(buffer)
  header.setUint32(0, FORMAT, true)
  header.setUint32(4, rows, true)
  const columns = columnsOf(buffer, rows)
  const groups = new Map<string, { readonly subject: Subject; readonly at: number; readonly own: Event[] }>()
  let until = 0
  let plain = 0
  for (let row = 0; row < rows; row++) {
    const { id, kept, tokens } = events[row] as NumberedEvent
    const { event, weight } = kept
    const { outcome, request } = event
    const subject = subjectOf(event)
    const name = subjectName(subject)
    const group = groups.get(name) ?? { subject, at: groups.size, own: [] }
    groups.set(name, group)
    group.own.push(event)
    const isRefused = verdictOf(event) !== 'allow'
    columns.ids[row] = id
    columns.times[row] = event.time
    columns.networks[row] = tokens.network
    columns.principals[row] = tokens.principal
    columns.tenants[row] = tokens.tenant
    columns.bytes[row] = outcome?.bytes ?? 0
    columns.weights[row] = weight
    columns.durations[row] = Math.min(MAX_UINT32, Math.round((outcome?.duration ?? 0) * 100))
    columns.box[row] = group.at
    columns.statuses[row] = outcome?.status ?? 200
    columns.flags[row] = (isRefused ? REFUSED : 0) | (changingOf(request?.method) * CHANGES)
    until = Math.max(until, event.time)
    if (!isRefused) plain++
  }
  return {
    first: events[0]?.id ?? 0,
    last: events.at(-1)?.id ?? 0,
    until,
    plain,
    head: new Uint8Array(buffer),
    parts: [...groups.values()].map(({ subject, own }) => ({ subject, bytes: packBox(own) })),
  }
}

/** Boxes of a page as one value of a store. */
export function packBoxes(boxes: readonly SealedBytes[]): Uint8Array {
  const head = Buffer.alloc(4 + boxes.length * (KEY_BYTES + 4))
  head.writeUInt32LE(boxes.length, 0)
  let at = 4
  for (const { key, box } of boxes) {
    head.write(key, at, KEY_BYTES, 'hex')
    head.writeUInt32LE(box.length, at + KEY_BYTES)
    at += KEY_BYTES + 4
  }
  return Buffer.concat([head, ...boxes.map(({ box }) => box)])
}

/** Opens a box; undefined where its key was destroyed. @throws IntegrityError when it was changed */
export type OpenBox = (box: SealedBytes) => Uint8Array | undefined

/** A page as it is stored: its columns are readable at once, its boxes when they are asked for. */
export class PackedPage {
  readonly head: PageHead
  readonly #columns: Columns
  readonly #boxes: Buffer

  /**
   * @param boxes may be left out where nothing is going to be opened
   * @throws IntegrityError for what is not a page of this format
   */
  constructor(head: Uint8Array, boxes: Uint8Array = new Uint8Array(4)) {
    const { buffer, byteOffset, byteLength } = head
    // A view of numbers must start at a multiple of their size.
    const isAligned = byteOffset % 8 === 0 && buffer instanceof ArrayBuffer
    const start = isAligned ? byteOffset : 0
    const bytes = isAligned ? buffer : head.slice().buffer
    const own = start === 0 ? bytes : bytes.slice(start, start + byteLength)
    const header = new DataView(own)
    const rows = byteLength < HEADER ? -1 : header.getUint32(4, true)
    if (rows < 0 || header.getUint32(0, true) !== FORMAT || byteLength !== HEADER + rows * ROW)
      throw new IntegrityError('a page of kept requests was changed, or is of a later version')
    this.#columns = columnsOf(own, rows)
    const { flags } = this.#columns
    this.head = {
      ...this.#columns,
      refused: flags.map(flag => flag & REFUSED),
      changing: flags.map(flag => (flag & CHANGES) / CHANGES),
    }
    this.#boxes = Buffer.from(boxes.buffer, boxes.byteOffset, boxes.length)
  }

  /** The sealed boxes that hold rows which are wanted, by their places. */
  wanted(isWanted: (row: number) => boolean): ReadonlyMap<number, SealedBytes> {
    const { box } = this.#columns
    const places = new Set<number>()
    for (let row = 0; row < box.length; row++) if (isWanted(row)) places.add(box[row] as number)
    const stored = this.#boxes
    const count = stored.readUInt32LE(0)
    const wanted = new Map<number, SealedBytes>()
    let start = 4 + count * (KEY_BYTES + 4)
    for (let place = 0; place < count; place++) {
      const at = 4 + place * (KEY_BYTES + 4)
      const end = start + stored.readUInt32LE(at + KEY_BYTES)
      if (places.has(place))
        wanted.set(place, {
          key: stored.toString('hex', at, at + KEY_BYTES),
          box: stored.subarray(start, end),
        })
      start = end
    }
    return wanted
  }

  /**
   * One request for each row that is wanted: undefined for others and for what was erased.
   * @throws IntegrityError when what was sealed was changed
   */
  rows(isWanted: (row: number) => boolean, open: OpenBox): readonly (PagedRequest | undefined)[] {
    const { box } = this.#columns
    const boxes: (PackedBox | undefined)[] = []
    for (const [place, sealed] of this.wanted(isWanted)) {
      const bytes = open(sealed)
      if (bytes !== undefined) boxes[place] = new PackedBox(bytes)
    }
    const passed: number[] = []
    const rows: (PagedRequest | undefined)[] = []
    for (let row = 0; row < box.length; row++) {
      const place = box[row] as number
      const at = passed[place] ?? 0
      passed[place] = at + 1
      const opened = boxes[place]
      rows.push(opened === undefined || !isWanted(row) ? undefined : this.#request(row, opened, at))
    }
    return rows
  }

  #request(row: number, box: PackedBox, at: number): PagedRequest {
    const { ids, times, weights, statuses, durations, bytes, flags } = this.#columns
    return {
      id: ids[row] as number,
      time: times[row] as number,
      weight: weights[row] as number,
      refused: ((flags[row] as number) & REFUSED) !== 0,
      outcome: {
        status: statuses[row] as number,
        duration: (durations[row] as number) / 100,
        bytes: bytes[row] as number,
      },
      method: box.text(at, 'method') ?? 'GET',
      host: box.text(at, 'host') ?? '',
      path: box.text(at, 'path') ?? '',
      query: box.text(at, 'query') ?? '',
      address: box.text(at, 'address') ?? '',
      agent: box.text(at, 'agent'),
      principal: box.principal(at, pagePrincipal),
      request: box.text(at, 'request') ?? '',
    }
  }
}
