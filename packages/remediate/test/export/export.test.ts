import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { describe, test } from 'node:test'
import { type Remediation, VirtualClock } from '@postern/core'
import { parseActor } from '../../src/actor-text.ts'
import { exportToCloudflare } from '../../src/export/cloudflare-list.ts'
import { coveringNetworks } from '../../src/export/covering-networks.ts'
import { followWithNftables, nftablesScript, runNft } from '../../src/export/nftables.ts'
import { RemediationStore } from '../../src/remediation-store.ts'

const block = (actor: string, seconds = 60, change: Partial<Remediation> = {}): Remediation => ({
  id: actor,
  actor: parseActor(actor),
  measure: 'block',
  reason: '',
  origin: 'test',
  createdAt: 0,
  expiresAt: seconds * 1_000,
  ...change,
})
const listing = (...list: Remediation[]): Pick<RemediationStore, 'list' | 'isProtected'> => ({
  list: () => list,
  isProtected: () => false,
})

describe('networks to export', () => {
  test('hold nothing twice, and only what packets show', () => {
    const found = coveringNetworks(
      [
        block('10.0.0.0/8'),
        block('10.1.0.0/16'),
        block('10.1.2.3'),
        block('192.0.2.7'),
        block('2001:db8::/32'),
        block('2001:db8:1::/48'),
        block('principal:mallory'),
        block('192.0.2.8', 60, { measure: 'challenge' }),
        block('192.0.2.9', -1),
      ],
      0,
    )
    assert.deepEqual([...found.keys()].sort(), ['10.0.0.0/8', '192.0.2.7', '2001:db8::/32'])
  })
})

describe('nftables', () => {
  const script = nftablesScript(
    listing(
      block('192.0.2.7', 90),
      block('10.0.0.0/8', 5),
      block('10.1.1.1'),
      block('2001:db8::/56'),
      block('2001:db8:9::1'),
    ),
    0,
  )

  test('the script fills two sets with timeouts, in one transaction, in a table of its own', () => {
    assert.match(
      script,
      /add element inet postern blocked4 \{ 192\.0\.2\.7 timeout 90s, 10\.0\.0\.0\/8 timeout 5s \}/,
    )
    assert.match(
      script,
      /add element inet postern blocked6 \{ 2001:db8::\/56 timeout 60s, 2001:db8:9::1 timeout 60s \}/,
    )
    assert.ok(script.split('\n').every(line => line === '' || line.includes('inet postern')))
  })

  test('a table’s name cannot carry a command', () => {
    assert.throws(() => nftablesScript(listing(), 0, { table: 'x; flush ruleset' }), {
      code: 'POSTERN_CONFIG',
    })
  })

  test('nft itself takes the script (checked only, nothing is changed)', async t => {
    if (spawnSync('nft', ['--version']).status !== 0 || spawnSync('nft', ['list', 'tables']).status !== 0)
      return t.skip('nft is absent or may not be asked here')
    await runNft(script, ['-c'])
    await assert.rejects(runNft('add nonsense', ['-c']), { code: 'POSTERN_STORE' })
  })

  test('follows the store: once at the start, and after a change', async () => {
    const store = await RemediationStore.open()
    const scripts: string[] = []
    let heard = Promise.withResolvers<void>()
    const stop = followWithNftables({
      store,
      settle: 0,
      run: async text => {
        scripts.push(text)
        heard.resolve()
      },
      onError: error => heard.reject(error),
    })
    await heard.promise
    heard = Promise.withResolvers<void>()
    await store.add({ actor: parseActor('192.0.2.7'), for: '1m', reason: '' })
    await heard.promise
    assert.match(scripts.at(-1) ?? '', /192\.0\.2\.7 timeout/)
    await stop()
    await store.close()
  })
})

/** As much of Cloudflare's Lists API as the export uses: pages, asynchronous operations, one at a time. */
function standIn(start: readonly { ip: string; comment: string }[]): {
  fetch: typeof fetch
  items: Map<string, string>
  calls: string[]
} {
  const items = new Map(start.map(item => [item.ip, item.comment]))
  const calls: string[] = []
  let polls = 0
  const ok = (result: unknown, after?: string): Response =>
    Response.json({
      success: true,
      errors: [],
      result,
      ...(after !== undefined && { result_info: { cursors: { after } } }),
    })
  const answer = async (input: string | URL | Request, init?: RequestInit): Promise<Response> => {
    const url = new URL(String(input))
    const body: unknown = typeof init?.body === 'string' ? JSON.parse(init.body) : undefined
    calls.push(`${init?.method} ${url.pathname.split('/').at(-1)}`)
    if (new Headers(init?.headers).get('Authorization') !== 'Bearer good')
      return Response.json({ success: false, errors: [{ message: 'Invalid API Token' }] }, { status: 403 })
    if (url.pathname.includes('/bulk_operations/')) {
      return ok({ id: 'op', status: polls++ % 2 === 0 ? 'running' : 'completed' })
    }
    if (init?.method === 'GET') {
      const from = Number(url.searchParams.get('cursor') ?? 0)
      const page = [...items].slice(from, from + 2).map(([ip, comment]) => ({ id: `id-${ip}`, ip, comment }))
      return ok(page, from + 2 < items.size ? String(from + 2) : '')
    }
    change(init?.method, body)
    return ok({ operation_id: 'op-1' })
  }
  const change = (method: string | undefined, body: unknown): void => {
    if (method === 'DELETE')
      for (const { id } of (body as { items: { id: string }[] }).items) items.delete(id.slice(3))
    if (method === 'POST')
      for (const item of body as { ip: string; comment: string }[]) items.set(item.ip, item.comment)
  }
  return { fetch: answer as typeof fetch, items, calls }
}

describe('Cloudflare lists', () => {
  const options = {
    account: 'a'.repeat(32),
    list: 'b'.repeat(32),
    token: 'good',
    clock: new VirtualClock(0),
    wait: async () => {},
  }

  test('come to hold what is blocked; what people put there stays', async () => {
    const cloudflare = standIn([
      { ip: '203.0.113.1', comment: 'put here by hand' },
      { ip: '203.0.113.2', comment: 'postern: old' },
      { ip: '192.0.2.7', comment: 'postern: test' },
    ])
    const change = await exportToCloudflare({
      ...options,
      fetch: cloudflare.fetch,
      store: listing(
        block('192.0.2.7'),
        block('192.0.2.8'),
        block('2001:db8::7'),
        block('10.0.0.0/7'.replace('/7', '/8')),
      ),
    })
    assert.deepEqual(change, { added: 3, removed: 1 })
    assert.deepEqual([...cloudflare.items.keys()].sort(), [
      '10.0.0.0/8',
      '192.0.2.7',
      '192.0.2.8',
      '2001:db8::/64',
      '203.0.113.1',
    ])
    assert.deepEqual(
      await exportToCloudflare({
        ...options,
        fetch: cloudflare.fetch,
        store: listing(block('192.0.2.7'), block('192.0.2.8'), block('2001:db8::7'), block('10.0.0.0/8')),
      }),
      { added: 0, removed: 0 },
    )
  })

  test('are changed in batches, each awaited before the next', async () => {
    const cloudflare = standIn([])
    await exportToCloudflare({
      ...options,
      fetch: cloudflare.fetch,
      batch: 4,
      store: listing(...Array.from({ length: 10 }, (_, i) => block(`192.0.2.${i}`))),
    })
    assert.equal(cloudflare.items.size, 10)
    assert.deepEqual(cloudflare.calls.filter(call => call.startsWith('POST')).length, 3)
    assert.match(cloudflare.calls.join(', '), /POST items, GET op-1, GET op-1, POST items/)
  })

  test('no more than the capacity is exported', async () => {
    const cloudflare = standIn([])
    const store = listing(...Array.from({ length: 10 }, (_, i) => block(`192.0.2.${i}`)))
    await exportToCloudflare({ ...options, fetch: cloudflare.fetch, capacity: 3, store })
    assert.equal(cloudflare.items.size, 3)
  })

  test('a refusal is an error that tells Cloudflare’s word and not the token', async () => {
    const store = listing(block('192.0.2.7'))
    await assert.rejects(
      exportToCloudflare({ ...options, token: 'very-secret', fetch: standIn([]).fetch, store }),
      (error: Error & { code?: string }) => {
        assert.equal(error.code, 'POSTERN_STORE')
        assert.match(error.message, /403 Invalid API Token/)
        assert.doesNotMatch(error.message, /very-secret/)
        return true
      },
    )
    await assert.rejects(exportToCloudflare({ ...options, account: '../x', store }), {
      code: 'POSTERN_CONFIG',
    })
  })
})
