import assert from 'node:assert/strict'
import { test } from 'node:test'
import { connectRedis, openSqlite, redisReady } from '@postern/store'
import { startRedis } from '../../../test/services.ts'
import { until } from '../../../test/until.ts'
import { laterIdentity } from '../src/built-in-entry.ts'

test('readiness says that nobody is known while the Redis that has the sessions is away', async t => {
  const password = 'readiness-of-a-test'
  const server = await startRedis({ password })
  t.after(() => server.stop())
  const redis = connectRedis({ url: server.url })
  t.after(() => redis.disconnect())
  await redisReady(redis, '20s')
  const database = openSqlite({ path: ':memory:' })
  t.after(() => database.close())
  const identity = await laterIdentity({
    origin: 'http://localhost:8080',
    database,
    secret: '5c'.repeat(32),
    mailer: { send: async () => {} },
    sessions: { redis },
  })
  t.after(() => identity.close())
  assert.deepEqual(identity.health(), { name: 'built-in identity', ok: true, required: true })
  await server.stop()
  await until(() => redis.status !== 'ready')
  const { ok, required, detail } = identity.health()
  assert.deepEqual([ok, required], [false, true])
  assert.match(detail ?? '', /redis, which has the sessions, is not connected/)
  const again = await startRedis({ password, port: server.port })
  t.after(() => again.stop())
  await until(() => identity.health().ok)
})
