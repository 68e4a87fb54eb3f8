import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type Config, postern } from '../src/index.ts'

const FILE = '/themes/pmahomme/jquery/jquery-ui.css?v=5.2.1deb1'

/** Statuses of these requests of one address, one after another. */
async function statuses(
  limits: Config['limits'],
  requests: readonly (readonly [target: string, init?: RequestInit])[],
): Promise<readonly number[]> {
  const layer = await postern({
    log: 'none',
    config: { dataDirectory: false, audit: false, scenarios: false, ...(limits && { limits }) },
  })
  try {
    const handle = layer.fetch(() => new Response('x'), { peer: () => '203.0.113.9' })
    const found: number[] = []
    for (const [target, init] of requests) {
      const response = await handle(new Request(`http://shop.example${target}`, init))
      await response.text()
      found.push(response.status)
    }
    return found
  } finally {
    await layer.close()
  }
}

const times = (count: number, target: string): readonly [string][] =>
  Array.from({ length: count }, () => [target])

describe('static files of a page', () => {
  test('do not count as requests of the address by default: 27 pages of phpMyAdmin in a minute', async () => {
    const page = [...times(45, FILE), ...times(5, '/index.php?route=/sql')]
    const all = await statuses(undefined, Array.from({ length: 27 }, () => page).flat())
    assert.deepEqual([...new Set(all)], [200])
  })

  test('have a limit of their own', async () => {
    assert.deepEqual(
      await statuses({ static: '3/1m' }, [...times(4, FILE), ['/']]),
      [200, 200, 200, 429, 200],
    )
  })

  test('count where a rule of the address is set, unless it says that they are free', async () => {
    assert.deepEqual(await statuses({ address: '1/1m' }, times(2, FILE)), [200, 429])
    const free = { address: { limit: '1/1m', staticFiles: 'free' } } as const
    assert.deepEqual(await statuses(free, [...times(3, FILE), ['/'], ['/']]), [200, 200, 200, 200, 429])
  })

  test('are not limited for an address that is exempt, or where addresses have no limit', async () => {
    const exempt = { address: { exempt: ['203.0.113.9'] } }
    assert.deepEqual(new Set(await statuses(exempt, times(6_001, '/a.js'))), new Set([200]))
    assert.deepEqual(new Set(await statuses({ address: false }, times(6_001, '/a.js'))), new Set([200]))
  })

  for (const [what, target, init] of [
    ['a search that is named like a file', '/search.css?q=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'],
    ['a program with a file behind it', '/index.php/a.css'],
    ['a path parameter', '/login;a.css'],
    ['an encoded slash', '/login%2fa.css'],
    ['an encoded end', '/login%00.css'],
    ['a folder', '/a.css/orders'],
    ['another method', '/a.css', { method: 'POST' }],
    ['a page', '/index.html'],
    ['data', '/orders.json'],
    ['no name', '/'],
  ] as const)
    test(`${what} is not a static file`, async () => {
      const [, second] = await statuses({ address: { limit: '1/1m', staticFiles: 'free' } }, [
        ['/'],
        init === undefined ? [target] : [target, init],
      ])
      assert.notEqual(second, 200)
    })
})
