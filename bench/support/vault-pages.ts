import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { fileURLToPath } from 'node:url'
import { SplitKeys, Vault } from '@postern/vault'
import { HolderProcesses } from '../../packages/vault/test/support/holder-processes.ts'
import { quantile } from './harness.ts'
import { FlightRecorder, holderFlights } from './vault-flight.ts'
import { FloorPages } from './vault-floor.ts'
import { workOfPages } from './vault-work.ts'

const PAGE = 50
/** Characters of each value. */
const VALUE_BYTES = 32
/**
 * Pages opened before any is measured, ours and the floor's alike. The compiler optimises the last functions
 * of a holder after some thousand answers: the work of a page shrank by a tenth between 300 and 3,000.
 */
const WARM_UP = 800
/** Pages whose work is measured, in blocks. */
const WORKED = 300
const TABLES = { customers: { key: ['id'], columns: { email: { mode: 'split' } } } } as const

/**
 * A page arrives every so many milliseconds, one of the floor half way between two, and a plain one before
 * that. Each comes up to `JITTER_MS` later: in step with the timers of the holders, every twentieth
 * page would arrive while their logs are published, or none.
 */
const ARRIVAL_MS = 50
const JITTER_MS = 8
const STATES = ['three holders', 'one frozen', 'one killed'] as const
const CONFIGURATIONS = { 'three holders': [1, 2, 3], 'one frozen': [1, 3], 'one killed': [1, 3] } as const

/** How many pages are opened in each state of the holders. */
export interface PageCounts {
  /** Arriving at 20 a second, as on a machine that is not busy. */
  readonly quiet: number
  /** One directly after the other, as fast as they go. */
  readonly saturated: number
}

/** One kind of page, and how long each took, in milliseconds. The same index of each is the same page. */
interface Series {
  readonly name: 'page' | 'floor' | 'plain'
  readonly open: (index: number) => Promise<unknown>
  readonly times: number[]
  failed: number
}

/** Pages of a table in SQLite, as an application reads them: sealed, and beside it plain. */
class StoredPages {
  readonly #database: DatabaseSync
  readonly #insert: Readonly<Record<'sealed' | 'plain', ReturnType<DatabaseSync['prepare']>>>
  readonly #select: Readonly<Record<'sealed' | 'plain', ReturnType<DatabaseSync['prepare']>>>
  #next = 0

  constructor(path: string) {
    this.#database = new DatabaseSync(path)
    this.#database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF')
    for (const table of ['sealed', 'plain'])
      this.#database.exec(`CREATE TABLE ${table} (id INTEGER PRIMARY KEY, email)`)
    const both = (make: (table: string) => string) => ({
      sealed: this.#database.prepare(make('sealed')),
      plain: this.#database.prepare(make('plain')),
    })
    this.#insert = both(table => `INSERT INTO ${table} VALUES (?, ?)`)
    this.#select = both(table => `SELECT id, email FROM ${table} WHERE id >= ? AND id < ? ORDER BY id`)
  }

  /** Seals so many pages and stores them. @returns the number of the first */
  async add(vault: Vault, count: number): Promise<number> {
    const first = this.#next
    for (; this.#next < first + count; this.#next++) {
      const ids = Array.from({ length: PAGE }, (_, i) => this.#next * PAGE + i)
      const rows = ids.map(id => ({ id, email: `customer${id}@example.com`.padStart(VALUE_BYTES) }))
      const sealed = await vault.sealRows('customers', rows)
      this.#database.exec('BEGIN')
      for (const [i, { id, email }] of rows.entries()) {
        this.#insert.plain.run(id, email)
        this.#insert.sealed.run(id, sealed[i]?.['email'] as Uint8Array)
      }
      this.#database.exec('COMMIT')
    }
    return first
  }

  read(table: 'sealed' | 'plain', page: number): Record<string, unknown>[] {
    return this.#select[table].all(page * PAGE, (page + 1) * PAGE)
  }

  close(): void {
    this.#database.close()
  }
}

/**
 * What a page of 50 records takes with three holder processes, TLS and their audit logs; then with one of
 * them frozen, then killed. Every page is opened for the first time, so that it is counted and written down.
 * Beside it, page by page: the same page read plain, so that `added` is what the vault adds to it; and the
 * floor (`FloorPages`), which reads the same sealed page. Quantiles are over all pages of a state, those of
 * `added` over the differences.
 */
export async function pageBenchmark(counts: PageCounts): Promise<Readonly<Record<string, number>>> {
  const budget = 100_000_000
  const holders = await HolderProcesses.start(
    { budgets: { service: budget, table: budget, all: budget } },
    fileURLToPath(new URL('vault-holder-process.ts', import.meta.url)),
  )
  const floor = await FloorPages.start(PAGE)
  const stored = new StoredPages(join(holders.folder, 'application.db'))
  const recorder = new FlightRecorder()
  const figures: Record<string, number> = {}
  try {
    const links = await holders.links()
    const vault = new Vault({
      tables: TABLES,
      split: new SplitKeys({ links: links.map(link => recorder.watch(link)) }),
    })
    // Pages are sealed before they are measured, however long that takes on a busy machine.
    const sealer = new Vault({ tables: TABLES, split: new SplitKeys({ links, timeout: 60_000 }) })
    const series = (first: number): readonly [Series, Series, Series] => {
      const page = (index: number) => vault.openRows('customers', stored.read('sealed', first + index))
      return [
        { name: 'page', open: index => recorder.page(() => page(index)), times: [], failed: 0 },
        {
          name: 'floor',
          open: index => floor.page(stored.read('sealed', first + index)),
          times: [],
          failed: 0,
        },
        { name: 'plain', open: async index => stored.read('plain', first + index), times: [], failed: 0 },
      ]
    }
    // A service is compiled once and runs for weeks: the first pages are not what its users wait for.
    const warm = series(await stored.add(sealer, WARM_UP))
    for (let page = 0; page < WARM_UP; page++) for (const kind of warm) await timed(kind, page)
    const [ours, least] = series(await stored.add(sealer, WORKED))
    const kinds = [
      { name: 'page', open: ours.open, pids: holders.pids },
      { name: 'floor', open: least.open, pids: floor.pids },
    ]
    Object.assign(figures, await workOfPages(kinds, WORKED))
    const firsts: number[] = []
    for (const _ of STATES) firsts.push(await stored.add(sealer, counts.quiet + counts.saturated))
    await flights(holders, 'three holders')
    recorder.take('', [])
    for (const [index, state] of STATES.entries()) {
      if (state === 'one frozen') holders.signal(2, 'SIGSTOP')
      if (state === 'one killed') {
        holders.signal(2, 'SIGCONT')
        await holders.kill(2)
      }
      const quiet = series(firsts[index] ?? 0)
      await arriving(quiet, counts.quiet)
      Object.assign(figures, quantilesOf(`quiet.${state}`, quiet))
      Object.assign(figures, recorder.take(state, await flights(holders, state)))
      const saturated = series((firsts[index] ?? 0) + counts.quiet)
      Object.assign(figures, await backToBack(`saturated.${state}`, saturated, counts.saturated))
      await flights(holders, state)
      recorder.take('', [])
      figures[`${state}.failed`] = quiet[0].failed + saturated[0].failed
    }
    for (const link of links) link.close()
  } finally {
    stored.close()
    floor.stop()
    await holders.stop()
    rmSync(holders.folder, { recursive: true })
  }
  return figures
}

/** What the holders that run have recorded since the last call. */
function flights(
  holders: HolderProcesses,
  state: (typeof STATES)[number],
): Promise<Awaited<ReturnType<typeof holderFlights>>> {
  const running = CONFIGURATIONS[state]
  for (const id of running) holders.signal(id, 'SIGUSR2')
  return holderFlights(running.map(id => join(holders.folder, `holder-${id}.json-flight`)))
}

async function timed(series: Series, index: number): Promise<void> {
  const started = performance.now()
  try {
    await series.open(index)
  } catch {
    series.failed++
  }
  series.times.push(performance.now() - started)
}

/** Ours, the same page read plain, and the floor's in turn, a quarter of `ARRIVAL_MS` after one another. */
async function arriving(all: readonly [Series, Series, Series], count: number): Promise<void> {
  const [ours, floor, plain] = all
  const started = performance.now()
  for (let page = 0; page < count; page++) {
    for (const [quarter, kind] of [ours, plain, floor].entries()) {
      const at = page * ARRIVAL_MS + (quarter * ARRIVAL_MS) / 4
      const wait = started + at + Math.random() * JITTER_MS - performance.now()
      if (wait > 0) await new Promise(resolve => setTimeout(resolve, wait))
      await timed(kind, page)
    }
  }
}

/** First all of ours, then as many of the floor: what ours leaves to collect is collected in our time. */
async function backToBack(
  name: string,
  all: readonly [Series, Series, Series],
  count: number,
): Promise<Readonly<Record<string, number>>> {
  const figures: Record<string, number> = {}
  for (const series of all) {
    globalThis.gc?.()
    const started = performance.now()
    for (let page = 0; page < count; page++) await timed(series, page)
    figures[`${name}.${series.name}.a second`] = Math.round((count * 1_000) / (performance.now() - started))
  }
  return { ...figures, ...quantilesOf(name, all) }
}

function quantilesOf(
  name: string,
  [page, floor, plain]: readonly [Series, Series, Series],
): Readonly<Record<string, number>> {
  const added = (series: Series): readonly number[] =>
    series.times.map((time, index) => time - (plain.times[index] ?? 0))
  const rows: readonly (readonly [string, readonly number[]])[] = [
    ['page', page.times],
    ['floor', floor.times],
    ['plain', plain.times],
    ['added', added(page)],
    ['added by the floor', added(floor)],
  ]
  const figures: Record<string, number> = {}
  for (const [label, share] of [
    ['p50', 0.5],
    ['p99', 0.99],
  ] as const)
    for (const [row, times] of rows) figures[`${name}.${row}.${label}.ms`] = round(quantile(times, share))
  const [ours, least] = [quantile(page.times, 0.5), quantile(floor.times, 0.5)]
  figures[`${name}.p50 of our own code, a record.us`] = round(((ours - least) * 1_000) / PAGE)
  return figures
}

function round(value: number): number {
  return Number(value.toFixed(2))
}
