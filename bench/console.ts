// What the console does with much traffic: previews of three kinds of edit over a million kept requests, with
// their progress and the floors under them (starting the threads, and reading and opening the same pages
// without deciding anything), and a list of 100,000 events by pages. POSTERN_BENCH_EVENTS sets how many
// requests are kept, POSTERN_BENCH_STORE=FOLDER keeps what was written into SQLite for the next run.
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { PostgresTraffic, SqliteTraffic, type TrafficStore } from '../packages/console/src/index.ts'
import { systemClock } from '../packages/core/src/index.ts'
import { PreviewInThread } from '../packages/server/src/preview/preview-in-thread.ts'
import { connectPostgres, openDataDirectory } from '../packages/store/src/index.ts'
import { startServices } from '../test/services.ts'
import { isQuick, median, quantile, report } from './support/harness.ts'

const EVENTS = Number(process.env['POSTERN_BENCH_EVENTS'] ?? (isQuick ? 70_000 : 1_000_000))
/** PostgreSQL takes what it writes more slowly. */
const IN_POSTGRES = Math.min(EVENTS, isQuick ? 30_000 : 1_000_000)
const LISTED = Math.min(100_000, EVENTS)
const PAGE = 1_000
const BATCH = 1_000
const CLIENTS = 20_000
const GOAL_SECONDS = 10
const PATIENCE_MS = 600_000
const THREADS = availableParallelism()
const UNBOUNDED = { keep: Number.MAX_SAFE_INTEGER, maxSize: Number.MAX_SAFE_INTEGER }
const START = Date.UTC(2026, 0, 1)
const AGENTS = Array.from(
  { length: 60 },
  (_, i) => `Mozilla/5.0 (X11; Linux x86_64; rv:${80 + i}.0) Gecko/20100101 Firefox/${80 + i}.0`,
)
const ATTACKS = ["id=1' OR 1=1--", 'q=<script>alert(1)</script>', 'file=../../../../etc/passwd']

/** When a request came, epoch milliseconds. */
function timeOf(index: number): number {
  return START + index * 40
}

/**
 * Traffic of a shop, 25 requests a second of 20,000 clients, some of whom ask far more than others (the n-th
 * busiest as Zipf says): pages with queries that nobody sent before, a third signed in, one in a hundred
 * a probe, one in 500 an attack.
 */
function event(index: number): Parameters<TrafficStore['write']>[0][number] {
  const spread = (Math.imul(index, 2_654_435_761) >>> 0) / 4_294_967_296
  const client = Math.floor(CLIENTS ** spread) - 1 + (index % 3 === 0 ? index % CLIENTS : 0)
  const isProbe = index % 100 === 0
  const isKnown = client % 3 === 0
  const query = `page=${index % 40}&sort=price&q=word${(index * 7_919) % 999_983}&t=${index}`
  return {
    event: {
      type: 'http',
      time: timeOf(index),
      actor: {
        address: `203.${(client >> 16) & 255}.${(client >> 8) & 255}.${client & 255}`,
        agent: AGENTS[client % AGENTS.length] ?? '',
        ...(isKnown && { principal: `user-${client}`, tenant: `tenant-${client % 200}` }),
      },
      request: {
        id: `b${String(index).padStart(19, '0')}`,
        method: index % 12 === 0 ? 'POST' : 'GET',
        host: 'shop.example',
        path: pathOf(index, isProbe),
        query: index % 500 === 0 ? (ATTACKS[index % 3] ?? '') : query,
      },
      decision: 'allow',
      outcome: { status: isProbe ? 404 : 200, duration: 4, bytes: 1_000, aborted: false },
      ...(isKnown && client % 30 === 0 && { data: { acting: { kind: 'user', roles: ['support'] } } }),
    },
    weight: 1,
    guardTimes: undefined,
  }
}

function pathOf(index: number, isProbe: boolean): string {
  if (isProbe) return '/wp-login.php'
  if (index % 50 === 1) return `/admin/orders/${index % 700}`
  return `/products/${Math.imul(index, 31) >>> 8}`
}

/** The configuration in force: somebody who is signed in can be told apart. */
const PRESENT =
  'mode: enforce\nidentify: [{ jwt: { issuer: https://id.example, audience: shop, jwks: https://id.example/jwks } }]\n'

/** What operators try: a tighter limit, a rule that is switched off, who may use a part of the shop. */
const EDITS = {
  limit: 'limits: { address: 100/1m }\n',
  rule: 'inspect: { except: [{ rule: sqli/* }] }\n',
  policy: "routes: { '/admin/**': { require: { role: support } } }\n",
} as const

/** Microseconds of CPU of this process for each of the operations. */
async function cpuEach(operations: number, work: () => Promise<void>): Promise<number> {
  const before = process.cpuUsage()
  await work()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / operations
}

async function readAll(traffic: TrafficStore): Promise<number> {
  let seen = 0
  for await (const page of traffic.pages(0, 'whole'))
    for (const row of await page.open(() => true)) if (row !== undefined) seen++
  return seen
}

/** What no preview can be quicker than: every page is read and opened once, by all threads together. */
async function floor(name: string, traffic: TrafficStore, events: number): Promise<void> {
  const cpu = await cpuEach(events, async () => {
    const seen = await readAll(traffic)
    if (seen !== events) throw new Error(`${seen} of ${events} requests were read`)
  })
  figures[`${name}_floor_cpu_us_per_request`] = round(cpu)
  figures[`${name}_floor_seconds_for_a_million`] = round(cpu / THREADS)
}

async function fill(traffic: TrafficStore, events: number): Promise<void> {
  for (let from = 0; from < events; from += BATCH)
    await traffic.write(
      Array.from({ length: Math.min(BATCH, events - from) }, (_, i) => event(from + i)),
      [],
    )
}

interface Tried {
  readonly seconds: number
  /** Microseconds for each kept request. */
  readonly cpu: number
  readonly steps: number
  readonly replayed: number
  readonly changed: number
}

interface Edit {
  readonly text: string
  /** Requests since this time are previewed, epoch milliseconds. */
  readonly from: number
  /** How many those are. */
  readonly events: number
}

async function tryEdit(job: PreviewInThread, { text, from, events }: Edit): Promise<Tried> {
  let tried: Omit<Tried, 'cpu'> | undefined
  const cpu = await cpuEach(Math.max(1, events), async () => {
    job.start(`${PRESENT}${text}`, from)
    let done = -1
    let steps = 0
    for (const end = performance.now() + PATIENCE_MS; performance.now() < end; ) {
      const state = job.state()
      if (state.state === 'failed') throw new Error(state.problem)
      if (state.state === 'done') {
        const { requests, replayed, newlyRefused, newlyAllowed } = state.result
        if (requests !== events) throw new Error(`${requests} of ${events} requests were previewed`)
        const changed = [...newlyRefused, ...newlyAllowed].reduce((sum, group) => sum + group.requests, 0)
        tried = { seconds: state.milliseconds / 1_000, steps, replayed, changed }
        return
      }
      if (state.state === 'running' && state.done !== done) {
        done = state.done
        steps++
      }
      await new Promise(resolve => setTimeout(resolve, 10))
    }
    throw new Error('the preview did not end')
  })
  if (tried === undefined) throw new Error('the preview did not end')
  return { ...tried, cpu }
}

type Place = ReturnType<ConstructorParameters<typeof PreviewInThread>[0]>['traffic']

function jobIn(folder: string, traffic: Place): PreviewInThread {
  const path = join(folder, 'postern.config.yaml')
  return new PreviewInThread(
    () => ({ file: path, folder, overrides: {}, traffic, path }),
    systemClock,
    THREADS,
  )
}

const round = (value: number): number => Number(value.toFixed(2))
const figures: Record<string, number> = {}
const ratios: Record<string, number> = {}

/**
 * Seconds for a million, where fewer are kept: what the second half of them took longer than the first, which
 * is without the start of the threads and without code that is not compiled yet.
 */
function extrapolated(half: Tried, all: Tried, events: number): number {
  return all.seconds + ((all.seconds - half.seconds) / (events / 2)) * Math.max(0, 1_000_000 - events)
}

async function tryEdits(name: string, job: PreviewInThread, events: number): Promise<void> {
  for (const [edit, text] of Object.entries(EDITS)) {
    // Of nothing: the threads start, read both configurations and build what these say.
    const start = await tryEdit(job, { text, from: timeOf(events), events: 0 })
    const half = await tryEdit(job, { text, from: timeOf(events / 2), events: events / 2 })
    const all = await tryEdit(job, { text, from: 0, events })
    const { seconds, cpu, steps, replayed, changed } = all
    const million = extrapolated(half, all, events)
    figures[`${name}_${edit}_start_seconds`] = round(start.seconds)
    figures[`${name}_${edit}_seconds`] = round(seconds)
    if (events < 1_000_000) figures[`${name}_${edit}_seconds_for_a_million_extrapolated`] = round(million)
    figures[`${name}_${edit}_progress_steps`] = steps
    figures[`${name}_${edit}_decided_again`] = replayed
    figures[`${name}_${edit}_decided_otherwise`] = changed
    figures[`${name}_${edit}_cpu_us_per_request`] = round(cpu)
    ratios[`${name}_${edit}_vs_goal`] = round(million / GOAL_SECONDS)
  }
}

const kept = process.env['POSTERN_BENCH_STORE']
const folder = kept ?? mkdtempSync(join(tmpdir(), 'postern-bench-console-'))
const isWritten = kept !== undefined && existsSync(join(kept, 'traffic.db'))
const services = await startServices()
try {
  mkdirSync(folder, { recursive: true })
  openDataDirectory(folder).close()
  writeFileSync(join(folder, 'postern.config.yaml'), PRESENT)
  const traffic = SqliteTraffic.open({ directory: folder, ...UNBOUNDED })
  if (!isWritten) {
    console.log(`writing ${EVENTS} requests`)
    figures['writing_cpu_us_per_request'] = round(await cpuEach(EVENTS, () => fill(traffic, EVENTS)))
  }

  const pages: number[] = []
  let before = Number.MAX_SAFE_INTEGER
  for (let listed = 0; listed < LISTED; listed += PAGE) {
    const started = performance.now()
    const page = await traffic.find({ before, limit: PAGE })
    pages.push(performance.now() - started)
    before = page.at(-1)?.id ?? 0
  }
  // What is on no page yet goes onto one as when a gateway stops.
  await traffic.close()
  const reopened = SqliteTraffic.open({ directory: folder, ...UNBOUNDED })
  await floor('sqlite', reopened, EVENTS)
  await reopened.close()

  const job = jobIn(folder, { directory: folder })
  await tryEdits('sqlite', job, EVENTS)
  job.start(`${PRESENT}block: [203.0.1.0/24]\n`, 0)
  const cancelled = performance.now()
  job.cancel()
  if (job.state().state !== 'none') throw new Error('a cancelled preview goes on')
  const cancelling = performance.now() - cancelled

  const url = services.env['POSTERN_TEST_POSTGRES']
  if (url !== undefined) {
    const database = connectPostgres({ url, max: 2 })
    const shared = new PostgresTraffic({ database, instance: 'bench', ...UNBOUNDED })
    console.log(`writing ${IN_POSTGRES} requests into PostgreSQL`)
    await fill(shared, IN_POSTGRES)
    await shared.close()
    await floor('postgres', new PostgresTraffic({ database, instance: 'bench', ...UNBOUNDED }), IN_POSTGRES)
    await database.close()
    await tryEdits('postgres', jobIn(folder, { postgres: url }), IN_POSTGRES)
  }

  report({
    bench: 'console',
    ratios,
    figures: {
      requests: EVENTS,
      requests_in_postgres: url === undefined ? 0 : IN_POSTGRES,
      threads: THREADS,
      ...figures,
      cancel_ms: round(cancelling),
      listed_events: LISTED,
      page_events: PAGE,
      page_p50_ms: round(median(pages)),
      page_p99_ms: round(quantile(pages, 0.99)),
    },
    unequal: [
      'The floor reads every page and opens every kept request once, on one thread, and decides nothing; its seconds are divided among the threads. A preview of a changed limit opens less than that: only the requests of actors who may have reached it.',
      'Seconds depend on free cores: a thread for each core of the machine. Seconds for a million are extrapolated where fewer were kept, by how much longer all of them take than half of them.',
    ],
  })
} finally {
  await services.stop()
  if (kept === undefined) rmSync(folder, { recursive: true, force: true })
}
