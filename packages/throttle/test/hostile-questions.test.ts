import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { RouteTable } from '@postern/core'
import { connectPostgres, connectRedis, migrate, type RedisConnection, redisReady } from '@postern/store'
import { freshDatabase, freshPrefix, services } from '../../../test/services.ts'
import {
  concurrency,
  gcra,
  limitMigrations,
  memoryStore,
  postgresStore,
  redisStore,
  throttle,
  window,
} from '../src/index.ts'
import type { LimitStore } from '../src/limit/limit-store.ts'
import { limitName, Question } from '../src/limit/question.ts'
import { engineWith, open } from './exchanges.ts'

const NAME = limitName('hostile')
const database = connectPostgres({ url: await freshDatabase({ after }) })
let redis: RedisConnection

before(async () => {
  await migrate(database, 'throttle', limitMigrations)
  redis = connectRedis({ url: (await services()).redis })
  await redisReady(redis)
})
after(async () => {
  redis.disconnect()
  await database.close()
})

type Context = Parameters<typeof freshPrefix>[0]
const STORES: readonly (readonly [string, (context: Context) => LimitStore])[] = [
  ['memory', () => memoryStore()],
  ['Redis', context => redisStore({ redis, prefix: freshPrefix(context) })],
  ['PostgreSQL', context => postgresStore({ database, prefix: freshPrefix(context) })],
]

async function ask(store: LimitStore, ...asks: readonly Parameters<Question['ask']>[]): Promise<Question> {
  const question = new Question()
  for (const one of asks) question.ask(...one)
  await store.decide(question)
  return question
}

for (const [where, storeFor] of STORES)
  describe(`limits in ${where}`, () => {
    test('attack: requests take turns between two windows of one limit, and neither counts', async context => {
      const guard = throttle({
        store: storeFor(context),
        deadline: '10s',
        limits: [{ name: 'address', limit: window(10, '1m') }],
      })
      const routes = new RouteTable({
        'POST /login': { throttle: { name: 'address', limit: window(5, '10m') } },
        '/rate': { throttle: { name: 'address', limit: gcra({ rate: 1, per: '1m', burst: 3 }) } },
      })
      const engine = engineWith(guard, { routes })
      const admitted = { login: 0, other: 0, rate: 0 }
      const isAdmitted = async (shape: Parameters<typeof open>[1]): Promise<number> =>
        (await engine.decide(open(engine, shape))).effect === 'allow' ? 1 : 0
      for (let i = 0; i < 20; i++) {
        admitted.login += await isAdmitted({ method: 'POST', target: '/login' })
        admitted.other += await isAdmitted({ target: '/' })
        admitted.rate += await isAdmitted({ target: '/rate' })
      }
      assert.deepEqual(admitted, { login: 5, other: 10, rate: 3 })
      await guard.reset('192.0.2.1', 'address')
      assert.equal((await guard.peek('address', '192.0.2.1'))?.remaining, 10)
      assert.equal((await guard.peek('address', '192.0.2.1', window(5, '10m')))?.remaining, 5)
      await guard.close()
    })

    test('attack: a cost without end takes the decisions down that are made beside it', async context => {
      const store = storeFor(context)
      for (const rule of [
        window(10, '1m'),
        gcra({ rate: 1, burst: 10 }),
        concurrency(10),
        window(100_000, '1m'),
      ])
        for (const cost of [Number.POSITIVE_INFINITY, Number.MAX_VALUE, 2 ** 53]) {
          const [endless, honest] = await Promise.all([
            ask(store, [NAME, `a ${cost}`, rule, cost], [NAME, `b ${cost}`, rule, 1]),
            ask(store, [NAME, `honest ${cost}`, rule, 1]),
          ])
          assert.equal(endless.refused, 0)
          assert.ok(Number.isFinite(endless.retryAfter[0]) && (endless.retryAfter[0] ?? 0) > 0)
          assert.equal(honest.refused, -1)
        }
    })

    test('attack: two keys that a server reads as one take the decisions down that are made beside them', async context => {
      const store = storeFor(context)
      const rule = window(2, '1m')
      for (const [one, other] of [
        ['\ud800', '\udfff'],
        ['a\0', 'a\\0'],
        ['\ufffd', 'x\ud800'],
      ] as const) {
        const answers = await Promise.all([
          ask(store, [NAME, one, rule, 1], [NAME, other, rule, 1]),
          ask(store, [NAME, `honest ${one.length}${other.length}`, rule, 1]),
        ])
        for (const { refused } of answers) assert.equal(refused, -1)
        const again = await ask(store, [NAME, one, rule, 0], [NAME, other, rule, 0])
        assert.deepEqual([...again.remaining.slice(0, 2)], [1, 1])
      }
    })
  })
