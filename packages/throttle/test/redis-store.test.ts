import assert from 'node:assert/strict'
import { fork } from 'node:child_process'
import { after, before, describe, test } from 'node:test'
import { VirtualClock } from '@postern/core'
import { connectRedis, type RedisConnection, redisReady } from '@postern/store'
import { freshPrefix, services, startRedisCluster } from '../../../test/services.ts'
import { gcra, redisStore, window } from '../src/index.ts'
import type { LimitStore } from '../src/limit/limit-store.ts'
import { limitName, Question } from '../src/limit/question.ts'
import { holdsInAnyWindow, takesAllOrNothing } from './any-window.ts'

const NAME = limitName('shared')

describe('limits in Redis', () => {
  let url: string
  let redis: RedisConnection
  let calls: () => number
  before(async () => {
    url = (await services()).redis
    redis = connectRedis({ url })
    calls = countScripts(redis)
    await redisReady(redis)
  })
  after(() => redis.disconnect())

  test('hold in any window, for every rule and for leases, whatever arrives when at which process', async context => {
    const prefix = freshPrefix(context)
    await holdsInAnyWindow(clock => redisStore({ redis, prefix, clock }), 60, 3)
  })

  test('take all of a request or nothing', context =>
    takesAllOrNothing(clock => redisStore({ redis, prefix: freshPrefix(context), clock })))

  test('many decisions of one moment are one call, and still one after the other', async context => {
    const store = redisStore({ redis, prefix: freshPrefix(context) })
    const rule = window(10, '1m')
    const questions = Array.from({ length: 25 }, () => new Question())
    const before = calls()
    await Promise.all(
      questions.map(question => {
        question.ask(NAME, 'k', rule, 1)
        return store.decide(question)
      }),
    )
    assert.equal(calls() - before, 1)
    assert.equal(questions.filter(({ refused }) => refused < 0).length, 10)
    assert.deepEqual(
      questions.slice(0, 10).map(({ remaining }) => remaining[0]),
      [9, 8, 7, 6, 5, 4, 3, 2, 1, 0],
    )
  })

  test('four processes admit exactly the limit between them, with clocks a minute apart', async context => {
    const prefix = freshPrefix(context)
    const admitted = await Promise.all(
      [-60_000, 0, 0, 60_000].map(
        skew =>
          new Promise<number>((resolve, reject) => {
            const child = fork(new URL('./redis-worker.ts', import.meta.url), [], {
              env: { ...process.env, LIMIT_REDIS: url, LIMIT_PREFIX: prefix, LIMIT_SKEW: String(skew) },
            })
            child.once('message', count => resolve(Number(count)))
            child.once('error', reject)
            child.once('exit', code => code !== 0 && reject(new Error(`worker ended with ${code}`)))
          }),
      ),
    )
    assert.equal(
      admitted.reduce((sum, count) => sum + count, 0),
      1_000,
    )
    assert.ok(admitted.every(count => count < 1_000))
  })

  test('a script the server has forgotten is sent again', async context => {
    const store = redisStore({ redis, prefix: freshPrefix(context) })
    await redis.script('FLUSH')
    const question = new Question()
    question.ask(NAME, 'k', window(1, '1m'), 1)
    await store.decide(question)
    assert.equal(question.refused, -1)
  })

  test('keys expire by themselves, soon after their window', async context => {
    const prefix = freshPrefix(context)
    const store = redisStore({ redis, prefix })
    const question = new Question()
    question.ask(NAME, 'w', window(5, '1m'), 1)
    question.ask(NAME, 'g', gcra({ rate: 1, burst: 10 }), 2)
    for (let i = 0; i < 3; i++) await store.decide(question)
    const [w, g] = await Promise.all(
      ['w#7500', 'g#0'].map(key => redis.pttl(`{${prefix}}:limit:shared:${key}`)),
    )
    assert.ok(w !== undefined && w > 66_000 && w <= 75_000, `${w}`)
    assert.ok(g !== undefined && g > 4_000 && g <= 6_000, `${g}`)
  })

  test('units leased to processes are debited before they are spent: together never more than the limit', async context => {
    const prefix = freshPrefix(context)
    const rule = window(1_000, '1m', { lease: 50 })
    const stores = Array.from({ length: 4 }, () => redisStore({ redis, prefix }))
    let admitted = 0
    const before = calls()
    for (let i = 0; i < 600; i++) {
      for (const store of stores) {
        const question = new Question()
        question.ask(NAME, 'leased', rule, 1)
        await store.decide(question)
        if (question.refused < 0) admitted++
      }
    }
    assert.equal(admitted, 1_000)
    // 20 leases, and a call for each of the 1,400 that were refused.
    assert.ok(calls() - before <= 20 + 1_400 + 4)
  })

  test('a leased unit that was kept in hand for long is not spent on top of a window that forgot it', async context => {
    const prefix = freshPrefix(context)
    const rule = window(10, '8s', { lease: 5 })
    const question = new Question()
    for (let kept = 500; kept <= 8_000; kept += 500) {
      const clock = new VirtualClock()
      const first = redisStore({ redis, prefix, clock })
      const second = redisStore({ redis, prefix, clock })
      const admit = async (store: LimitStore, tries: number): Promise<number> => {
        let admitted = 0
        for (let i = 0; i < tries; i++) {
          question.clear().ask(NAME, `kept-${kept}`, rule, 1)
          await store.decide(question)
          if (question.refused < 0) admitted++
        }
        return admitted
      }
      assert.equal(await admit(first, 1), 1)
      clock.advance(kept)
      const late = await admit(first, 4)
      clock.advance(7_999)
      const rest = await admit(second, 10)
      assert.ok(late + rest <= 10, `${late} after ${kept} ms, and ${rest} within 8 s of them`)
    }
  })

  test('a leased unit is given back when another limit of the request refuses', async context => {
    const store = redisStore({ redis, prefix: freshPrefix(context) })
    const leased = window(100, '1m', { lease: 10 })
    const other = window(1, '1m')
    const question = new Question()
    const send = async (key: string): Promise<number> => {
      question.clear()
      question.ask(NAME, 'leased', leased, 1)
      question.ask(limitName('other'), key, other, 1)
      await store.decide(question)
      return question.refused
    }
    assert.equal(await send('a'), -1)
    for (let i = 0; i < 50; i++) assert.equal(await send('a'), 1)
    for (let i = 0; i < 99; i++) assert.equal(await send(`b-${i}`), -1, String(i))
    assert.equal(await send('c'), 0)
  })
})

/** Counts the scripts that a connection sends: those that the server counts may be of other tests. */
function countScripts(connection: RedisConnection): () => number {
  let count = 0
  const send = connection.sendCommand
  connection.sendCommand = (...sent: Parameters<RedisConnection['sendCommand']>) => {
    if (/^eval(?:sha)?$/.test(sent[0].name)) count++
    return Reflect.apply(send, connection, sent)
  }
  return () => count
}

describe('limits in a Redis Cluster', () => {
  test('run on a cluster of three nodes: the keys of one prefix live on one of them', async () => {
    const nodes = await startRedisCluster()
    const cluster = connectRedis({ url: nodes.urls, commandTimeout: '5s' })
    try {
      await redisReady(cluster)
      for (const prefix of ['one', 'two', 'three', 'four']) {
        const store = redisStore({ redis: cluster, prefix })
        const questions = Array.from({ length: 40 }, (_, i) => {
          const question = new Question()
          question.ask(NAME, `caller-${i % 20}`, window(100, '1m'), 1)
          question.ask(limitName('all'), 'all', window(30, '1m'), 1)
          return question
        })
        await Promise.all(questions.map(question => store.decide(question)))
        assert.equal(questions.filter(({ refused }) => refused < 0).length, 30, prefix)
      }
    } finally {
      cluster.disconnect()
      await nodes.stop()
    }
  })
})
