import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, test } from 'node:test'
import type { Remediation } from '@postern/core'
import { openSqlite } from '@postern/store'
import { parseActor } from '../../src/actor-text.ts'
import { bouncerKeys } from '../../src/crowdsec/bouncer-keys.ts'
import { crowdsecApi } from '../../src/crowdsec/crowdsec-api.ts'
import { DecisionLog } from '../../src/crowdsec/decision-log.ts'
import { RemediationStore } from '../../src/remediation-store.ts'

const idsOf = (list: readonly Remediation[]): readonly string[] => list.map(({ id }) => id)

describe('the changes that a bouncer has not seen', () => {
  test('include a lifted ban although a challenge of the same actor stays', async () => {
    const store = await RemediationStore.open()
    const log = new DecisionLog(store)
    const actor = parseActor('192.0.2.1')
    const ban = await store.add({ actor, for: '1h', reason: '' })
    await store.add({ actor, for: '1h', reason: '', measure: 'challenge' })
    log.start('nginx')
    await store.remove(ban.id)
    assert.deepEqual(idsOf(log.next('nginx').removed), [ban.id])
    log.close()
    await store.close()
  })

  test('of a network include its lifting, although a wider one is still in force', async () => {
    const store = await RemediationStore.open()
    const log = new DecisionLog(store)
    await store.add({ actor: parseActor('10.0.0.0/8'), for: '1h', reason: '' })
    const narrow = await store.add({ actor: parseActor('10.9.0.0/16'), for: '1h', reason: '' })
    log.start('nginx')
    await store.remove(narrow.id)
    assert.deepEqual(idsOf(log.next('nginx').removed), [narrow.id])
    log.close()
    await store.close()
  })

  test('are added and lifted once each, however often they changed meanwhile', async () => {
    const store = await RemediationStore.open()
    const log = new DecisionLog(store)
    log.start('nginx')
    const gone = await store.add({ actor: parseActor('192.0.2.1'), for: '1h', reason: '' })
    await store.remove(gone.id)
    const kept = await store.add({ actor: parseActor('192.0.2.2'), for: '1h', reason: '' })
    const { added, removed } = log.next('nginx')
    assert.deepEqual([idsOf(added), idsOf(removed)], [[kept.id], [gone.id]])
    log.close()
    await store.add({ actor: parseActor('192.0.2.3'), for: '1h', reason: '' })
    assert.deepEqual(idsOf(log.next('nginx').added), [], 'a closed log hears no more')
    await store.close()
  })

  test('are bounded: who fell behind gets everything, who did not gets what it missed', () => {
    let change: Parameters<RemediationStore['listen']>[0] = () => {}
    const all: Remediation[] = []
    const log = new DecisionLog({
      listen: (listener: typeof change) => {
        change = listener
        return () => {}
      },
      list: () => all.slice(0, 1),
      isProtected: () => false,
      why: () => [],
    })
    const happen = (count: number): void => {
      for (let i = 0; i < count; i++) {
        const remediation: Remediation = {
          id: `r${all.length}`,
          actor: { kind: 'principal', value: `p${all.length}` },
          measure: 'block',
          reason: '',
          origin: 'manual',
          createdAt: 0,
          expiresAt: 1,
        }
        all.push(remediation)
        change({ kind: 'added', remediation, cause: 'here' })
      }
    }
    log.start('behind')
    happen(60_000)
    log.start('near')
    happen(40_001)
    const near = log.next('near').added
    assert.equal(near.length, 40_001)
    assert.deepEqual([near[0]?.id, near.at(-1)?.id], ['r60000', 'r100000'])
    assert.deepEqual(idsOf(log.next('behind').added), ['r0'], 'all that is in force')
    assert.deepEqual(idsOf(log.next('near').added), [])
  })

  test('are kept for the 1,000 bouncers that asked last', async () => {
    const store = await RemediationStore.open()
    await store.add({ actor: parseActor('192.0.2.1'), for: '1h', reason: '' })
    const log = new DecisionLog(store)
    for (let i = 0; i < 1_000; i++) log.start(`bouncer ${i}`)
    assert.deepEqual(log.next('bouncer 0').added, [], 'asks again, so that it is the newest')
    log.start('one more')
    assert.deepEqual(log.next('bouncer 0').added, [])
    assert.equal(log.next('bouncer 1').added.length, 1, 'forgotten, and gets everything')
    log.close()
    await store.close()
  })
})

describe('CrowdSec’s local API that fails', () => {
  const serveOnce = async (
    t: import('node:test').TestContext,
    spoil: 'keys' | 'answer',
  ): Promise<{ readonly url: string; readonly key: string; readonly errors: readonly unknown[] }> => {
    const store = await RemediationStore.open()
    const database = openSqlite({ path: ':memory:' })
    const keys = await bouncerKeys(database)
    const key = await keys.create('nginx')
    const errors: unknown[] = []
    const api = crowdsecApi({ store, keys, onError: error => errors.push(error) })
    const server = createServer((request, response) => {
      if (spoil === 'answer')
        response.end = () => {
          throw new Error('the answer cannot be written')
        }
      api.handle(request, response)
    })
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    if (spoil === 'keys') database.close()
    t.after(async () => {
      server.closeAllConnections()
      server.close()
      api.close()
      await store.close()
      if (spoil !== 'keys') database.close()
    })
    return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, key, errors }
  }

  test('answers 500 without the cause, which it reports', async t => {
    const { url, key, errors } = await serveOnce(t, 'keys')
    const response = await fetch(`${url}/v1/decisions`, { headers: { 'X-Api-Key': key } })
    assert.equal(response.status, 500)
    assert.deepEqual(await response.json(), { message: 'not available' })
    assert.equal(errors.length, 1)
  })

  test('cuts the connection when the answer has begun', async t => {
    const { url, key, errors } = await serveOnce(t, 'answer')
    const cut = assert.rejects(
      fetch(`${url}/v1/decisions`, {
        headers: { 'X-Api-Key': key },
        signal: AbortSignal.timeout(30_000),
      }).then(response => response.text()),
      (error: Error) => error.name !== 'TimeoutError',
    )
    await cut
    assert.equal(errors.length, 1)
  })
})
