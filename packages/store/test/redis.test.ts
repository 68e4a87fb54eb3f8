import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { describe, test } from 'node:test'
import { inspect } from 'node:util'
import { ConfigError, StoreError } from '@postern/core'
import { Redis } from 'ioredis'
import { freePort } from '../../../test/local-server.ts'
import { freshPrefix, services, startRedis } from '../../../test/services.ts'
import { until } from '../../../test/until.ts'
import {
  connectRedis,
  type RedisConnection,
  redisError,
  redisName,
  redisReady,
  redisTrouble,
} from '../src/index.ts'

const closing = (redis: RedisConnection): Promise<void> =>
  new Promise(resolve => redis.once('close', () => resolve()))

describe('a Redis connection', () => {
  test('takes commands before it is made, and names itself without credentials', async t => {
    const { redis: url } = await services()
    const redis = connectRedis({ url })
    t.after(() => redis.disconnect())
    const key = `${freshPrefix(t)}greeting`
    const [, value] = await Promise.all([redis.set(key, 'hello'), redis.get(key)])
    assert.equal(value, 'hello')
    assert.equal(redisName(redis), `redis 127.0.0.1:${new URL(url).port}`)
    assert.equal(redis.status, 'ready')
  })

  test('keeps its subscriptions when it is made again', async t => {
    const server = await startRedis({ password: 'subscribers' })
    const redis = connectRedis({ url: server.url })
    const subscriber = connectRedis({ url: server.url })
    t.after(() => {
      redis.disconnect()
      subscriber.disconnect()
    })
    await subscriber.subscribe('bans')
    await server.stop()
    const again = await startRedis({ port: server.port, password: 'subscribers' })
    t.after(() => again.stop())
    await Promise.all([redisReady(redis, '20s'), redisReady(subscriber, '20s')])
    const heard = once(subscriber, 'message')
    await until(async () => (await redis.publish('bans', '203.0.113.9')) !== 0)
    assert.deepEqual(await heard, ['bans', '203.0.113.9'])
  })

  test('speaks to a cluster when given several addresses', async t => {
    const node = await startRedis({ settings: ['cluster-enabled yes', 'cluster-announce-ip 127.0.0.1'] })
    t.after(() => node.stop())
    const single = new Redis(node.url)
    await single.call('CLUSTER', 'ADDSLOTSRANGE', '0', '16383')
    const redis = connectRedis({ url: [node.url] })
    t.after(() => {
      redis.disconnect()
      single.disconnect()
    })
    await redisReady(redis, '20s')
    await redis.set('{a}1', 'x')
    assert.equal(await redis.get('{a}1'), 'x')
    assert.equal(redis.status, 'ready')
    const closed = closing(redis)
    await single.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
    await closed
    await redisReady(redis, '20s')
    assert.equal(await redis.get('{a}1'), 'x')
  })
})

describe('one address', () => {
  const clustered = { settings: ['cluster-enabled yes', 'cluster-announce-ip 127.0.0.1'] }
  test('of a cluster is connected to as a cluster', async t => {
    const node = await startRedis(clustered)
    t.after(() => node.stop())
    const raw = new Redis(node.url)
    await raw.call('CLUSTER', 'ADDSLOTSRANGE', '0', '16383')
    raw.disconnect()
    const redis = connectRedis({ url: node.url })
    t.after(() => redis.disconnect())
    await redisReady(redis, '20s')
    assert.ok('nodes' in redis, 'a cluster')
    await redis.set('{a}1', 'x')
    assert.equal(await redis.get('{a}1'), 'x')
  })

  test('of a cluster that is away at first is connected to as a cluster once it is there', async t => {
    const port = await freePort()
    const redis = connectRedis({ url: `redis://:late@127.0.0.1:${port}` })
    t.after(() => redis.disconnect())
    await assert.rejects(redisReady(redis, '300ms'), StoreError)
    const node = await startRedis({ ...clustered, port, password: 'late' })
    t.after(() => node.stop())
    const raw = new Redis(node.url)
    await raw.call('CLUSTER', 'ADDSLOTSRANGE', '0', '16383')
    raw.disconnect()
    await redisReady(redis, '20s')
    await redis.set('{b}1', 'y')
    assert.ok('nodes' in redis)
  })

  test('of a Sentinel leads to the primary', async t => {
    const primary = await startRedis()
    t.after(() => primary.stop())
    const { port, password } = new URL(primary.url)
    const sentinel = await startRedis({
      sentinel: [`sentinel monitor mymaster 127.0.0.1 ${port} 1`, `sentinel auth-pass mymaster ${password}`],
    })
    t.after(() => sentinel.stop())
    const own = new URL(sentinel.url)
    const redis = connectRedis({
      url: `redis+sentinel://:${password}@127.0.0.1:${own.port}/mymaster?sentinelPassword=${own.password}`,
    })
    t.after(() => redis.disconnect())
    await redisReady(redis, '20s')
    assert.match(String(await redis.info('server')), new RegExp(`tcp_port:${port}`))
  })

  test('of Sentinels leads to the primary when the first answers nothing, and all were away', async t => {
    const silent = createServer(socket => void socket.on('error', () => undefined)).listen(0, '127.0.0.1')
    await once(silent, 'listening')
    t.after(() => silent.close())
    const primary = await startRedis()
    t.after(() => primary.stop())
    const { port, password } = new URL(primary.url)
    const free = await freePort()
    const { port: silentPort } = silent.address() as AddressInfo
    const redis = connectRedis({
      url: [silentPort, free].map(
        one => `redis+sentinel://:${password}@127.0.0.1:${one}/mymaster?sentinelPassword=${password}`,
      ),
    })
    t.after(() => redis.disconnect())
    const [error] = (await once(redis, 'error')) as [Error]
    assert.match(error.message, /All sentinels are unreachable/)
    const sentinel = await startRedis({
      port: free,
      password,
      sentinel: [`sentinel monitor mymaster 127.0.0.1 ${port} 1`, `sentinel auth-pass mymaster ${password}`],
    })
    t.after(() => sentinel.stop())
    await redisReady(redis, '20s')
    assert.match(String(await redis.info('server')), new RegExp(`tcp_port:${port}`))
  })
})

describe('a Redis that cannot be used', () => {
  const told = async (url: string, within: string): Promise<StoreError> => {
    const redis = connectRedis({ url, connectTimeout: '200ms' })
    try {
      const error: unknown = await redisReady(redis, within).catch((thrown: unknown) => thrown)
      assert.ok(error instanceof StoreError, String(error))
      assert.notEqual(redis.status, 'ready')
      assert.doesNotMatch(inspect(error, { depth: 9 }), /secret-word/)
      return error
    } finally {
      redis.disconnect()
    }
  }

  test('with a wrong password says so at once, without it', async () => {
    const url = new URL((await services()).redis)
    url.password = 'secret-word'
    const error = await told(url.href, '20s')
    assert.equal(error.retryable, false)
    assert.match(error.message, /^redis 127\.0\.0\.1:\d+: refused the user or password/)
  })

  test('without a password where one is needed says the same', async () => {
    const url = new URL((await services()).redis)
    url.password = ''
    assert.match((await told(url.href, '20s')).message, /refused the user or password/)
  })

  test('that is not running is worth another try', async () => {
    const error = await told(`redis://:secret-word@127.0.0.1:${await freePort()}`, '100ms')
    assert.equal(error.retryable, true)
    assert.match(error.message, /is not reachable; is it running/)
  })

  test('that expects TLS, or knows none, says that the scheme may be wrong', async t => {
    const plain = new URL((await services()).redis)
    assert.match((await told(`rediss://${plain.host}`, '5s')).message, /gave no connection in time.*rediss:/)
    // What a server does that expects TLS: Redis closes such a connection without a word.
    const secure = createServer(socket => socket.once('data', () => socket.destroy()))
    await once(secure.listen(0, '127.0.0.1'), 'listening')
    t.after(() => secure.close())
    const { port } = secure.address() as AddressInfo
    const error = await told(`redis://127.0.0.1:${port}`, '500ms')
    assert.match(error.message, /closed the connection at once; does the scheme/)
    assert.equal(error.retryable, true)
  })

  for (const url of ['', 'localhost:6379', 'http://u:secret-word@h', 'redis://ok,secret-word'])
    test(`with the address ${JSON.stringify(url)} is refused without repeating it`, () => {
      assert.throws(
        () => connectRedis({ url }),
        (error: unknown) => error instanceof ConfigError && !/secret-word/.test(error.message),
      )
    })

  test('as a cluster of no address is refused', () => {
    assert.throws(() => connectRedis({ url: [] }), ConfigError)
  })
})

describe('a Redis that fails while it is used', () => {
  test('stalls: commands end at their deadline, and nothing piles up behind them', async t => {
    const server = await startRedis()
    t.after(() => server.stop())
    const redis = connectRedis({ url: server.url, commandTimeout: '50ms' })
    t.after(() => redis.disconnect())
    await redisReady(redis)
    server.signal('SIGSTOP')
    const closed = closing(redis)
    const results = await Promise.allSettled(Array.from({ length: 100 }, () => redis.incr('n')))
    for (const result of results) {
      assert.ok(result.status === 'rejected')
      const error = redisError(result.reason, redis)
      assert.ok(error instanceof StoreError && error.retryable)
    }
    await closed
    await assert.rejects(redis.incr('n'), 'without a connection a command fails at once')
    server.signal('SIGCONT')
    await redisReady(redis, '20s')
    assert.ok(Number(await redis.incr('n')) <= 101, 'no command was sent twice')
  })

  test('dies: commands fail at once, and work again when it is back', async t => {
    const server = await startRedis({ password: 'same' })
    const redis = connectRedis({ url: server.url })
    t.after(() => redis.disconnect())
    await redisReady(redis)
    const closed = closing(redis)
    server.signal('SIGKILL')
    await closed
    await assert.rejects(redis.get('x'), (error: unknown) => {
      const translated = redisError(error, redis)
      return (
        translated instanceof StoreError &&
        translated.retryable &&
        /is not connected/.test(translated.message)
      )
    })
    await server.stop()
    const again = await startRedis({ port: server.port, password: 'same' })
    t.after(() => again.stop())
    await redisReady(redis, '20s')
    assert.equal(await redis.get('x'), null)
  })

  test('says of a command without a connection why there is none', async t => {
    const server = await startRedis({ password: 'before' })
    const redis = connectRedis({ url: server.url })
    t.after(() => redis.disconnect())
    await redisReady(redis)
    const said = async (): Promise<string> => {
      const error = await redis.get('x').catch((thrown: unknown) => redisError(thrown, redis))
      return error instanceof StoreError && error.retryable ? error.message : ''
    }
    await redis.config('SET', 'requirepass', 'after')
    const closed = closing(redis)
    await redis.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'no').catch(() => undefined)
    await closed
    await until(async () => /refused the user or password/.test(await said()))
    assert.equal(`${redisName(redis)}: ${redisTrouble(redis)}`, await said())
    server.signal('SIGKILL')
    await until(async () => /is not reachable/.test(await said()))
    await server.stop()
    const again = await startRedis({ port: server.port, password: 'before' })
    t.after(() => again.stop())
    await redisReady(redis, '20s')
    assert.equal(redisTrouble(redis), undefined)
  })

  test('refuses a command without repeating what was in it', async t => {
    const { redis: url } = await services()
    const redis = connectRedis({ url })
    t.after(() => redis.disconnect())
    const error: unknown = await redis.call('NOSUCH', 'secret-word').catch((thrown: unknown) => thrown)
    const translated = redisError(error, redis)
    assert.ok(translated instanceof StoreError && !translated.retryable)
    assert.doesNotMatch(inspect(translated, { depth: 9 }), /secret-word/)
  })
})
