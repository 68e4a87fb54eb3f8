import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkConfig, configOfText } from '@postern/config'
import { systemClock } from '@postern/core'
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

test('postern doctor says that a Redis forgets sessions and revocations when it is full', async t => {
  const server = await startRedis({ settings: ['maxmemory 100mb', 'maxmemory-policy allkeys-lru'] })
  t.after(() => server.stop())
  const file = configOfText('postern.config.yaml', `stores: { redis: "${server.url}" }`)
  const [answers, eviction] = await checkStores(checkConfig(file, {}).config)
  assert.equal(answers?.state, 'ok')
  assert.equal(eviction?.state, 'warn')
  assert.match(eviction?.detail ?? '', /forgets what it has no room for \(allkeys-lru\)/)
})
