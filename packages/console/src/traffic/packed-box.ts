import { type Event, IntegrityError, type Principal } from '@postern/core'
import { actingText } from './request-page.ts'

/** What is sealed of a request, in the order of its cells. */
const FIELDS = [
  'method',
  'host',
  'address',
  'agent',
  'principal',
  'tenant',
  'acting',
  'path',
  'query',
  'request',
] as const

type Field = (typeof FIELDS)[number]

const WIDTH = FIELDS.length
const PLACES: Readonly<Record<Field, number>> = Object.fromEntries(
  FIELDS.map((field, place) => [field, place]),
) as Record<Field, number>

const READ: Readonly<Record<Field, (event: Event) => string | undefined>> = {
  method: ({ request }) => request?.method,
  host: ({ request }) => request?.host,
  address: ({ actor }) => actor.address,
  agent: ({ actor }) => actor.agent,
  principal: ({ actor }) => actor.principal,
  tenant: ({ actor }) => actor.tenant,
  acting: actingText,
  path: ({ request }) => request?.path,
  query: ({ request }) => request?.query,
  request: ({ request }) => request?.id,
}

/**
 * Puts what is sealed of requests of one subject into one piece: every different text once, where each of
 * them ends, and for each request which texts are its own, 0 for none. Little-endian numbers of 4 bytes;
 * ends count UTF-16 units, so that a text is cut out of one long one.
 */
export function packBox(events: readonly Event[]): Uint8Array {
  const known = new Map<string, number>()
  const cells = new Uint32Array(events.length * WIDTH)
  let at = 0
  for (const event of events) {
    for (const field of FIELDS) {
      const text = READ[field](event)
      if (text !== undefined) {
        let place = known.get(text)
        if (place === undefined) {
          place = known.size + 1
          known.set(text, place)
        }
        cells[at] = place
      }
      at++
    }
  }
  const ends = new Uint32Array(known.size)
  let end = 0
  let next = 0
  for (const text of known.keys()) {
    end += text.length
    ends[next++] = end
  }
  const header = new Uint32Array([events.length, known.size])
  return Buffer.concat([
    ...[header, ends, cells].map(({ buffer }) => new Uint8Array(buffer)),
    Buffer.from([...known.keys()].join(''), 'utf8'),
  ])
}

/** What was sealed of requests of one subject: a text is made where it is asked for, once. */
export class PackedBox {
  readonly #ends: Uint32Array
  readonly #cells: Uint32Array
  readonly #all: string
  readonly #texts: (string | undefined)[] = []
  #principal: Principal | undefined
  #principalCells: readonly [id: number, tenant: number, acting: number] = [0, 0, 0]

  /** @throws IntegrityError for what is not such a box */
  constructor(bytes: Uint8Array) {
    // Opened bytes may start anywhere in a pool.
    const own = bytes.slice()
    const view = new DataView(own.buffer)
    const rows = own.length < 8 ? 0 : view.getUint32(0, true)
    const texts = own.length < 8 ? 0 : view.getUint32(4, true)
    const start = 8 + 4 * (texts + rows * WIDTH)
    if (start > own.length) throw new IntegrityError('a box of kept requests has another format')
    this.#ends = new Uint32Array(own.buffer, 8, texts)
    this.#cells = new Uint32Array(own.buffer, 8 + 4 * texts, rows * WIDTH)
    this.#all = Buffer.from(own.buffer, start).toString('utf8')
  }

  /** A field of the row at a place; undefined where it has none. */
  text(row: number, field: Field): string | undefined {
    return this.#text(this.#cells[row * WIDTH + PLACES[field]] ?? 0)
  }

  /** Who sent the request at a place. Nearly all of a box were sent by the same, who is made once. */
  principal(
    row: number,
    make: (id: string, tenant: string | undefined, acting: string | undefined) => Principal,
  ): Principal | undefined {
    const at = row * WIDTH
    const id = this.#cells[at + PLACES.principal] ?? 0
    if (id === 0) return undefined
    const tenant = this.#cells[at + PLACES.tenant] ?? 0
    const acting = this.#cells[at + PLACES.acting] ?? 0
    const [lastId, lastTenant, lastActing] = this.#principalCells
    if (this.#principal === undefined || id !== lastId || tenant !== lastTenant || acting !== lastActing) {
      this.#principal = make(this.#text(id) ?? '', this.#text(tenant), this.#text(acting))
      this.#principalCells = [id, tenant, acting]
    }
    return this.#principal
  }

  #text(place: number): string | undefined {
    if (place === 0) return undefined
    let text = this.#texts[place]
    if (text === undefined) {
      text = this.#all.slice(place === 1 ? 0 : this.#ends[place - 2], this.#ends[place - 1])
      this.#texts[place] = text
    }
    return text
  }
}
