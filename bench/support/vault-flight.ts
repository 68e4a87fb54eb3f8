import { existsSync, readFileSync, rmSync } from 'node:fs'
import type { HolderLink } from '@postern/vault'
import { until } from '../../test/until.ts'
import { median } from './harness.ts'
import { type HolderFlight, type Span, sharedNow, watchCollections } from './vault-flight-holder.ts'

/** A page as the recorder saw it, in milliseconds. */
interface PageFlight {
  readonly start: number
  readonly end: number
  /** When requests left, and when answers were there, in the order in which that happened. */
  readonly sent: readonly number[]
  readonly answered: readonly number[]
  /** That this thread was ready to run and another one had the processor. */
  readonly waited: number
}

/** Of the slowest pages this share is looked at. */
const WORST = 0.03
/** A pause of the collector, or a wait for the processor, that makes a page slow; milliseconds. */
const NOTABLE = 0.5

/** Where the time of pages goes: steps of the client and of holders on one clock, beside collections. */
export class FlightRecorder {
  readonly #collections: Span[] = []
  #pages: PageFlight[] = []
  #sent: number[] = []
  #answered: number[] = []

  constructor() {
    watchCollections(this.#collections)
  }

  /** The same link, which notes when requests leave and when their answers are there. */
  watch(link: HolderLink): HolderLink {
    const recorder = this
    return {
      id: link.id,
      get isUp() {
        return link.isUp
      },
      async request(body, timeout) {
        const answer = link.request(body, timeout)
        recorder.#sent.push(sharedNow())
        const made = await answer
        recorder.#answered.push(sharedNow())
        return made
      },
      close: () => link.close(),
    }
  }

  /** Runs one page and keeps what happened. */
  async page<T>(open: () => Promise<T>): Promise<T> {
    this.#sent = []
    this.#answered = []
    const before = waitedForProcessor()
    const start = sharedNow()
    try {
      return await open()
    } finally {
      const end = sharedNow()
      const waited = waitedForProcessor() - before
      this.#pages.push({ start, end, sent: this.#sent, answered: this.#answered, waited })
    }
  }

  /**
   * What was recorded since the last call, as figures: the usual page step by step, and what the slowest ones
   * have in common.
   * @param holders what the holders recorded
   */
  take(name: string, holders: readonly HolderFlight[]): Readonly<Record<string, number>> {
    const pages = this.#pages
    const own = this.#collections.splice(0)
    this.#pages = []
    const answers = holders.flatMap(holder => holder.answers)
    const collections = holders.flatMap(holder => holder.collections)
    const flights = pages.map(page => ({
      page,
      work: answers.filter(([start]) => start >= page.start && start <= page.end),
    }))
    const step = (of: (flight: (typeof flights)[number]) => number | undefined): number =>
      round(median(flights.flatMap(flight => of(flight) ?? [])))
    const slowest = flights
      .toSorted((x, y) => y.page.end - y.page.start - (x.page.end - x.page.start))
      .slice(0, Math.max(1, Math.round(flights.length * WORST)))
      .map(({ page }) => page)
    const share = (is: (page: PageFlight) => boolean): number =>
      round(slowest.filter(is).length / Math.max(1, slowest.length))
    const label = `flight.${name}`
    return {
      [`${label}.1 until both requests left.ms`]: step(({ page }) => since(page.start, page.sent[1])),
      [`${label}.2 until the first holder decides.ms`]: step(({ page, work }) =>
        since(page.sent[0], work[0]?.[0]),
      ),
      [`${label}.3 a holder decides and computes.ms`]: step(({ work }) => since(work[0]?.[0], work[0]?.[1])),
      [`${label}.4 until both answers are here.ms`]: step(({ page, work }) =>
        since(work[0]?.[1], page.answered[1]),
      ),
      [`${label}.5 until the page is open.ms`]: step(({ page }) => since(page.answered[1], page.end)),
      [`${label}.a third holder was asked`]: round(
        pages.filter(({ sent }) => sent.length > 2).length / Math.max(1, pages.length),
      ),
      [`${label}.slowest.collection in the client`]: share(page => overlap(page, own) > NOTABLE),
      [`${label}.slowest.collection in a holder`]: share(page => overlap(page, collections) > NOTABLE),
      [`${label}.slowest.client waited for the processor`]: share(({ waited }) => waited > NOTABLE),
      [`${label}.slowest.a third holder was asked`]: share(({ sent }) => sent.length > 2),
    }
  }
}

/** What holders recorded, once they have written it down. The files are removed. */
export async function holderFlights(paths: readonly string[]): Promise<readonly HolderFlight[]> {
  await until(() => paths.every(path => existsSync(path)))
  return paths.map(path => {
    const flight = JSON.parse(readFileSync(path, 'utf8')) as HolderFlight
    rmSync(path)
    return flight
  })
}

/** Milliseconds for which this thread was ready and had no processor. 0 where the system does not say. */
function waitedForProcessor(): number {
  try {
    return Number(readFileSync('/proc/self/schedstat', 'utf8').split(' ')[1]) / 1e6
  } catch {
    return 0
  }
}

function overlap(page: PageFlight, spans: readonly Span[]): number {
  let sum = 0
  for (const [start, end] of spans) sum += Math.max(0, Math.min(end, page.end) - Math.max(start, page.start))
  return sum
}

function since(start: number | undefined, end: number | undefined): number | undefined {
  return start === undefined || end === undefined ? undefined : end - start
}

function round(value: number): number {
  return Number(value.toFixed(2))
}
