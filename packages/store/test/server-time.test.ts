import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type Clock, systemClock, VirtualClock } from '@postern/core'
import {
  connectPostgres,
  connectRedis,
  postgresTime,
  redisReady,
  redisTime,
  ServerTime,
} from '@postern/store'
import { HOSTILE_OPERATORS } from '../../../test/hostile-operators.ts'
import { freshDatabase, services } from '../../../test/services.ts'

const HOUR = 3_600_000
const hourBack: Clock = { ...systemClock, now: () => systemClock.now() - HOUR }

describe("a server's time", () => {
  test('is read from PostgreSQL and from Redis, whatever this machine believes', async t => {
    const database = connectPostgres({ url: await freshDatabase(t), max: 1 })
    t.after(() => database.close())
    const redis = connectRedis({ url: (await services()).redis })
    t.after(() => redis.disconnect())
    await redisReady(redis)
    for (const time of [postgresTime, redisTime] as const) {
      const read = time as (store: unknown, clock?: Clock) => ServerTime
      const store: unknown = time === postgresTime ? database : redis
      assert.equal(await read(store).ahead(), 0)
      assert.ok(Math.abs((await read(store, hourBack).ahead()) - HOUR) < 60_000)
    }
  })

  test('is read with PostgreSQL’s own operators, whatever others stand in the schema public', async t => {
    const database = connectPostgres({ url: await freshDatabase(t), max: 1 })
    t.after(() => database.close())
    await database.query(HOSTILE_OPERATORS)
    assert.equal(await postgresTime(database).ahead(), 0)
  })

  test('is asked again when the clock of this machine was set, and not before', async () => {
    const clock = new VirtualClock()
    let server = clock.now()
    let asked = 0
    const time = new ServerTime(async () => {
      asked++
      return server
    }, clock)
    assert.equal(time.known, undefined)
    assert.equal(await time.ahead(), 0)
    clock.advance(10_000)
    server += 10_000
    assert.equal(await time.ahead(), 0)
    assert.equal(asked, 1)
    clock.step(clock.now() + HOUR)
    assert.equal(time.known, undefined)
    assert.equal(await time.ahead(), -HOUR)
    clock.advance(30_000)
    server += 30_000
    assert.equal(time.known, undefined)
    assert.equal(await time.ahead(), -HOUR)
    assert.equal(asked, 3)
  })

  test('is one value as long as the clocks run alike', async () => {
    const clock = new VirtualClock()
    let drift = 0
    const time = new ServerTime(async () => clock.now() + HOUR + drift, clock)
    assert.equal(await time.measure(), HOUR)
    drift = 900
    assert.equal(await time.measure(), HOUR)
    drift = 1_100
    assert.equal(await time.measure(), HOUR + 1_100)
    drift = -HOUR + 900
    assert.equal(await time.measure(), 0)
  })
})
