// Limits in Redis: latency and decisions per second at 1, 64 and 512 in flight,
// against the Redis stores people use.
// @ts-expect-error: an inner module without types
import FastifyStore from '@fastify/rate-limit/store/RedisStore.js'
import { connectRedis, redisReady } from '@postern/store'
import { redisStore, window } from '@postern/throttle'
import { Redis } from 'ioredis'
import { RedisStore as ExpressStore } from 'rate-limit-redis'
import { RateLimiterRedis } from 'rate-limiter-flexible'
import { FailureTolerantStore } from '../packages/throttle/src/failure/failure-tolerant-store.ts'
import { limitName, Question } from '../packages/throttle/src/limit/question.ts'
import { startRedis } from '../test/services.ts'
import { type Candidate, interleave, median, printTimings, quantile, report } from './support/harness.ts'

const KEYS = 1_000
/** Never reached: all of them admit everything. */
const PLENTY = 60_000
const ROUNDS = 9

type Ask = (key: string) => Promise<unknown>

const server = await startRedis()
const redis = connectRedis({ url: server.url, commandTimeout: '10s' })
await redisReady(redis)
const client = new Redis(server.url)

function postern(): Ask {
  const store = new FailureTolerantStore(redisStore({ redis, prefix: 'bench' }), {
    policy: 'closed',
    deadline: 10_000,
  })
  const rule = window(PLENTY, '1m')
  const name = limitName('address')
  const spare: Question[] = []
  return async key => {
    const question = spare.pop() ?? new Question()
    question.clear()
    question.ask(name, key, rule, 1)
    await store.decide(question)
    if (question.refused >= 0 || question.degraded) throw new Error('the benchmark must not refuse')
    spare.push(question)
  }
}

function flexible(): Ask {
  const limiter = new RateLimiterRedis({ storeClient: client, points: PLENTY, duration: 60 })
  return key => limiter.consume(key)
}

async function express(): Promise<Ask> {
  const store = new ExpressStore({
    sendCommand: (command: string, ...args: string[]) => client.call(command, ...args) as never,
  })
  await store.init({ windowMs: 60_000 } as Parameters<typeof store.init>[0])
  return key => store.increment(key)
}

function fastify(): Ask {
  const store = new FastifyStore(false, false, client, 'fastify-')
  return key =>
    new Promise((resolve, reject) => {
      store.incr(
        key,
        (error: unknown, result: unknown) => (error ? reject(error) : resolve(result)),
        60_000,
        PLENTY,
      )
    })
}

const asks: Readonly<Record<string, Ask>> = {
  postern: postern(),
  'rate-limiter-flexible': flexible(),
  'rate-limit-redis': await express(),
  '@fastify/rate-limit': fastify(),
}

/** Milliseconds of single decisions, per candidate. */
let latencies: Record<string, number[]> = {}

function candidate(name: string, ask: Ask, inFlight: number, operations: number): Candidate {
  return {
    name,
    operations,
    run: async () => {
      const own = latencies[name] ?? []
      latencies[name] = own
      let next = 0
      const worker = async (): Promise<void> => {
        while (next < operations) {
          const number = next++ % KEYS
          const started = performance.now()
          await ask(`10.0.${number >> 8}.${number & 255}`)
          own.push(performance.now() - started)
        }
      }
      await Promise.all(Array.from({ length: inFlight }, worker))
    },
  }
}

const ratios: Record<string, number> = {}
const figures: Record<string, number> = {}
for (const inFlight of [1, 64, 512]) {
  latencies = {}
  const operations = inFlight === 1 ? 1_000 : 40_000
  const candidates = Object.entries(asks).map(([name, ask]) => candidate(name, ask, inFlight, operations))
  const timings = await interleave(candidates, ROUNDS)
  printTimings(`${inFlight} in flight`, timings)
  const own = timings[0]?.median ?? Number.NaN
  for (const { name, median: time } of timings) {
    const label = name.replace(/^@/, '')
    const sorted = latencies[name] ?? []
    figures[`p50_us.${inFlight}.${label}`] = Math.round(median(sorted) * 1_000)
    figures[`p99_us.${inFlight}.${label}`] = Math.round(quantile(sorted, 0.99) * 1_000)
    figures[`per_second.${inFlight}.${label}`] = Math.round(1e9 / time)
    if (name !== 'postern') ratios[`vs_${label.replaceAll(/[^a-z]+/g, '_')}_at_${inFlight}`] = time / own
  }
}
const worstOf = (name: string): number =>
  Math.min(ratios[`vs_${name}_at_64`] ?? Number.NaN, ratios[`vs_${name}_at_512`] ?? Number.NaN)

report({
  bench: 'throttle-redis',
  ratios: {
    vs_rate_limiter_flexible: worstOf('rate_limiter_flexible'),
    vs_rate_limit_redis: worstOf('rate_limit_redis'),
    vs_fastify: worstOf('fastify_rate_limit'),
    ...ratios,
  },
  figures,
  unequal: [
    'A ratio is their median time per decision over ours: above 1, we are faster. The plain ones are the worse of 64 and 512 in flight.',
    'With 1 in flight nothing can be batched, and our script does more than theirs: nine counts that hold in any window, against one counter of a fixed window that lets twice the limit through at its edge.',
    'Ours is measured with its deadline and failure policy, as the guard uses it; the peers have none.',
    'rate-limiter-flexible, rate-limit-redis and fastify share one connection of ioredis; ours has another, with command and socket timeouts.',
  ],
})
redis.disconnect()
client.disconnect()
await server.stop()
process.exit(0)
