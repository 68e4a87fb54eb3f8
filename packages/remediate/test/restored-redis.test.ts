import assert from 'node:assert/strict'
import { test } from 'node:test'
import { connectRedis, redisReady } from '@postern/store'
import { BareRedis, freshPrefix, services } from '../../../test/services.ts'
import { parseActor } from '../src/actor-text.ts'
import { redisRemediations } from '../src/redis-remediations.ts'
import { RemediationStore } from '../src/remediation-store.ts'
import { exchangeFrom, nextChange } from './support.ts'

/** The keys of a prefix as they are now, and how to make them that again. */
async function snapshot(redis: BareRedis, prefix: string): Promise<() => Promise<void>> {
  const keys = await redis.keys(`{${prefix}:*`)
  const dumps = await Promise.all(keys.map(key => redis.dumpBuffer(key)))
  return async () => {
    const now = await redis.keys(`{${prefix}:*`)
    if (now.length > 0) await redis.del(...now)
    for (const [i, key] of keys.entries()) await redis.restore(key, 0, dumps[i] as Buffer)
  }
}

test('when Redis comes back with an older snapshot, bans set since hold, and those lifted since do not', {
  timeout: 30_000,
}, async t => {
  const { redis: url } = await services()
  const prefix = freshPrefix(t)
  const bare = new BareRedis(url)
  const connections = [connectRedis({ url }), connectRedis({ url })] as const
  const [one, two] = (await Promise.all(
    connections.map(redis => RemediationStore.open({ table: redisRemediations({ redis, prefix }) })),
  )) as [RemediationStore, RemediationStore]
  t.after(async () => {
    await one.close()
    await two.close()
    bare.disconnect()
    for (const redis of connections) redis.disconnect()
  })
  await Promise.all(connections.map(redis => redisReady(redis)))
  const ban = (address: string): Promise<unknown> =>
    one.add({ actor: parseActor(address), for: '1h', reason: '' })
  await ban('192.0.2.1')
  await ban('192.0.2.2')
  const restore = await snapshot(bare, prefix)
  const told = nextChange(two, 'added')
  await ban('192.0.2.3')
  await told
  await one.remove(parseActor('192.0.2.2'))

  await restore()
  // What the other reads meanwhile must not keep the first from noticing.
  await two.add({ actor: parseActor('192.0.2.4'), for: '1h', reason: '' })
  await one.reload()
  await one.flush()
  await two.reload()
  for (const store of [one, two]) {
    const held = ['1', '2', '3', '4'].filter(last => store.find(exchangeFrom(`192.0.2.${last}`)))
    assert.deepEqual(held, ['1', '3', '4'])
  }
  const three = await RemediationStore.open({ table: redisRemediations({ redis: connections[0], prefix }) })
  t.after(() => three.close())
  assert.equal(three.list().length, 3)
})
