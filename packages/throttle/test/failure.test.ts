import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { StoreError } from '@postern/core'
import { connectRedis, redisReady } from '@postern/store'
import { startRedis } from '../../../test/services.ts'
import { FailureTolerantStore } from '../src/failure/failure-tolerant-store.ts'
import {
  concurrency,
  type FailurePolicy,
  local,
  memoryStore,
  redisStore,
  throttle,
  window,
} from '../src/index.ts'
import type { LimitStore } from '../src/limit/limit-store.ts'
import { limitName, Question } from '../src/limit/question.ts'
import { engineWith, open } from './exchanges.ts'
import { settled, VirtualTimers } from './virtual-timers.ts'

const NAME = limitName('address')

/** A store that answers when told to, from memory. */
class SlowStore implements LimitStore {
  readonly name = 'slow'
  readonly inner = memoryStore({ slots: 1_024 })
  readonly released: number[] = []
  readonly open: { answer: () => void; fail: (error: Error) => void }[] = []
  mode: 'waits' | 'answers' | 'throws' | 'full' = 'waits'

  decide(question: Question): undefined | Promise<void> {
    // Full or read-only: what writes nothing is answered.
    const isRead = question.costs.slice(0, question.count).every(cost => cost === 0)
    if (this.mode === 'full') return isRead ? undefined : Promise.reject(new Error('is full'))
    if (this.mode === 'answers') return this.inner.decide(question)
    if (this.mode === 'throws') throw new StoreError('is gone', { store: 'slow', retryable: true })
    return new Promise((resolve, reject) => this.open.push({ answer: resolve, fail: reject }))
  }

  release(_limit: unknown, _key: string, _rule: unknown, ticket: number): void {
    this.released.push(ticket)
  }

  reset(): undefined {}
  health() {
    return { name: 'limits', ok: true, required: false }
  }
  async close(): Promise<void> {}
}

function setUp(policy: FailurePolicy) {
  const timers = new VirtualTimers()
  const slow = new SlowStore()
  const fallback = memoryStore({ clock: timers.clock, slots: 256 })
  const store = new FailureTolerantStore(slow, {
    policy,
    deadline: 50,
    timers,
    clock: timers.clock,
    fallback,
  })
  const ask = (rule = window(10, '1m')) => {
    const question = new Question()
    question.ask(NAME, 'k', rule, 1)
    const asked = timers.clock.monotonic()
    let answeredAfter = -1
    const pending = store.decide(question)
    const done = Promise.resolve(pending).then(() => {
      answeredAfter = timers.clock.monotonic() - asked
    })
    return { question, done, waited: () => answeredAfter }
  }
  return { timers, slow, store, ask }
}

describe('a store that does not answer', () => {
  test('costs no decision more than its deadline, and the next ones nothing', async () => {
    const { timers, ask } = setUp('open')
    const first = ask()
    await timers.advance(20)
    const second = ask()
    await timers.advance(29)
    assert.deepEqual([first.waited(), second.waited()], [-1, -1])
    await timers.advance(1)
    assert.equal(first.waited(), 50)
    assert.equal(first.question.refused, -1)
    const third = ask()
    await settled()
    assert.equal(third.waited(), 0)
    await timers.advance(20)
    assert.equal(second.waited(), 50)
  })

  test('under the policy closed nothing passes, under open everything', async () => {
    for (const [policy, refused] of [['closed', 0] as const, ['open', -1] as const]) {
      const { timers, slow, ask } = setUp(policy)
      slow.mode = 'throws'
      const { question } = ask()
      await timers.advance(0)
      assert.equal(question.refused, refused)
      assert.equal(question.degraded, true)
    }
  })

  test('under the policy local each process admits its share, at least one', async () => {
    for (const [share, admitted] of [[0.5, 5] as const, [0.01, 1] as const]) {
      const { slow, ask } = setUp(local({ share }))
      slow.mode = 'throws'
      let count = 0
      for (let i = 0; i < 20; i++) if (ask().question.refused < 0) count++
      assert.equal(count, admitted)
    }
  })

  test('is asked again by itself, and used again when it answers', async () => {
    const { timers, slow, store, ask } = setUp('closed')
    slow.mode = 'throws'
    ask()
    assert.equal(store.health().ok, false)
    assert.match(store.health().detail ?? '', /slow is away/)
    slow.mode = 'answers'
    await timers.advance(99)
    assert.equal(ask().question.refused, 0)
    await timers.advance(1)
    assert.equal(store.health().ok, true)
    const { question } = ask()
    assert.equal(question.refused, -1)
    assert.equal(question.remaining[0], 9)
  })

  test('counts as away while it answers and writes nothing', async () => {
    const { timers, slow, store, ask } = setUp(local({ share: 1 }))
    slow.mode = 'full'
    await ask().done
    for (let i = 0; i < 5; i++) {
      await timers.advance(1_000)
      await settled()
      assert.match(store.health().detail ?? '', /is full/)
    }
    slow.mode = 'answers'
    await timers.advance(1_000)
    assert.equal(store.health().ok, true)
  })

  test('is not trusted when it answers late', async () => {
    const { timers, slow, ask } = setUp('closed')
    const { question, done } = ask()
    await timers.advance(50)
    await done
    slow.open[0]?.answer()
    await settled()
    assert.equal(question.refused, 0)
  })

  test('a place taken in this process while it was away is given back here, not there', async () => {
    const { slow, store, ask } = setUp(local({ share: 1 }))
    const rule = concurrency(1)
    slow.mode = 'throws'
    const { question } = ask(rule)
    assert.equal(ask(rule).question.refused, 0)
    store.release(NAME, 'k', rule, question.tickets[0] as number, 1)
    assert.deepEqual(slow.released, [])
    assert.equal(ask(rule).question.refused, -1)
  })

  test('the caller of a closed policy gets 503, and readiness tells the truth', async () => {
    const slow = new SlowStore()
    slow.mode = 'throws'
    const guard = throttle({
      store: slow,
      limits: [{ name: 'address', limit: window(1, '1m') }],
      onStoreFailure: 'closed',
    })
    const engine = engineWith(guard, { probes: [guard] })
    const decision = await engine.decide(open(engine))
    assert.ok(decision.effect === 'deny')
    assert.equal(decision.status, 503)
    assert.equal(decision.reasons[0].rule, 'limit/unavailable')
    assert.equal(engine.health()[0]?.ok, false)
    assert.equal(guard.figures().degraded, 1)
    await guard.close()
  })
})

describe('a Redis that fails in the middle', () => {
  const LIMIT = 200
  const SHARE = 0.1
  /** Ten times what a busy machine takes: what is tested is the count, not the time. */
  const DEADLINE = 500
  /**
   * The machine's own slowness under test, milliseconds; the exact deadline is tested on virtual timers
   * above.
   */
  const SLACK = 1_000

  /**
   * Sends in waves, with something done to the server after the third, until the store answers again or many
   * waves are over.
   */
  async function run(
    harm: (server: Awaited<ReturnType<typeof startRedis>>) => Promise<Awaited<ReturnType<typeof startRedis>>>,
  ): Promise<{ admitted: number; slowest: number; healed: boolean }> {
    let server = await startRedis({ password: 'kept-over-restarts' })
    const redis = connectRedis({ url: server.url })
    await redisReady(redis)
    const store = new FailureTolerantStore(redisStore({ redis }), {
      policy: local({ share: SHARE }),
      deadline: DEADLINE,
    })
    const rule = window(LIMIT, '1h')
    let admitted = 0
    let slowest = 0
    const wave = async (): Promise<void> => {
      await Promise.all(
        Array.from({ length: 20 }, async () => {
          const question = new Question()
          question.ask(NAME, 'k', rule, 1)
          const started = performance.now()
          await store.decide(question)
          slowest = Math.max(slowest, performance.now() - started)
          if (question.refused < 0) admitted++
        }),
      )
      await new Promise(resolve => setImmediate(resolve))
    }
    try {
      for (let i = 0; i < 3; i++) await wave()
      server = await harm(server)
      const until = performance.now() + 60_000
      for (let i = 0; i < 20; i++) await wave()
      server.signal('SIGCONT')
      while (!store.health().ok && performance.now() < until) await wave()
      for (let i = 0; i < 30; i++) await wave()
      return { admitted, slowest, healed: store.health().ok }
    } finally {
      await store.close()
      redis.disconnect()
      await server.stop()
    }
  }

  const local20 = LIMIT * SHARE

  test('stopped (SIGSTOP) and continued: at most the limit and the share of this process', async () => {
    const { admitted, slowest, healed } = await run(async server => {
      server.signal('SIGSTOP')
      return server
    })
    assert.ok(admitted >= 60 && admitted <= LIMIT + local20, `${admitted}`)
    assert.ok(slowest < DEADLINE + SLACK, `${slowest} ms`)
    assert.ok(healed)
  })

  test('killed, and a fresh one in its place: at most twice the limit and the share', async () => {
    const { admitted, slowest, healed } = await run(async server => {
      server.signal('SIGKILL')
      await server.stop()
      return startRedis({ port: server.port, password: 'kept-over-restarts' })
    })
    assert.ok(admitted > LIMIT && admitted <= LIMIT * 2 + local20, `${admitted}`)
    assert.ok(slowest < DEADLINE + SLACK, `${slowest} ms`)
    assert.ok(healed)
  })

  test('full (maxmemory): away until there is room, for a question that writes nothing is still answered', async () => {
    const server = await startRedis({ settings: ['maxmemory-policy noeviction'] })
    const redis = connectRedis({ url: server.url })
    await redisReady(redis)
    const store = new FailureTolerantStore(redisStore({ redis }), {
      policy: local({ share: 1 }),
      deadline: DEADLINE,
    })
    const ask = async (): Promise<void> => {
      const question = new Question()
      question.ask(NAME, 'k', window(LIMIT, '1h'), 1)
      await store.decide(question)
    }
    const isWell = async (wanted: boolean): Promise<void> => {
      const until = performance.now() + 60_000
      while (store.health().ok !== wanted && performance.now() < until)
        await new Promise(resolve => setImmediate(resolve))
      assert.equal(store.health().ok, wanted, store.health().detail)
    }
    try {
      await redis.config('SET', 'maxmemory', '1')
      await ask()
      await isWell(false)
      const refused = async (): Promise<number> =>
        Number(/^errorstat_OOM:count=(\d+)/m.exec(await redis.info('errorstats'))?.[1])
      const probed = (await refused()) + 2
      while ((await refused()) < probed) assert.equal(store.health().ok, false)
      assert.match(store.health().detail ?? '', /memory/)
      await redis.config('SET', 'maxmemory', '0')
      await isWell(true)
    } finally {
      await store.close()
      redis.disconnect()
      await server.stop()
    }
  })

  test('flushed (FLUSHALL): what it forgot, at most one limit, is admitted again', async () => {
    const { admitted, healed } = await run(async server => {
      const other = connectRedis({ url: server.url })
      await redisReady(other)
      await other.flushall()
      other.disconnect()
      return server
    })
    assert.equal(admitted, LIMIT + 60)
    assert.ok(healed)
  })
})
