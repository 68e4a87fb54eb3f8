import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { freshDatabase } from '../../../test/services.ts'
import { SOURCE_FLAGS } from '../../../test/source-flags.ts'
import { ACCOUNTS } from '../src/seed.ts'
import { Attacker, open } from './attacker.ts'

const PAGES = ['/', '/products', '/products/7', '/search?q=lantern', '/login', '/register', '/admin']

for (const dialect of ['sqlite', 'postgres'] as const)
  describe(`the shop on ${dialect}`, () => {
    const start = async (t: { after(work: () => Promise<void>): void }): ReturnType<typeof open> =>
      open(t, dialect === 'postgres' ? { databaseUrl: await freshDatabase(t) } : {})

    test('shows its pages', async t => {
      const { attacker } = await start(t)
      for (const path of PAGES) {
        const { status, text, type } = await attacker.get(path)
        assert.equal(status, 200, path)
        assert.match(type, /^text\/html/)
        assert.match(text, /<title>.+ · Harbour Supply<\/title>/)
      }
      assert.match((await attacker.get('/images/1.svg')).text, /^<svg/)
      assert.equal((await attacker.get('/products/999')).status, 404)
    })

    test('has 40 products, 200 customers and 1,000 orders', async t => {
      const { attacker } = await start(t)
      const { text } = await attacker.get('/admin')
      for (const figure of ['<b>40</b>products', '<b>200</b>customers', '<b>1000</b>orders'])
        assert.ok(text.includes(figure), figure)
    })

    test('lets people register, sign in, order, see their orders and sign out', async t => {
      const { attacker } = await start(t)
      const account = { name: 'Mary', email: 'mary@example.org', password: 'a long one' }
      assert.equal((await attacker.send('POST', '/api/register', account)).status, 201)
      assert.equal((await attacker.send('POST', '/api/logout')).status, 200)
      assert.equal((await attacker.get('/api/me')).status, 401)
      assert.equal((await attacker.send('POST', '/api/login', { ...account, password: 'no' })).status, 401)
      assert.equal((await attacker.send('POST', '/api/login', account)).status, 200)
      const order = await attacker.send('POST', '/api/orders', {
        product: 1,
        quantity: 2,
        note: 'by the door',
      })
      assert.equal(order.status, 201)
      const { id } = JSON.parse(order.text)
      assert.equal(JSON.parse((await attacker.get('/api/orders')).text).length, 1)
      const placed = JSON.parse((await attacker.get(`/api/orders/${id}`)).text)
      assert.equal(placed.note, 'by the door')
      assert.equal(Number(placed.total), 11_800)
      assert.equal(placed.lines.length, 1)
      assert.match((await attacker.get('/account')).text, /mary@example\.org/)
      assert.match((await attacker.get(`/orders/${id}`)).text, /Storm lantern/)
      await attacker.send('PATCH', `/api/orders/${id}`, { status: 'packed' })
      assert.equal(JSON.parse((await attacker.get(`/api/orders/${id}`)).text).status, 'packed')
      assert.deepEqual(JSON.parse((await attacker.send('DELETE', `/api/orders/${id}`)).text), { deleted: 1 })
    })
  })

describe('the shop', () => {
  test('is the same every time', async t => {
    const [one, two] = [await open(t), await open(t)]
    for (const path of ['/api/products', '/api/customers', '/admin/export.csv'])
      assert.equal((await one.attacker.get(path)).text, (await two.attacker.get(path)).text)
  })

  test('works with forms, as a browser sends them', async t => {
    const { shop } = await open(t)
    const form = async (path: string, body: Record<string, string>): Promise<Response> =>
      fetch(`${shop.url}${path}`, { method: 'POST', body: new URLSearchParams(body), redirect: 'manual' })
    const login = await form('/login', { email: ACCOUNTS[1][0], password: ACCOUNTS[1][1] })
    assert.equal(login.headers.get('location'), '/account')
    const wrong = await form('/login', { email: ACCOUNTS[1][0], password: 'no' })
    assert.equal(wrong.status, 401)
    assert.match(await wrong.text(), /The password is wrong/)
  })

  test('listens on loopback only', async t => {
    const { shop } = await open(t)
    assert.equal(new URL(shop.url).hostname, '127.0.0.1')
  })

  test('keeps what it has in its data directory', async t => {
    const dataDirectory = mkdtempSync(join(tmpdir(), 'postern-shop-test-'))
    t.after(() => rmSync(dataDirectory, { recursive: true, force: true }))
    const first = await open(t, { dataDirectory })
    await first.attacker.send('POST', '/products/1/reviews', { author: 'Mary', text: 'still here' })
    await first.shop.close()
    const second = await open(t, { dataDirectory })
    assert.match((await second.attacker.get('/products/1')).text, /still here/)
  })

  test('starts by itself and says where', async t => {
    const main = fileURLToPath(new URL('../src/main.ts', import.meta.url))
    const child = spawn(process.execPath, [...SOURCE_FLAGS, main], {
      env: { ...process.env, PORT: '0' },
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    t.after(() => child.kill())
    const [line] = await once(createInterface(child.stdout), 'line')
    const url = /http:\/\/127\.0\.0\.1:\d+/.exec(String(line))?.[0] ?? ''
    assert.equal((await new Attacker(url).get('/healthz')).status, 200)
    child.kill('SIGTERM')
    const [code] = await once(child, 'exit')
    assert.equal(code, 0)
  })
})
