import assert from 'node:assert/strict'
import { test } from 'node:test'
import { connectRedis, redisReady } from '@postern/store'
import { startRedis } from '../../../test/services.ts'
import { parseActor } from '../src/actor-text.ts'
import { redisRemediations } from '../src/redis-remediations.ts'
import { RemediationStore } from '../src/remediation-store.ts'
import { exchangeFrom, nextChange } from './support.ts'

test('when Redis goes away and comes back empty, bans in force hold, and instances agree again after', async t => {
  const password = 'test'.repeat(5)
  const server = await startRedis({ password })
  const connections = [connectRedis({ url: server.url }), connectRedis({ url: server.url })] as const
  const [one, two] = await Promise.all(
    connections.map(redis => RemediationStore.open({ table: redisRemediations({ redis }) })),
  )
  assert.ok(one !== undefined && two !== undefined)
  t.after(async () => {
    await one.close()
    await two.close()
    for (const redis of connections) redis.disconnect()
  })
  const heard = nextChange(two, 'added')
  await one.add({ actor: parseActor('192.0.2.1'), for: '1h', reason: '' })
  await heard
  await server.stop()
  assert.notEqual(two.find(exchangeFrom('192.0.2.1')), undefined)
  await assert.rejects(one.add({ actor: parseActor('192.0.2.2'), for: '1h', reason: '' }), {
    code: 'POSTERN_STORE',
  })
  one.apply({
    scenario: 's',
    title: 'S',
    severity: 'high',
    actor: { kind: 'address', value: '192.0.2.3' },
    count: 1,
    requests: [],
    respond: { measure: 'block', duration: 600_000 },
  })
  assert.notEqual(one.find(exchangeFrom('192.0.2.3')), undefined, 'found here, so it holds here')

  const told = nextChange(two, 'added')
  const again = await startRedis({ password, port: server.port })
  t.after(() => again.stop())
  assert.equal((await told).actor.value, '192.0.2.3')
  assert.notEqual(two.find(exchangeFrom('192.0.2.1')), undefined, 'not dropped because the table is empty')
  await Promise.all(connections.map(redis => redisReady(redis)))
  await one.reload()
  await one.flush()
  const three = await RemediationStore.open({ table: redisRemediations({ redis: connections[0] }) })
  assert.deepEqual(
    three
      .list()
      .map(one => one.actor.value)
      .sort(),
    ['192.0.2.1', '192.0.2.3'],
  )
  await three.close()
})
