import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { systemClock, systemRandom } from '@postern/core'
import { SplitKeys, Vault } from '@postern/vault'
import {
  generateSigningKey,
  type NamedRecord,
  type SigningKey,
  signCapability,
  signIdentity,
} from '@postern/vault/capability'
import { HolderCore, HolderKeys, type HolderPolicy, HolderStore } from '@postern/vault/holder'
import { encodeContext } from '../../packages/vault/src/record/record-context.ts'
import { packOpenings } from '../../packages/vault/src/split/open-batch.ts'
import { HolderProcesses } from '../../packages/vault/test/support/holder-processes.ts'
import { quantile } from './harness.ts'
import { FloorPages } from './vault-floor.ts'

const PAGE = 50
/** Characters of each value. */
const VALUE_BYTES = 32
/** Pages opened before any is measured. */
const WARM_UP = 300
const TABLES = { customers: { key: ['id'], columns: { email: { mode: 'split' } } } } as const

/** Rows of one page as a driver returns them: views of bytes that were read. */
type StoredPage = () => Record<string, unknown>[]

/** A page arrives every so many milliseconds, and one of the floor half way between two. */
const ARRIVAL_MS = 50
const STATES = ['three holders', 'one frozen', 'one killed'] as const

/** How many pages are opened in each state of the holders. */
export interface PageCounts {
  /** Arriving at 20 a second, as on a machine that is not busy. */
  readonly quiet: number
  /** One directly after the other, as fast as they go. */
  readonly saturated: number
}

/** What measures one kind of page: ours, or the floor's. Times in milliseconds. */
interface Series {
  readonly name: 'page' | 'floor'
  readonly open: (index: number) => Promise<unknown>
  readonly times: number[]
  failed: number
}

/**
 * What a page of 50 records adds with three holder processes, TLS and their audit logs; then with one of them
 * frozen, then killed. Every page is opened for the first time, so that it is counted and written down. The
 * floor (`FloorPages`) has the same arrivals. p50 and p99 are over all pages of a state.
 */
export async function pageBenchmark(counts: PageCounts): Promise<Readonly<Record<string, number>>> {
  const budget = 100_000_000
  const holders = await HolderProcesses.start(
    { budgets: { service: budget, table: budget, all: budget } },
    fileURLToPath(new URL('vault-holder-process.ts', import.meta.url)),
  )
  const floor = await FloorPages.start(PAGE)
  const figures: Record<string, number> = {}
  try {
    const links = await holders.links()
    const vault = new Vault({ tables: TABLES, split: new SplitKeys({ links }) })
    let next = 0
    const seal = async (count: number): Promise<readonly StoredPage[]> => {
      const sealed: StoredPage[] = []
      for (let page = 0; page < count; page++) sealed.push(await sealedPage(vault, next++))
      return sealed
    }
    // A service is compiled once and runs for weeks: the first pages are not what its users wait for.
    for (const rows of await seal(WARM_UP)) {
      await vault.openRows('customers', rows())
      await floor.page()
    }
    const stored: (readonly StoredPage[])[] = []
    for (const _ of STATES) stored.push(await seal(counts.quiet + counts.saturated))
    for (const [index, state] of STATES.entries()) {
      if (state === 'one frozen') holders.signal(2, 'SIGSTOP')
      if (state === 'one killed') {
        holders.signal(2, 'SIGCONT')
        await holders.kill(2)
      }
      const pages = stored[index] ?? []
      const series = (): readonly [Series, Series] => [
        {
          name: 'page',
          open: page => vault.openRows('customers', pages[page]?.() ?? []),
          times: [],
          failed: 0,
        },
        { name: 'floor', open: () => floor.page(), times: [], failed: 0 },
      ]
      const quiet = series()
      await arriving(quiet, counts.quiet)
      Object.assign(figures, quantilesOf(`quiet.${state}`, quiet))
      const saturated = series()
      Object.assign(figures, await backToBack(`saturated.${state}`, saturated, counts))
      figures[`${state}.failed`] = quiet[0].failed + saturated[0].failed
    }
    for (const link of links) link.close()
  } finally {
    floor.stop()
    await holders.stop()
    rmSync(holders.folder, { recursive: true })
  }
  return figures
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

/** Ours and the floor's in turn, each every `ARRIVAL_MS`. */
async function arriving([ours, floor]: readonly [Series, Series], count: number): Promise<void> {
  const started = performance.now()
  for (let turn = 0; turn < count * 2; turn++) {
    const wait = started + (turn * ARRIVAL_MS) / 2 - performance.now()
    if (wait > 0) await new Promise(resolve => setTimeout(resolve, wait))
    await timed(turn % 2 === 0 ? ours : floor, turn >> 1)
  }
}

/** First all of ours, then as many of the floor: what ours leaves to collect is collected in our time. */
async function backToBack(
  name: string,
  both: readonly [Series, Series],
  { quiet, saturated }: PageCounts,
): Promise<Readonly<Record<string, number>>> {
  const figures: Record<string, number> = {}
  for (const series of both) {
    globalThis.gc?.()
    const started = performance.now()
    for (let page = 0; page < saturated; page++) await timed(series, quiet + page)
    figures[`${name}.${series.name}.a second`] = Math.round(
      (saturated * 1_000) / (performance.now() - started),
    )
  }
  return { ...figures, ...quantilesOf(name, both) }
}

function quantilesOf(name: string, both: readonly [Series, Series]): Readonly<Record<string, number>> {
  const figures: Record<string, number> = {}
  for (const [label, share] of [
    ['p50', 0.5],
    ['p99', 0.99],
  ] as const) {
    for (const series of both)
      figures[`${name}.${series.name}.${label}.ms`] = round(quantile(series.times, share))
    const [ours, floor] = both.map(series => quantile(series.times, share))
    figures[`${name}.${label} above the floor.ms`] = round((ours ?? 0) - (floor ?? 0))
  }
  return figures
}

/** Seals a page, and keeps its bytes in one piece: thousands of small buffers would slow every collection. */
async function sealedPage(vault: Vault, page: number): Promise<StoredPage> {
  const ids = Array.from({ length: PAGE }, (_, i) => page * PAGE + i)
  const sealed = await vault.sealRows(
    'customers',
    ids.map(id => ({ id, email: `customer${id}@example.com`.padStart(VALUE_BYTES) })),
  )
  const bytes = Buffer.concat(sealed.map(row => row['email'] as Buffer))
  const size = bytes.length / PAGE
  return () => ids.map((id, i) => ({ id, email: bytes.subarray(i * size, (i + 1) * size) }))
}

/** Who opens: services under their own budgets, or people with signed capabilities. */
type Actors = 'services' | 'people'

/**
 * Records opened a second by the core of one holder with its file, on one core, as the number of actors
 * that it counts for grows; and what it remembers per actor.
 */
export function holderCapacity(actors: readonly number[]): Readonly<Record<string, number>> {
  const figures: Record<string, number> = {}
  for (const count of actors) {
    const { perSecond, bytesPerActor } = capacityOf('services', count, 1_000)
    figures[`holder.opened per second and core.${count} actors`] = perSecond
    figures[`holder.bytes per actor with one page counted.${count} actors`] = bytesPerActor
  }
  const { perSecond } = capacityOf('people', 1_000, 400)
  figures['holder.opened per second and core.1000 people with capabilities'] = perSecond
  return figures
}

function capacityOf(
  kind: Actors,
  count: number,
  requests: number,
): { readonly perSecond: number; readonly bytesPerActor: number } {
  const folder = mkdtempSync(join(tmpdir(), 'bench-holder-'))
  const store = HolderStore.open(join(folder, 'holder.db'))
  try {
    const enroller = generateSigningKey()
    const core = capacityCore(store, kind === 'services' ? count : 1, enroller)
    const salt = Buffer.alloc(16)
    const request = (i: number): readonly [string, object] => {
      const rows = Array.from({ length: PAGE }, (_, k) => [`${i * PAGE + k}`])
      const items = packOpenings(
        rows.map(row => ({
          encoded: encodeContext({ tenant: '', table: 't', column: 'c', row, version: 0 }),
          epoch: 0,
          salt,
        })),
      )
      if (kind === 'services') return [`actor${i % count}`, { op: 'open', items }]
      const records = rows.map(row => ({ tenant: '', table: 't', row, columns: ['c'] }))
      return ['actor0', { op: 'open', items, capability: capabilityOf(enroller, `${i % count}`, records) }]
    }
    globalThis.gc?.()
    const { rss } = process.memoryUsage()
    // Every actor has one page counted before the clock starts, so that the tables have their full size.
    for (let i = 0; i < count; i++) core.answer(...request(i))
    globalThis.gc?.()
    const bytesPerActor = Math.round((process.memoryUsage().rss - rss) / count)
    // Made beforehand: the requests are the clients' work.
    const made = Array.from({ length: requests }, (_, i) => request(count + i * 7))
    const started = process.cpuUsage()
    for (const [service, body] of made) core.answer(service, body)
    const { user, system } = process.cpuUsage(started)
    return { perSecond: Math.round((requests * PAGE) / ((user + system) / 1e6)), bytesPerActor }
  } finally {
    store.close()
    rmSync(folder, { recursive: true })
  }
}

function capacityCore(journal: HolderStore, services: number, enroller: SigningKey): HolderCore {
  const keys = new HolderKeys(1)
  keys.add(0, 'b', systemRandom.bytes(32))
  keys.add(0, 'c', systemRandom.bytes(32))
  const right = { seal: ['*'], open: ['*'], search: [] }
  const policy: HolderPolicy = {
    services: Object.fromEntries(Array.from({ length: services }, (_, i) => [`actor${i}`, right])),
    enrollers: [enroller.publicKey.toString('base64url')],
    budgets: { person: 1e8, service: 1e8, served: 1e8, table: 1e8, all: 1e8 },
    window: 3_600_000,
    guesses: 1,
    searches: 1,
  }
  const recorder = { record() {}, commit: async () => ({ index: 0n }) }
  return new HolderCore({ keys, policy, journal, clock: systemClock, random: systemRandom, recorder })
}

const sessions = new Map<string, { readonly key: SigningKey; readonly identity: string }>()

function capabilityOf(enroller: SigningKey, actor: string, records: readonly NamedRecord[]): string {
  let session = sessions.get(actor)
  if (session === undefined) {
    const key = generateSigningKey()
    const statement = { actor, key: key.publicKey.toString('base64url'), notAfter: Date.now() + 3_600_000 }
    session = { key, identity: signIdentity(enroller, statement) }
    sessions.set(actor, session)
  }
  return signCapability(session.key, {
    action: 'open',
    service: 'actor0',
    records,
    issuedAt: Date.now(),
    expiresAt: Date.now() + 300_000,
    nonce: randomBytes(16).toString('base64url'),
    identity: session.identity,
  })
}

function round(value: number): number {
  return Number(value.toFixed(2))
}
