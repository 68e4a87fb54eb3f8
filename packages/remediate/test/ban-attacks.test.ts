import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type Finding, type Remediation, VirtualClock } from '@postern/core'
import { parseActor } from '../src/actor-text.ts'
import { DecisionLog } from '../src/crowdsec/decision-log.ts'
import { exportToCloudflare } from '../src/export/cloudflare-list.ts'
import { followWithNftables, nftablesScript } from '../src/export/nftables.ts'
import { isSolution } from '../src/proof-of-work.ts'
import { remediationGuard } from '../src/remediation-guard.ts'
import { RemediationStore } from '../src/remediation-store.ts'
import type { RemediationTable } from '../src/remediation-table.ts'
import { exchangeFrom } from './support.ts'

const ADDRESS = '192.0.2.7'

function finding(
  scenario: string,
  measure: Remediation['measure'],
  value = ADDRESS,
  duration = 900_000,
): Finding {
  const actor = { kind: 'address', value } as const
  const respond = { measure, duration }
  return { scenario, title: scenario, severity: 'medium', actor, count: 1, requests: [], respond }
}

describe('a client that collects remediations', () => {
  test('is blocked nevertheless, by a scenario and by a person', async () => {
    const store = await RemediationStore.open({ clock: new VirtualClock() })
    for (let n = 0; n < 20; n++) store.apply(finding(`mild-${n}`, n % 2 === 0 ? 'throttle' : 'challenge'))
    store.apply(finding('bad', 'block'))
    assert.equal(store.strongest({ address: ADDRESS })?.measure, 'block')
    for (let n = 0; n < 20; n++) store.apply(finding(`hard-${n}`, 'block', ADDRESS, 86_400_000))
    const ban = await store.add({ actor: parseActor(ADDRESS), for: '1h', reason: 'by hand' })
    assert.ok(store.why({ address: ADDRESS }).some(({ id }) => id === ban.id))
    assert.ok(store.why({ address: ADDRESS }).length <= 16)
    await store.close()
  })

  test('does not get rid of a throttle by solving the puzzle of a challenge', async () => {
    const clock = new VirtualClock()
    const store = await RemediationStore.open({ clock })
    store.apply(finding('much', 'throttle'))
    store.apply(finding('odd', 'challenge'))
    const guard = remediationGuard(store, {
      clock,
      difficulty: 8,
      throttle: { count: 6, per: '1m', burst: 2 },
    })
    const ask = (
      headers: readonly string[],
    ): { readonly effect: string; readonly headers?: readonly string[] } => {
      const said = guard.decide(exchangeFrom(ADDRESS, headers))
      assert.ok(!(said instanceof Promise))
      return said
    }
    const said = ask([])
    assert.equal(said.effect, 'challenge')
    const puzzle = said.headers?.[1] ?? ''
    let counter = 0
    while (!isSolution(`${puzzle}:${counter}`, 8)) counter++
    const exchange = exchangeFrom(ADDRESS, ['X-Postern-Solution', `${puzzle}:${counter}`])
    guard.decide(exchange)
    const cookie = /postern_clearance=[^;]+/.exec(exchange.replyHeaders?.join('\n') ?? '')?.[0] ?? ''
    assert.notEqual(cookie, '')
    const effects = Array.from({ length: 4 }, () => ask(['Cookie', cookie]).effect)
    assert.equal(effects.at(-1), 'throttle')
    await store.close()
  })
})

describe('an actor that is protected from now on', () => {
  test('is lifted where others enforce, too, and banned again when it is protected no longer', async () => {
    const clock = new VirtualClock()
    const store = await RemediationStore.open({ clock })
    store.apply(finding('bad', 'block'))
    store.apply(finding('bad', 'block', '192.0.2.8'))
    const log = new DecisionLog(store)
    const values = (list: readonly Remediation[]): readonly string[] =>
      list.map(({ actor }) => actor.value).sort()
    assert.deepEqual(values(log.start('nginx').added), [ADDRESS, '192.0.2.8'])
    store.protect({ addresses: [ADDRESS] })
    assert.deepEqual(values(log.next('nginx').removed), [ADDRESS])
    assert.deepEqual(values(log.start('nginx').added), ['192.0.2.8'])
    assert.ok(!nftablesScript(store, clock.now()).includes(ADDRESS))
    store.protect({})
    assert.deepEqual(values(log.next('nginx').added), [ADDRESS])
    await store.close()
  })

  test('is not caught by a list that takes only wider networks', async () => {
    const clock = new VirtualClock()
    const store = await RemediationStore.open({ clock, protect: { addresses: ['2001:db8::1'] } })
    store.apply(finding('bad', 'block', '2001:db8::bad'))
    store.apply(finding('bad', 'block', '2001:db8:7::1'))
    const sent: unknown[] = []
    await exportToCloudflare({
      store,
      account: 'a'.repeat(32),
      list: 'b'.repeat(32),
      token: 'token',
      clock,
      wait: async () => {},
      fetch: async (_url, init) => {
        if (init?.method === 'POST') sent.push(...(JSON.parse(String(init.body)) as unknown[]))
        const result = init?.method === 'POST' ? { operation_id: 'x' } : { status: 'completed' }
        return Response.json({ success: true, result })
      },
    })
    assert.deepEqual(
      sent.map(item => (item as { readonly ip: string }).ip),
      ['2001:db8:7::/56'],
    )
    await store.close()
  })
})

describe('a ban that stands beside another', () => {
  test('of the same network is not lifted by a bouncer when the other ends', async () => {
    const clock = new VirtualClock()
    const store = await RemediationStore.open({ clock })
    store.apply(finding('short', 'block', '2001:db8::1', 60_000))
    store.apply(finding('long', 'block', '2001:db8::2', 3_600_000))
    const log = new DecisionLog(store)
    log.start('nginx')
    clock.advance(61_000)
    store.sweep()
    assert.deepEqual(log.next('nginx').removed, [])
    await store.close()
  })

  test('of a wider network comes back to the kernel when that ends first', async () => {
    const clock = new VirtualClock()
    const store = await RemediationStore.open({ clock })
    await store.add({ actor: parseActor('192.0.2.0/24'), for: '1m', reason: 'flood' })
    await store.add({ actor: parseActor(ADDRESS), for: '1d', reason: 'mallory' })
    const scripts: string[] = []
    const ran = new Set<() => void>()
    const stop = followWithNftables({
      store,
      clock,
      settle: '1ms',
      run: async script => {
        scripts.push(script)
        for (const tell of ran) tell()
      },
      onError: error => assert.fail(String(error)),
    })
    await new Promise(resolve => setImmediate(resolve))
    const again = new Promise<void>(resolve => ran.add(resolve))
    clock.advance(61_000)
    store.sweep()
    const limit = new Promise<void>(resolve => setTimeout(resolve, 5_000).unref())
    await Promise.race([again, limit])
    assert.ok(scripts.at(-1)?.includes(`${ADDRESS} timeout`))
    await stop()
    await store.close()
  })
})

describe('a flood of bans', () => {
  test('that the table cannot take at once is forgotten by no later read of it', async () => {
    const clock = new VirtualClock()
    const kept = new Map<string, Remediation>()
    let isAway = true
    const table: RemediationTable = {
      name: 'slow',
      load: async () => [...kept.values()],
      put: async remediation => {
        if (isAway) await new Promise(() => {})
        kept.set(remediation.id, remediation)
      },
      remove: async () => {},
      watch: async () => {},
      close: async () => {},
    }
    const store = await RemediationStore.open({ clock, table })
    const addresses = Array.from({ length: 10_500 }, (_, n) => `10.${n >> 16}.${(n >> 8) & 255}.${n & 255}`)
    for (const address of addresses) store.apply(finding('bad', 'block', address))
    clock.advance(1_000)
    isAway = false
    await store.reload()
    const held = addresses.filter(address => store.strongest({ address }) !== undefined)
    assert.equal(held.length, addresses.length)
  })
})
