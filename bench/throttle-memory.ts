// Limits in memory: time per decision, bytes per key, and what is really admitted,
// against the stores people use.
import { mock } from 'node:test'
// @ts-expect-error: an inner module without types
import LocalStore from '@fastify/rate-limit/store/LocalStore.js'
import type { Clock } from '@postern/core'
import { gcra, memoryStore, type Rule, window } from '@postern/throttle'
import { MemoryStore as ExpressStore } from 'express-rate-limit'
import { RateLimiterMemory } from 'rate-limiter-flexible'
import { limitName, Question } from '../packages/throttle/src/limit/question.ts'
import { type Candidate, interleave, isQuick, printTimings, report, type Timing } from './support/harness.ts'

const MINUTE = 60_000
/** Limits that are never reached, and that nearly every try is over. */
const PLENTY = 60_000
const SCARCE = 1

/** A limiter of one kind, set up. */
interface Limiter {
  /** Asks once; true when admitted. */
  readonly ask: (key: string) => boolean | Promise<boolean>
  /** Asks for each key in turn, as directly as this limiter can be asked: what is timed. */
  readonly askAll: (keys: readonly string[]) => void | Promise<void>
}

interface Contender {
  readonly name: string
  readonly make: (limit: number, keys: number, clock?: Clock) => Limiter
}

function ours(rule: (limit: number) => Rule): Contender['make'] {
  return (limit, keys, clock) => {
    const slots = Math.max(131_072, Math.ceil(keys * 1.4))
    const store = memoryStore({ slots, ...(clock !== undefined && { clock }) })
    const question = new Question()
    const name = limitName('bench')
    const used = rule(limit)
    latest = store
    const ask = (key: string): boolean => {
      question.clear()
      question.ask(name, key, used, 1)
      store.decide(question)
      return question.refused < 0
    }
    return {
      ask,
      askAll: batch => {
        for (const key of batch) ask(key)
      },
    }
  }
}

/** The store that was made last, for its figures. */
let latest = memoryStore({ slots: 64 })

const postern: Contender = { name: 'postern', make: ours(limit => window(limit, '1m')) }
const flexible: Contender = {
  name: 'rate-limiter-flexible',
  make: limit => {
    const limiter = new RateLimiterMemory({ points: limit, duration: 60 })
    return {
      ask: key =>
        limiter.consume(key).then(
          () => true,
          () => false,
        ),
      askAll: async batch => {
        for (const key of batch) {
          try {
            await limiter.consume(key)
          } catch {
            // Refused.
          }
        }
      },
    }
  },
}
const express: Contender = {
  name: 'express-rate-limit',
  make: limit => {
    const store = new ExpressStore()
    store.init({ windowMs: MINUTE } as Parameters<typeof store.init>[0])
    return {
      ask: async key => (await store.increment(key)).totalHits <= limit,
      askAll: async batch => {
        for (const key of batch) await store.increment(key)
      },
    }
  },
}
const fastify: Contender = {
  name: '@fastify/rate-limit',
  make: (limit, keys) => {
    const store = new LocalStore(false, false, Math.max(5_000, keys))
    let hits = 0
    const note = (_: unknown, result: { current: number }): void => {
      hits = result.current
    }
    return {
      ask: key => {
        store.incr(key, note, MINUTE, limit)
        return hits <= limit
      },
      askAll: batch => {
        for (const key of batch) store.incr(key, note, MINUTE, limit)
      },
    }
  },
}
const contenders = [postern, flexible, express, fastify]

/** Addresses, as new strings each time: a request brings its own, whose hash nobody has computed yet. */
function freshKeys(keys: number, count: number): string[] {
  const order = Array.from({ length: count }, (_, i) => (keys > 10_000 ? (i * 7_919) % keys : i % keys))
  return order.map(i =>
    Buffer.from(`10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`, 'latin1').toString('latin1'),
  )
}

function candidate({ name, make }: Contender, limit: number, keys: number, operations: number): Candidate {
  const limiter = make(limit, keys)
  let batch: string[] = []
  return {
    name,
    operations,
    prepare: () => {
      batch = freshKeys(keys, operations)
    },
    run: () => limiter.askAll(batch),
  }
}

async function time(
  limit: number,
  keys: number,
  operations: number,
  rounds: number,
): Promise<readonly Timing[]> {
  const candidates = contenders.map(contender => candidate(contender, limit, keys, operations))
  const timings = await interleave(candidates, rounds)
  printTimings(`${keys.toLocaleString('en')} keys, all ${limit === PLENTY ? 'admitted' : 'refused'}`, timings)
  return timings
}

/** What one reading of the clock takes, ns. */
async function clockTime(): Promise<number> {
  const readings = 1_000_000
  const run = (): void => {
    let seen = 0
    for (let i = 0; i < readings; i++) seen = performance.now()
    if (seen === 0) throw new Error('the clock stands still')
  }
  const [timing] = await interleave([{ name: 'clock', operations: readings, run }], 9)
  return timing?.median ?? Number.NaN
}

/** Their time over ours, for runs one after the other. */
function ratio(name: string, ...runs: readonly (readonly Timing[])[]): number {
  const of = (wanted: string): number =>
    runs.reduce(
      (sum, timings) => sum + (timings.find(timing => timing.name === wanted)?.median ?? Number.NaN),
      0,
    )
  return of(name) / of('postern')
}

/** Bytes that a store of 1,000,000 keys holds, keys included, per key. */
async function bytesPerKey({ make }: Contender): Promise<number> {
  const keys = 1_000_000
  globalThis.gc?.()
  const before = process.memoryUsage()
  const { ask } = make(PLENTY, keys)
  for (let from = 0; from < keys; from += 10_000) {
    for (let i = from; i < from + 10_000; i++) {
      await ask(Buffer.from(`10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`, 'latin1').toString('latin1'))
    }
  }
  globalThis.gc?.()
  const after = process.memoryUsage()
  // Kept until here.
  await ask('10.0.0.0')
  return (after.heapUsed - before.heapUsed + after.arrayBuffers - before.arrayBuffers) / keys
}

/**
 * Two counters of whole minutes, the older one weighted by how much of it still lies in
 * the window: what many hosted limiters do.
 */
const weighted: Contender = {
  name: 'weighted two buckets',
  make: limit => {
    let minute = 0
    let current = 0
    let last = 0
    const ask = (): boolean => {
      const now = Date.now()
      const index = Math.floor(now / MINUTE)
      if (index !== minute) {
        last = index === minute + 1 ? current : 0
        current = 0
        minute = index
      }
      const used = last * (1 - (now % MINUTE) / MINUTE) + current
      if (used >= limit) return false
      current++
      return true
    }
    return { ask, askAll: () => {} }
  },
}

/**
 * The most that is admitted in any 60 s of a run under a limit of 100 a minute; the
 * tries are milliseconds since a full minute.
 */
async function mostAdmitted({ make }: Contender, tries: readonly number[]): Promise<number> {
  mock.timers.enable({ apis: ['Date', 'setTimeout', 'setInterval'], now: Date.UTC(2026, 0, 1) })
  try {
    const start = Date.now()
    const { ask } = make(100, 1_000, { now: () => Date.now(), monotonic: () => Date.now() })
    const admitted: number[] = []
    for (const at of tries) {
      mock.timers.tick(start + at - Date.now())
      if (await ask('caller')) admitted.push(at)
    }
    let most = 0
    for (let first = 0, end = 0; first < admitted.length; first++) {
      while (end < admitted.length && (admitted[end] as number) < (admitted[first] as number) + MINUTE) end++
      most = Math.max(most, end - first)
    }
    return most
  } finally {
    mock.timers.reset()
  }
}

const burst = (at: number): number[] => Array.from({ length: 200 }, () => at)
const patterns: readonly (readonly [string, readonly number[]])[] = [
  // One request opens a window; the rest comes just before its end, and again just after.
  ['burst at the edge', [10_000, ...burst(69_900), ...burst(70_050), ...burst(129_800)]],
  ['edge aligned to the clock', [...burst(59_900), ...burst(60_050), ...burst(90_000), ...burst(119_900)]],
  ['greedy, a try every 100 ms', Array.from({ length: 3_000 }, (_, i) => i * 100)],
]

async function accuracy(): Promise<Record<string, number>> {
  const all: readonly Contender[] = [
    ...contenders,
    { name: 'postern gcra, burst 20', make: ours(limit => gcra({ limit, window: '1m', burst: 20 })) },
    {
      name: 'token bucket, burst = limit',
      make: ours(limit => gcra({ rate: limit, per: '1m', burst: limit })),
    },
    weighted,
  ]
  const figures: Record<string, number> = {}
  console.log('\nmost admitted in any 60 s under a limit of 100 per 60 s')
  for (const contender of all) {
    const row: number[] = []
    for (const [, tries] of patterns) row.push(await mostAdmitted(contender, tries))
    console.log(`  ${contender.name.padEnd(28)}${row.map(count => String(count).padStart(6)).join('')}`)
    figures[`most_admitted.${contender.name}`] = Math.max(...row)
  }
  console.log(`  (${patterns.map(([name]) => name).join('; ')})`)
  return figures
}

// First, while the heap is small: each reading is a number of its own.
const clock = await clockTime()
const few = {
  admitted: await time(PLENTY, 2_000, isQuick ? 50_000 : 200_000, 15),
  refused: await time(SCARCE, 2_000, isQuick ? 50_000 : 200_000, 15),
}
const many = {
  admitted: await time(PLENTY, 1_000_000, 1_000_000, isQuick ? 1 : 3),
  refused: await time(SCARCE, 1_000_000, 1_000_000, isQuick ? 1 : 3),
}
// The last table made was filled with a million keys by the run above.
const { bytes: tableBytes, liveEvictions } = latest.figures()
// Let go of, or freeing it would count against the next measurement.
latest = memoryStore({ slots: 64 })
const bytes: Record<string, number> = {}
for (const contender of contenders) bytes[contender.name] = Math.round(await bytesPerKey(contender))
const most = await accuracy()

report({
  bench: 'throttle-memory',
  ratios: Object.fromEntries(
    [
      ['rate_limiter_flexible', flexible] as const,
      ['fastify', fastify] as const,
      ['express_rate_limit', express] as const,
    ].flatMap(([label, { name }]) => [
      [`vs_${label}`, ratio(name, few.admitted, few.refused, many.admitted, many.refused)],
      [`vs_${label}_2k_keys`, ratio(name, few.admitted, few.refused)],
      [`vs_${label}_1m_keys`, ratio(name, many.admitted, many.refused)],
      [`vs_${label}_2k_keys_admitted`, ratio(name, few.admitted)],
      [`vs_${label}_2k_keys_refused`, ratio(name, few.refused)],
      [`vs_${label}_1m_keys_admitted`, ratio(name, many.admitted)],
      [`vs_${label}_1m_keys_refused`, ratio(name, many.refused)],
    ]),
  ),
  figures: {
    ns_2k_keys_admitted: Math.round(few.admitted[0]?.median ?? 0),
    ns_2k_keys_refused: Math.round(few.refused[0]?.median ?? 0),
    ns_clock: Math.round(clock),
    ns_1m_keys_admitted: Math.round(many.admitted[0]?.median ?? 0),
    ns_1m_keys_refused: Math.round(many.refused[0]?.median ?? 0),
    bytes_per_key: Number((tableBytes / 1_000_000).toFixed(1)),
    live_evictions: liveEvictions / 1_000_000,
    ...Object.fromEntries(Object.entries(bytes).map(([name, count]) => [`bytes_per_key.${name}`, count])),
    ...most,
  },
  unequal: [
    'A ratio is their median time over ours: above 1, we are faster. The plain ones are of as many admitted as refused decisions over 2,000 keys and over 1,000,000 (the sums of the four medians); each of the four stands beside them.',
    'Our table has its default of 131,072 slots (4 MiB), and 1,400,000 for the million keys.',
    'With a million keys everybody waits for memory, and the ratios shrink. `ns_clock` is what reading the clock takes, a part of every decision of everybody.',
    'We count in sub-windows and bound memory; the peers count in fixed windows. rate-limiter-flexible and express-rate-limit return promises, which are awaited; the first rejects to refuse.',
    "fastify's store is given room for all keys (its default is 5,000). Every decision reads the clock, in all of them.",
    'Keys are strings made before the measured run, new for each run, as requests bring them: their hash is not cached in the string yet.',
    'bytes_per_key is our whole table; the peers are measured as growth of the heap, keys included.',
  ],
})
process.exit(0)
