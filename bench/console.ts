// What the console does with much traffic: a preview of another configuration over a million kept events,
// with its progress and what reading them alone costs, and a list of 100,000 events by pages.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { SqliteTraffic } from '../packages/console/src/index.ts'
import { systemClock } from '../packages/core/src/index.ts'
import { PreviewInThread } from '../packages/server/src/preview/preview-in-thread.ts'
import { openDataDirectory } from '../packages/store/src/index.ts'
import { isQuick, median, quantile, report } from './support/harness.ts'

const EVENTS = Number(process.env['POSTERN_BENCH_EVENTS'] ?? (isQuick ? 100_000 : 1_000_000))
const LISTED = Math.min(100_000, EVENTS)
const PAGE = 1_000
const BATCH = 1_000
const CLIENTS = 20_000
const GOAL_SECONDS = 10
const PATIENCE_MS = 600_000
const THREADS = availableParallelism()
const UNBOUNDED = { keep: Number.MAX_SAFE_INTEGER, maxSize: Number.MAX_SAFE_INTEGER }
const START = Date.UTC(2026, 0, 1)
const AGENT = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0'

/** A request of a shop: readers of many pages, some signed in, one in a hundred a probe. 25 a second. */
function event(index: number): Parameters<SqliteTraffic['write']>[0][number] {
  const client = Math.imul(index, 7_919) % CLIENTS
  const isProbe = index % 100 === 0
  return {
    event: {
      type: 'http',
      time: START + index * 40,
      actor: {
        address: `203.0.${Math.abs(client) >> 8}.${Math.abs(client) & 255}`,
        agent: AGENT,
        ...(client % 3 === 0 && { principal: `user-${client}` }),
      },
      request: {
        id: `b${String(index).padStart(19, '0')}`,
        method: 'GET',
        host: 'shop.example',
        path: isProbe ? '/wp-login.php' : `/products/${Math.abs(Math.imul(index, 31)) % 3_000}`,
        query: index % 500 === 0 ? "id=1' OR 1=1--" : `page=${index % 40}&sort=price`,
      },
      decision: 'allow',
      outcome: { status: isProbe ? 404 : 200, duration: 4, bytes: 1_000, aborted: false },
    },
    weight: 1,
    guardTimes: undefined,
  }
}

/** Microseconds of CPU of this process for each of the operations. */
async function cpuEach(operations: number, work: () => Promise<void>): Promise<number> {
  const before = process.cpuUsage()
  await work()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / operations
}

async function readAll(traffic: SqliteTraffic): Promise<number> {
  let last = 0
  let seen = 0
  for (;;) {
    const page = await traffic.requestsAfter(last, 0, PAGE)
    if (page.length === 0) return seen
    seen += page.length
    last = page.at(-1)?.id ?? last
  }
}

const folder = mkdtempSync(join(tmpdir(), 'postern-bench-console-'))
try {
  openDataDirectory(folder).close()
  writeFileSync(join(folder, 'postern.config.yaml'), 'mode: enforce\n')
  const traffic = SqliteTraffic.open({ directory: folder, ...UNBOUNDED })
  console.log(`writing ${EVENTS} events`)
  const writing = await cpuEach(EVENTS, async () => {
    for (let from = 0; from < EVENTS; from += BATCH)
      await traffic.write(
        Array.from({ length: Math.min(BATCH, EVENTS - from) }, (_, i) => event(from + i)),
        [],
      )
  })

  const pages: number[] = []
  let before = Number.MAX_SAFE_INTEGER
  for (let listed = 0; listed < LISTED; listed += PAGE) {
    const started = performance.now()
    const page = await traffic.find({ before, limit: PAGE })
    pages.push(performance.now() - started)
    before = page.at(-1)?.id ?? 0
  }

  const reading = await cpuEach(EVENTS, async () => {
    const seen = await readAll(traffic)
    if (seen !== EVENTS) throw new Error(`${seen} of ${EVENTS} events were read`)
  })
  await traffic.close()

  const job = new PreviewInThread(
    () => ({
      file: join(folder, 'postern.config.yaml'),
      folder,
      overrides: {},
      traffic: { directory: folder },
      path: join(folder, 'postern.config.yaml'),
    }),
    systemClock,
    THREADS,
  )
  let steps = 0
  let seconds = Number.NaN
  let result: { readonly requests: number } | undefined
  const whole = await cpuEach(EVENTS, async () => {
    job.start('mode: enforce\nblock: [203.0.1.0/24]\n', 0)
    let done = -1
    for (const end = performance.now() + PATIENCE_MS; performance.now() < end; ) {
      const state = job.state()
      if (state.state === 'failed') throw new Error(state.problem)
      if (state.state === 'done') {
        seconds = state.milliseconds / 1_000
        result = state.result
        return
      }
      if (state.state === 'running' && state.done !== done) {
        done = state.done
        steps++
      }
      await new Promise(resolve => setTimeout(resolve, 20))
    }
    throw new Error('the preview did not end')
  })
  if (result?.requests !== EVENTS) throw new Error(`${result?.requests} of ${EVENTS} requests were decided`)

  job.start('mode: enforce\n', 0)
  const cancelled = performance.now()
  job.cancel()
  if (job.state().state !== 'none') throw new Error('a cancelled preview goes on')
  const cancelling = performance.now() - cancelled

  const million = (cpu: number): number => (cpu * 1_000_000) / 1e6
  report({
    bench: 'console',
    ratios: {
      preview_cpu_vs_reading: whole / reading,
      seconds_of_a_million_vs_goal: (seconds * 1_000_000) / EVENTS / GOAL_SECONDS,
    },
    figures: {
      events: EVENTS,
      threads: THREADS,
      preview_seconds: Number(seconds.toFixed(2)),
      preview_seconds_for_a_million: Number(((seconds * 1_000_000) / EVENTS).toFixed(2)),
      preview_progress_steps: steps,
      preview_cancel_ms: Number(cancelling.toFixed(2)),
      preview_cpu_us_per_event: Number(whole.toFixed(2)),
      reading_cpu_us_per_event: Number(reading.toFixed(2)),
      floor_seconds_for_a_million_on_one_core: Number(million(reading).toFixed(2)),
      cores_for_a_million_in_10_s: Math.ceil(million(whole) / GOAL_SECONDS),
      writing_cpu_us_per_event: Number(writing.toFixed(2)),
      listed_events: LISTED,
      page_events: PAGE,
      page_p50_ms: Number(median(pages).toFixed(2)),
      page_p99_ms: Number(quantile(pages, 0.99).toFixed(2)),
    },
    unequal: [
      'The floor reads and opens every kept event, and decides nothing: a preview cannot take less CPU. The rest is two decisions for each request, by the present configuration and by the other.',
      'Seconds depend on free cores: a thread for each core of the machine. On a busy machine take CPU microseconds, and the number of cores that follows from them.',
    ],
  })
} finally {
  rmSync(folder, { recursive: true, force: true })
}
