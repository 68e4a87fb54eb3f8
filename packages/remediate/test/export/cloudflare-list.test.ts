import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Remediation, VirtualClock } from '@postern/core'
import { parseActor } from '../../src/actor-text.ts'
import { type CloudflareListOptions, exportToCloudflare } from '../../src/export/cloudflare-list.ts'

const block = (actor: string, origin = 'test'): Remediation => ({
  id: actor,
  actor: parseActor(actor),
  measure: 'block',
  reason: '',
  origin,
  createdAt: 0,
  expiresAt: 60_000,
})
const addresses = (count: number): readonly Remediation[] =>
  Array.from({ length: count }, (_, i) => block(`10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`))

/** Exports to a list whose operations take the given states, one a question; the last one stays. */
async function exported(
  blocked: readonly Remediation[],
  options: Partial<CloudflareListOptions> = {},
  states: readonly object[] = [{ status: 'completed' }],
) {
  const sent: { readonly method: string; readonly items: readonly unknown[] }[] = []
  const waits: number[] = []
  let asked = 0
  const fetch = (async (input: string | URL | Request, init?: RequestInit) => {
    const ok = (result: unknown): Response => Response.json({ success: true, errors: [], result })
    if (String(input).includes('/bulk_operations/')) {
      const state = states[asked] ?? states.at(-1)
      asked++
      return ok(state)
    }
    if (init?.method === 'GET') return ok([{ id: 'old', ip: '203.0.113.9', comment: 'postern: old' }])
    const body = JSON.parse(String(init?.body)) as readonly unknown[] | { readonly items: readonly unknown[] }
    sent.push({ method: init?.method ?? '', items: 'items' in body ? body.items : body })
    return ok({ operation_id: 'op-1' })
  }) as typeof globalThis.fetch
  const change = await exportToCloudflare({
    account: 'a'.repeat(32),
    list: 'b'.repeat(32),
    token: 'good',
    clock: new VirtualClock(0),
    wait: async ms => {
      waits.push(ms)
    },
    fetch,
    store: { list: () => blocked, isProtected: () => false },
    ...options,
  })
  const sizes = sent.filter(({ method }) => method === 'POST').map(({ items }) => items.length)
  return { change, sent, sizes, waits }
}

test('a batch has 500 items unless the options say otherwise, and never more than 1,000 or less than one', async () => {
  assert.deepEqual((await exported(addresses(501))).sizes, [500, 1])
  assert.deepEqual((await exported(addresses(1_001), { batch: 5_000 })).sizes, [1_000, 1])
  assert.deepEqual((await exported(addresses(2), { batch: 0 })).sizes, [1, 1])
  assert.deepEqual((await exported(addresses(4), { batch: 2 })).sizes, [2, 2], 'no empty one at the end')
  assert.deepEqual((await exported([])).sizes, [])
})

test('removes before it adds, so that a full list has space', async () => {
  const { sent, change } = await exported(addresses(1))
  assert.deepEqual(
    sent.map(({ method }) => method),
    ['DELETE', 'POST'],
  )
  assert.deepEqual(change, { added: 1, removed: 1 })
})

test('networks wider than Cloudflare takes are left out, longer IPv6 ones are widened', async () => {
  const { sent } = await exported([
    block('8.0.0.0/7'),
    block('16.0.0.0/8'),
    block('4000::/11'),
    block('2400::/12'),
    block('2001:db8:1:2::7'),
    block('2001:db9:1:2:3::/80'),
    block('2001:dba::/64'),
  ])
  const [, { items = [] } = {}] = sent
  assert.deepEqual((items as readonly { ip: string }[]).map(({ ip }) => ip).toSorted(), [
    '16.0.0.0/8',
    '2001:db8:1:2::/64',
    '2001:db9:1:2::/64',
    '2001:dba::/64',
    '2400::/12',
  ])
})

test('an item says which scenario it is from, in the characters that a comment may have', async () => {
  const { sent } = await exported([block('192.0.2.1', 'größe\n')])
  assert.deepEqual(sent.at(-1)?.items, [{ ip: '192.0.2.1', comment: 'postern: gr??e?' }])
})

test('each operation is polled until it has ended', async () => {
  const { waits } = await exported(addresses(1), { poll: '2s' }, [
    { status: 'pending' },
    { status: 'running' },
    { status: 'completed' },
  ])
  assert.deepEqual(waits, [2_000, 2_000])
})

test('an operation that fails or does not end is an error that may be tried again', async () => {
  const failed = exported(addresses(1), {}, [{ status: 'failed', error: 'filter.invalid' }])
  await assert.rejects(failed, { code: 'POSTERN_STORE', retryable: true, message: /failed: filter\.invalid/ })
  const endless = exported(addresses(1), {}, [{ status: 'running' }])
  await assert.rejects(endless, { code: 'POSTERN_STORE', retryable: true, message: /does not end/ })
})

test('without a way to wait it waits by the clock of the machine', async () => {
  const options = { poll: 1 }
  const { change } = await exported(addresses(1), { ...options, wait: undefined as never }, [
    { status: 'running' },
    { status: 'completed' },
  ])
  assert.equal(change.added, 1)
})

test('only what the server may do better later is retryable', async () => {
  const answering = (status: number): typeof fetch =>
    (async () => Response.json({ success: false, errors: [] }, { status })) as typeof fetch
  for (const [status, retryable] of [
    [400, false],
    [403, false],
    [429, true],
    [500, true],
    [503, true],
  ] as const)
    await assert.rejects(exported(addresses(1), { fetch: answering(status) }), {
      code: 'POSTERN_STORE',
      retryable,
      message: new RegExp(`answers ${status}$`),
    })
  const silent = (async () => {
    throw new TypeError('fetch failed')
  }) as typeof fetch
  await assert.rejects(exported(addresses(1), { fetch: silent }), {
    retryable: true,
    message: /does not answer/,
  })
})
