import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, type TestContext, test } from 'node:test'
import { VirtualClock } from '@postern/core'
import { openSqlite } from '@postern/store'
import fc from 'fast-check'
import { parseActor } from '../../src/actor-text.ts'
import { type BouncerKeys, bouncerKeys } from '../../src/crowdsec/bouncer-keys.ts'
import { crowdsecApi } from '../../src/crowdsec/crowdsec-api.ts'
import {
  type CrowdsecDecision,
  formatGoDuration,
  fromDecision,
  parseGoDuration,
  toDecision,
} from '../../src/crowdsec/crowdsec-decision.ts'
import { CrowdsecFeed } from '../../src/crowdsec/crowdsec-feed.ts'
import { RemediationStore } from '../../src/remediation-store.ts'

interface Api {
  readonly url: string
  readonly key: string
  readonly keys: BouncerKeys
  readonly store: RemediationStore
  readonly clock: VirtualClock
}

async function serve(t: TestContext): Promise<Api> {
  const clock = new VirtualClock()
  const store = await RemediationStore.open({ clock })
  const database = openSqlite({ path: ':memory:' })
  const keys = await bouncerKeys(database, { clock })
  const api = crowdsecApi({ store, keys, clock })
  const server = createServer((request, response) => api.handle(request, response))
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.after(async () => {
    server.closeAllConnections()
    server.close()
    api.close()
    await store.close()
    database.close()
  })
  const { port } = server.address() as AddressInfo
  return { url: `http://127.0.0.1:${port}`, key: await keys.create('nginx'), keys, store, clock }
}

async function ask(api: Api, path: string, key = api.key): Promise<{ status: number; body: unknown }> {
  const response = await fetch(`${api.url}${path}`, { headers: { 'X-Api-Key': key } })
  const text = await response.text()
  return { status: response.status, body: text === '' ? undefined : JSON.parse(text) }
}

interface Stream {
  readonly new: readonly CrowdsecDecision[] | null
  readonly deleted: readonly CrowdsecDecision[] | null
}
const stream = async (api: Api, query = ''): Promise<Stream> =>
  (await ask(api, `/v1/decisions/stream?${query}`)).body as Stream
const values = (list: readonly CrowdsecDecision[] | null): readonly string[] =>
  (list ?? []).map(one => one.value).sort()

describe('CrowdSec local API, as bouncers read it', () => {
  test('needs a key, tells nothing without, and changes nothing with', async t => {
    const api = await serve(t)
    for (const key of ['', 'wrong', 'x'.repeat(43), 'x'.repeat(5_000)])
      assert.deepEqual(await ask(api, '/v1/decisions', key), {
        status: 403,
        body: { message: 'access forbidden' },
      })
    assert.equal((await ask(api, '/v1/decisions')).body, null)
    for (const method of ['POST', 'DELETE', 'PUT']) {
      const response = await fetch(`${api.url}/v1/decisions`, { method, headers: { 'X-Api-Key': api.key } })
      assert.equal(response.status, 405)
    }
    assert.equal((await ask(api, '/v1/alerts')).status, 404)
    assert.equal((await fetch(`${api.url}/health`)).status, 200)
  })

  test('keys are shown once, kept as hashes, and can be revoked', async t => {
    const api = await serve(t)
    assert.equal(await api.keys.verify(api.key), 'nginx')
    await assert.rejects(api.keys.create('nginx'), { code: 'POSTERN_CONFIG' })
    await assert.rejects(api.keys.create('a b'), { code: 'POSTERN_CONFIG' })
    assert.deepEqual(
      (await api.keys.list()).map(one => one.name),
      ['nginx'],
    )
    assert.equal(await api.keys.revoke('nginx'), true)
    assert.equal(await api.keys.revoke('nginx'), false)
    assert.equal((await ask(api, '/v1/decisions')).status, 403)
  })

  test('gives a decision in CrowdSec’s words', async t => {
    const api = await serve(t)
    await api.store.add({ actor: parseActor('192.0.2.7'), for: '4h', reason: 'manual ban' })
    const [decision] = (await ask(api, '/v1/decisions?ip=192.0.2.7')).body as CrowdsecDecision[]
    const { id, ...rest } = decision ?? { id: 0 }
    assert.ok(Number.isSafeInteger(id) && id > 0)
    assert.deepEqual(rest, {
      origin: 'cscli',
      scenario: 'manual ban',
      scope: 'Ip',
      value: '192.0.2.7',
      type: 'ban',
      duration: '4h0m0s',
    })
  })

  test('filters by address, range, scope and type', async t => {
    const api = await serve(t)
    await api.store.add({ actor: parseActor('192.0.2.7'), for: '1h', reason: 'a' })
    await api.store.add({ actor: parseActor('192.0.2.0/24'), for: '1h', reason: 'b', measure: 'challenge' })
    await api.store.add({ actor: parseActor('principal:mallory'), for: '1h', reason: 'c' })
    const found = async (query: string): Promise<readonly string[]> =>
      values((await ask(api, `/v1/decisions?${query}`)).body as CrowdsecDecision[] | null)
    assert.deepEqual(await found(''), ['192.0.2.0/24', '192.0.2.7'])
    assert.deepEqual(await found('ip=192.0.2.7'), ['192.0.2.0/24', '192.0.2.7'])
    assert.deepEqual(await found('ip=192.0.2.8'), ['192.0.2.0/24'])
    assert.deepEqual(await found('range=192.0.2.0/24'), ['192.0.2.0/24'])
    assert.deepEqual(await found('type=captcha'), ['192.0.2.0/24'])
    assert.deepEqual(await found('scopes=username'), ['mallory'])
    assert.deepEqual(await found('scope=Ip'), ['192.0.2.7'])
    assert.deepEqual(await found('scenarios_not_containing=a'), ['192.0.2.0/24'])
    assert.equal((await ask(api, '/v1/decisions?ip=nonsense')).status, 400)
    assert.equal((await ask(api, '/v1/decisions?range=10.0.0.0/33')).status, 400)
    assert.equal((await ask(api, '/v1/decisions?range=10.0.0.0/8/8')).status, 400)
    const long = (length: number): string => `/v1/decisions?${'x'.repeat(length)}`
    assert.equal((await ask(api, long(4_096))).status, 200)
    assert.deepEqual(await ask(api, long(4_097)), { status: 400, body: { message: 'the query is too long' } })
    const metrics = await fetch(`${api.url}/v1/usage-metrics`, {
      method: 'POST',
      headers: { 'X-Api-Key': api.key },
      body: '{"metrics":[]}',
    })
    assert.equal(metrics.status, 201)
  })

  test('reads an address as a range of one, and contains as Go does', async t => {
    const api = await serve(t)
    for (const actor of ['10.9.0.0/16', '10.9.1.7', '2001:db8::7'])
      await api.store.add({ actor: parseActor(actor), for: '1h', reason: 'by hand' })
    const found = async (query: string): Promise<readonly string[]> =>
      values((await ask(api, `/v1/decisions?${query}`)).body as readonly CrowdsecDecision[] | null)
    assert.deepEqual(await found('range=10.9.1.7/32'), ['10.9.0.0/16', '10.9.1.7'])
    assert.deepEqual(await found('range=2001:db8::7/128'), ['2001:db8::7'])
    assert.deepEqual(await found('ip=10.9.1.7&contains=TRUE'), ['10.9.0.0/16', '10.9.1.7'])
    for (const no of ['false', 'F', '0'])
      assert.deepEqual(await found(`ip=10.9.1.7&contains=${no}`), ['10.9.1.7'])
    assert.equal((await ask(api, '/v1/decisions?ip=10.9.1.7&contains=perhaps')).status, 400)
  })

  test('answers HEAD without taking changes from the bouncer, and paths behind an api_url with a slash', async t => {
    const api = await serve(t)
    await stream(api, 'startup=true')
    await api.store.add({ actor: parseActor('192.0.2.1'), for: '1h', reason: 'by hand' })
    for (const path of [
      '/v1/decisions',
      '/v1/decisions/stream',
      '//v1/decisions/stream?startup=true',
      '/v1/decisions/',
    ]) {
      const response = await fetch(`${api.url}${path}`, { method: 'HEAD', headers: { 'X-Api-Key': api.key } })
      assert.deepEqual([response.status, await response.text()], [200, ''], path)
    }
    const { body } = await ask(api, '//v1/decisions/stream')
    assert.deepEqual(values((body as Stream).new), ['192.0.2.1'])
    const other = await ask(api, '/v1/alerts')
    assert.match(JSON.stringify(other.body), /served here: \/v1\/decisions/)
  })

  test('G14 finds what holds a range, and with contains=false what a range holds', async t => {
    const api = await serve(t)
    for (const value of ['10.9.0.0/16', '10.9.1.7', '192.0.2.7'])
      await api.store.add({ actor: parseActor(value), for: '1h', reason: '' })
    const found = async (query: string): Promise<readonly string[]> =>
      [...values((await ask(api, `/v1/decisions?${query}`)).body as CrowdsecDecision[] | null)].sort()
    assert.deepEqual(await found('range=10.9.1.0/24'), ['10.9.0.0/16'])
    assert.deepEqual(await found('range=10.9.1.0/24&contains=false'), ['10.9.1.7'])
    assert.deepEqual(await found('range=10.0.0.0/8&contains=false'), ['10.9.0.0/16', '10.9.1.7'])
    assert.deepEqual(await found('range=10.0.0.0/8'), [])
    assert.deepEqual(await found('range=10.9.1.5/24'), ['10.9.0.0/16'], 'bits beyond the prefix are ignored')
    assert.deepEqual(await found('range=10.9.1.7'), ['10.9.0.0/16', '10.9.1.7'], 'a range of one address')
    assert.deepEqual(await found('ip=10.9.1.0/24'), ['10.9.0.0/16'], 'ip takes a range')
    await api.store.add({ actor: parseActor('2001:db8::/32'), for: '1h', reason: '' })
    assert.deepEqual(await found('range=2001:db8:1::9/48'), ['2001:db8::/32'])
  })

  test('G8 what scenarios detected answers to the origin that bouncers ask for', async t => {
    const api = await serve(t)
    api.store.apply({
      scenario: 'http-probing',
      title: 'asks for many pages that do not exist',
      severity: 'medium',
      actor: parseActor('192.0.2.9'),
      count: 10,
      requests: [],
      respond: { measure: 'block', duration: 60_000 },
    })
    await api.store.add({ actor: parseActor('192.0.2.7'), for: '1h', reason: 'by hand' })
    const both = await stream(api, 'startup=true&origins=crowdsec,cscli')
    assert.deepEqual([...values(both.new)].sort(), ['192.0.2.7', '192.0.2.9'])
    const detected = await stream(api, 'startup=true&origins=crowdsec')
    assert.deepEqual(values(detected.new), ['192.0.2.9'])
    const every = await stream(api, 'startup=true&origins=CAPI,lists,CROWDSEC')
    assert.deepEqual(values(every.new), ['192.0.2.9'])
  })

  test('G8 what was taken from a CrowdSec keeps its origin and scenario', () => {
    const taken = { scope: 'Ip', value: '192.0.2.9', type: 'ban', duration: '1h', scenario: 'x/ssh-bf' }
    for (const origin of ['CAPI', 'lists', 'crowdsec', 'cscli']) {
      const remediation = fromDecision({ ...taken, origin }, 0)
      assert.ok(remediation !== undefined)
      const { origin: told, scenario } = toDecision(remediation, 0)
      assert.deepEqual([told, scenario], [origin, 'x/ssh-bf'])
    }
  })

  test('a range that was entered with bits beyond its prefix is obeyed as CrowdSec does', () => {
    const decision = { scope: 'Range', value: '10.9.1.5/24', type: 'ban', duration: '1h' }
    assert.equal(fromDecision(decision, 0)?.actor.value, '10.9.1.0/24')
  })

  test('streams everything at startup, then only what changed, for each bouncer by itself', async t => {
    const api = await serve(t)
    const other = { ...api, key: await api.keys.create('traefik') }
    await api.store.add({ actor: parseActor('192.0.2.1'), for: '1h', reason: '' })
    assert.deepEqual(values((await stream(api, 'startup=true')).new), ['192.0.2.1'])
    assert.deepEqual(await stream(api), { new: null, deleted: null })
    await api.store.add({ actor: parseActor('192.0.2.2'), for: '10s', reason: '' })
    await api.store.remove(parseActor('192.0.2.1'))
    const delta = await stream(api)
    assert.deepEqual([values(delta.new), values(delta.deleted)], [['192.0.2.2'], ['192.0.2.1']])
    assert.match(delta.deleted?.[0]?.duration ?? '', /^-/)
    assert.deepEqual(values((await stream(other)).new), ['192.0.2.2'], 'one that never asked gets everything')
    api.clock.advance(10_000)
    api.store.sweep()
    assert.deepEqual(values((await stream(api)).deleted), ['192.0.2.2'], 'what expired is reported')
  })

  test('does not report a lifted remediation while another one is still active', async t => {
    const api = await serve(t)
    await stream(api, 'startup=true')
    const first = await api.store.add({ actor: parseActor('192.0.2.1'), for: '1h', reason: '' })
    await api.store.add({ actor: parseActor('192.0.2.1'), for: '2h', reason: '', origin: 'scenario' })
    assert.deepEqual(values((await stream(api)).new), ['192.0.2.1'])
    await api.store.remove(first.id)
    assert.equal((await stream(api)).deleted, null)
  })
})

describe('a CrowdSec’s decisions in our store', () => {
  test('are taken at startup, followed, and lifted', async t => {
    const api = await serve(t)
    await api.store.add({ actor: parseActor('192.0.2.1'), for: '1h', reason: 'ssh-bf' })
    await api.store.add({
      actor: parseActor('198.51.100.0/24'),
      for: '1h',
      reason: 'x',
      measure: 'challenge',
    })
    const mine = await RemediationStore.open({ clock: api.clock, protect: { addresses: ['203.0.113.5'] } })
    t.after(() => mine.close())
    const feed = new CrowdsecFeed({ url: api.url, key: api.key, store: mine, clock: api.clock })
    t.after(() => feed.close())
    await feed.read()
    assert.deepEqual(
      mine
        .list()
        .map(one => [one.actor.value, one.measure])
        .sort(),
      [
        ['192.0.2.1', 'block'],
        ['198.51.100.0/24', 'challenge'],
      ],
    )
    await mine.reload()
    assert.equal(mine.list().length, 2, 'reading our own table again does not drop them')
    await api.store.remove(parseActor('192.0.2.1'))
    await api.store.add({ actor: parseActor('203.0.113.5'), for: '1h', reason: 'an operator of ours' })
    await feed.read()
    assert.deepEqual(
      mine.list().map(one => one.actor.value),
      ['198.51.100.0/24'],
    )
    api.clock.advance(3_600_000)
    assert.equal(mine.list().length, 0)
  })

  test('a wrong key, a wrong answer and a dead server are errors that keep what is in force and tell no key', async t => {
    const store = await RemediationStore.open()
    t.after(() => store.close())
    const secret = 'secret-key-of-a-bouncer'
    for (const answer of [
      async () => new Response('{}', { status: 403 }),
      async () => new Response('<html>', { status: 200 }),
      async () => new Response('7', { status: 200 }),
      async () => new Response('', { status: 502 }),
      async () => {
        throw new TypeError(`fetch failed with ${secret}`)
      },
    ]) {
      const feed = new CrowdsecFeed({
        url: 'http://127.0.0.1:1',
        key: secret,
        store,
        fetch: answer as typeof fetch,
      })
      await assert.rejects(feed.read(), (error: Error & { code?: string }) => {
        assert.equal(error.code, 'POSTERN_STORE')
        assert.doesNotMatch(error.message, /secret/)
        return true
      })
    }
    assert.throws(() => new CrowdsecFeed({ url: 'file:///etc/passwd', key: secret, store }), {
      code: 'POSTERN_CONFIG',
    })
    assert.throws(() => new CrowdsecFeed({ url: 'http://h', key: 'a\r\nb', store }), {
      code: 'POSTERN_CONFIG',
    })
  })

  test('decisions that are nonsense are left out', () => {
    for (const value of [
      null,
      {},
      { scope: 'Ip', value: 'x', type: 'ban', duration: '1h' },
      { scope: 'Ip', value: '192.0.2.1', type: 'explode', duration: '1h' },
      { scope: 'Country', value: 'XX', type: 'ban', duration: '1h' },
      { scope: 'Ip', value: '192.0.2.1', type: 'ban', duration: 'soon' },
    ])
      assert.equal(fromDecision(value, 0), undefined)
  })

  test('durations are written and read as Go does', () => {
    assert.equal(parseGoDuration('3h59m59.999789s'), 14_399_999.789)
    assert.equal(parseGoDuration('-1m2.5s'), -62_500)
    assert.equal(parseGoDuration('150ms'), 150)
    for (const text of ['', '5', 's', '1h ', '1d']) assert.equal(parseGoDuration(text), undefined)
    fc.assert(
      fc.property(fc.integer({ min: -1e10, max: 1e10 }), ms =>
        assert.equal(parseGoDuration(formatGoDuration(ms)), ms),
      ),
    )
  })
})
