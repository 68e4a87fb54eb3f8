import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type Server } from 'node:net'
import { test } from 'node:test'
import { checkConfig, configOfText } from '@postern/config'
import { systemClock } from '@postern/core'
import { connectPostgres } from '@postern/store'
import { freshDatabase, services, startRedis } from '../../../test/services.ts'
import { checkStores } from '../src/doctor/check-stores.ts'

test('postern doctor says when the clock of a store and that of this machine differ', async t => {
  const url = await freshDatabase(t)
  const { redis } = await services()
  const file = configOfText('postern.config.yaml', `stores: { postgres: "${url}", redis: "${redis}" }`)
  const { config } = checkConfig(file, {})
  const shown = async (ms: number): Promise<readonly string[]> => {
    const clock = { ...systemClock, now: () => systemClock.now() + ms }
    return (await checkStores(config, clock)).map(
      ({ check, state, detail }) => `${check} ${state}: ${detail}`,
    )
  }
  assert.deepEqual(await shown(0), [
    'postgres ok: answers',
    'redis ok: answers',
    'redis eviction ok: evicts nothing',
  ])
  const [first, second] = await shown(-3_600_000)
  assert.match(first ?? '', /^postgres warn: answers, and its clock is 1h ahead of this machine's$/)
  assert.match(second ?? '', /^redis warn: .* 1h ahead/)
  assert.match((await shown(3_600_000))[1] ?? '', /redis warn: .* 1h behind this machine's$/)
})

test('postern doctor says who may create in a schema that Postern searches', async t => {
  const url = await freshDatabase(t)
  const database = connectPostgres({ url, max: 1 })
  t.after(() => database.close())
  const { config } = checkConfig(configOfText('postern.config.yaml', `stores: { postgres: "${url}" }`), {})
  const said = async (): Promise<readonly string[]> =>
    (await checkStores(config)).flatMap(({ check, state, detail }) =>
      check === 'postgres schema' ? [`${state}: ${detail.replace(/:.*/, '')}`] : [],
    )
  assert.deepEqual(await said(), [])
  const role = `shop_${randomBytes(6).toString('hex')}`
  await database.query(`CREATE ROLE ${role} LOGIN`)
  await database.query(`GRANT CREATE ON SCHEMA public TO ${role}`)
  assert.deepEqual(await said(), [`warn: ${role} may create in "public"`])
  await database.query(`REVOKE CREATE ON SCHEMA public FROM ${role}`)
  await database.query(`DROP ROLE ${role}`)
  await database.query('GRANT CREATE ON SCHEMA public TO PUBLIC')
  assert.deepEqual(await said(), ['warn: everybody may create in "public"'])
})

test('postern doctor says that a Redis forgets sessions and revocations when it is full', async t => {
  const server = await startRedis({ settings: ['maxmemory 100mb', 'maxmemory-policy allkeys-lru'] })
  t.after(() => server.stop())
  const file = configOfText('postern.config.yaml', `stores: { redis: "${server.url}" }`)
  const [answers, eviction] = await checkStores(checkConfig(file, {}).config)
  assert.equal(answers?.state, 'ok')
  assert.equal(eviction?.state, 'warn')
  assert.match(eviction?.detail ?? '', /forgets what it has no room for \(allkeys-lru\)/)
})

test('postern doctor says that each instance counts limits for itself, where PostgreSQL is all that they share', async () => {
  const said = async (stores: string): Promise<readonly string[]> => {
    const { config } = checkConfig(configOfText('postern.config.yaml', `stores: ${stores}`), {})
    const findings = await checkStores(config)
    return findings.filter(({ check }) => check === 'limits').map(({ state, hint }) => `${state}: ${hint}`)
  }
  const url = 'postgres://127.0.0.1:1/nobody'
  const [warning = '', ...others] = await said(`{ postgres: "${url}" }`)
  assert.match(warning, /^warn: .*limits: postgres/)
  assert.deepEqual(others, [])
  assert.deepEqual(await said(`{ postgres: "${url}", limits: postgres }`), [])
  assert.deepEqual(await said(`{ postgres: "${url}", redis: "redis://127.0.0.1:1" }`), [])
  assert.deepEqual(await said('{}'), [])
})

const UNUSABLE: readonly (readonly [
  name: string,
  url: (redis: string, port: number) => string,
  RegExp,
  RegExp,
])[] = [
  ['nothing listens', () => 'redis://127.0.0.1:1', /is not reachable; is it running/, /stores\.redis/],
  ['an unknown name', () => 'redis://no.invalid', /is not reachable/, /check that it runs/],
  [
    'a wrong password',
    redis => redis.replace('redis://', 'redis://nobody:x@'),
    /refused the user or password/,
    /^correct stores\.redis/,
  ],
  ['a port of another server', (_, port) => `redis://127.0.0.1:${port}`, /another protocol/, /^correct/],
  ['no Sentinel', () => 'redis+sentinel://127.0.0.1:1/main', /no Sentinel of the URL is reachable/, /check/],
]
for (const [name, urlOf, problem, hint] of UNUSABLE)
  test(`postern doctor says in its own words why Redis cannot be used: ${name}`, async t => {
    const { redis } = await services()
    const other: Server = createServer(socket =>
      socket.on('data', () => socket.write('HTTP/1.1 400 Bad\r\n\r\n')),
    )
    t.after(() => other.close())
    await once(other.listen(0, '127.0.0.1'), 'listening')
    const address = other.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    const file = configOfText('postern.config.yaml', `stores: { redis: "${urlOf(redis, port)}" }`)
    const [found, ...more] = await checkStores(checkConfig(file, {}).config)
    assert.deepEqual([found?.state, more], ['bad', []])
    assert.match(found?.detail ?? '', problem)
    assert.match(found?.hint ?? '', hint)
    assert.doesNotMatch(JSON.stringify(found), /max retries|maxRetriesPerRequest/)
  })
