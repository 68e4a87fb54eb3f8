// A field that a configuration names is found under every name that the framework behind takes for it.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { type Config, postern } from '../src/index.ts'

/** By whom: as qs and Rack, PHP 8, Spring 6, ASP.NET, and Rack before 3 read them. */
const SPELLINGS: readonly ((name: string) => string)[] = [
  name => `[${name}]`,
  name => `]${name}`,
  name => `[[${name}]]`,
  name => `%20${name}`,
  name => `${name}%00x`,
  name => `!${name}`,
  name => `%u00${name.charCodeAt(0).toString(16)}${name.slice(1)}`,
  name => `x=1;${name}`,
]

type Ask = (method: string, query: string, form?: string) => Promise<number>

/** Asks a layer, each time from another address. */
async function asking(t: TestContext, config: Config): Promise<Ask> {
  const folder = mkdtempSync(join(tmpdir(), 'postern-spellings-'))
  const layer = await postern({ folder, config: { ...config, inspect: false } })
  t.after(async () => {
    await layer.close()
    rmSync(folder, { recursive: true, force: true })
  })
  let asked = 0
  const handle = layer.fetch(() => new Response('ok'), { peer: () => `192.0.2.${asked}` })
  return async (method, query, form) => {
    asked++
    const body = form === undefined ? {} : { body: form, headers: FORM }
    const response = await handle(new Request(`http://shop.example/orders${query}`, { method, ...body }))
    await response.arrayBuffer()
    return response.status
  }
}

const FORM = { 'content-type': 'application/x-www-form-urlencoded' }

for (const spelling of SPELLINGS)
  describe(`attack: a field as ${spelling('name')}`, () => {
    for (const [place, sent] of [
      ['the query', (ask: Ask, method: string, pairs: string) => ask(method, `?${pairs}`)],
      ['a form', (ask: Ask, method: string, pairs: string) => ask(method, '', pairs)],
    ] as const) {
      test(`is counted by a limit, in ${place}`, async t => {
        const throttle = { limit: '3/1h', key: { body: 'email' } } as const
        const ask = await asking(t, { routes: { 'POST /orders': { throttle } } })
        const statuses: number[] = []
        for (let i = 0; i < 6; i++)
          statuses.push(await sent(ask, 'POST', `${spelling('email')}=ann%40shop.example&n=${i}`))
        assert.deepEqual(statuses, [200, 200, 200, 429, 429, 429])
      })

      test(`is a trap, in ${place}`, async t => {
        const ask = await asking(t, { honey: { fields: ['website'] } })
        assert.equal(await sent(ask, 'POST', `${spelling('website')}=`), 200)
        assert.equal(await sent(ask, 'POST', `${spelling('website')}=http%3A%2F%2Fspam`), 400)
      })

      test(`names as many rows as a budget counts, in ${place}`, async t => {
        const budgets = { 'orders.delete': { rows: 5, window: '1h' } } as const
        const ask = await asking(t, { budgets, routes: { 'DELETE /orders': { budget: 'orders.delete' } } })
        assert.equal(await sent(ask, 'DELETE', `${spelling('ids')}=1,2,3,4,5,6`), 429)
        assert.equal(await sent(ask, 'DELETE', `${spelling('ids')}=1,2,3,4,5`), 200)
      })
    }
  })
