// Every hole of the shop is really open: what Postern is shown to close must first be shown to be there.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { describe, test } from 'node:test'
import { freshDatabase } from '../../../test/services.ts'
import { ACCOUNTS } from '../src/seed.ts'
import { Attacker, open } from './attacker.ts'

const UNION = `' UNION SELECT id, email, password, 0 FROM customer --`

describe('holes of the shop', () => {
  for (const dialect of ['sqlite', 'postgres'] as const)
    test(`search gives away every password hash of ${dialect}`, async t => {
      const { attacker } = await open(
        t,
        dialect === 'postgres' ? { databaseUrl: await freshDatabase(t) } : {},
      )
      const { text } = await attacker.get(`/api/search?q=${encodeURIComponent(UNION)}`)
      const stolen = (JSON.parse(text) as { name: string; description: string }[]).filter(row =>
        row.name.includes('@'),
      )
      assert.equal(stolen.length, 200)
      assert.ok(stolen.every(row => /^[0-9a-f]{32}:[0-9a-f]{64}$/.test(row.description)))
    })

  test('search on PostgreSQL runs whole statements', async t => {
    const { attacker } = await open(t, { databaseUrl: await freshDatabase(t) })
    await attacker.get(`/api/search?q=${encodeURIComponent(`'; DELETE FROM purchase; --`)}`)
    assert.match((await attacker.get('/admin')).text, /<b>0<\/b>orders/)
  })

  test('the order of products tells one bit of any secret at a time', async t => {
    const { attacker } = await open(t)
    const ask = async (condition: string): Promise<number> => {
      const sort = `CASE WHEN (${condition}) THEN id ELSE -id END`
      return JSON.parse((await attacker.get(`/api/products?sort=${encodeURIComponent(sort)}`)).text)[0].id
    }
    const secret = `SELECT substr(email, 1, 1) FROM customer WHERE role = 'admin'`
    assert.equal(await ask(`(${secret}) = 'a'`), 1)
    assert.equal(await ask(`(${secret}) = 'b'`), 40)
  })

  test('an error tells what the database said', async t => {
    const { attacker } = await open(t)
    const { status, text } = await attacker.get(`/api/search?q=')`)
    assert.equal(status, 500)
    assert.match(text, /syntax error|unrecognized token/)
  })

  const script = '<script>alert(document.cookie)</script>'

  test('search repeats a script, and a review keeps one', async t => {
    const { attacker } = await open(t)
    // A quote of its own would break the statement before the page is made.
    assert.ok((await attacker.get(`/search?q=${encodeURIComponent(script)}`)).text.includes(`“${script}”`))
    await attacker.send('POST', '/products/1/reviews', { author: 'x', text: script })
    assert.ok((await attacker.get('/products/1')).text.includes(script))
  })

  test('a script can read the session, for its cookie is not HttpOnly', async t => {
    const { shop } = await open(t)
    const answer = await fetch(`${shop.url}/api/login`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ email: ACCOUNTS[0][0], password: ACCOUNTS[0][1] }),
    })
    const [cookie = ''] = answer.headers.getSetCookie()
    assert.match(cookie, /^shop_session=[0-9a-f]{32}/)
    assert.doesNotMatch(cookie, /httponly|secure|samesite/i)
  })

  test('a download leads out of its folder', async t => {
    const { attacker } = await open(t)
    assert.match((await attacker.get('/files/download?name=returns.txt')).text, /sixty days/)
    assert.match((await attacker.get('/files/download?name=../package.json')).text, /example-shop/)
    assert.match(
      (await attacker.get(`/files/download?name=${'..%2f'.repeat(20)}etc%2fpasswd`)).text,
      /^root:/,
    )
  })

  test('an import reads from services of this machine, and from no other', async t => {
    const inner = createServer((_request, response) => response.end('internal secret'))
    inner.listen(0, '127.0.0.1')
    await once(inner, 'listening')
    t.after(() => inner.close())
    const address = inner.address()
    const port = typeof address === 'object' ? address?.port : 0
    const { attacker } = await open(t)
    const { text } = await attacker.send('POST', '/api/import-image', { url: `http://127.0.0.1:${port}/` })
    assert.equal(text, 'internal secret')
    for (const url of [
      'http://192.0.2.1/',
      'http://169.254.169.254/latest/',
      'file:///etc/passwd',
      'gopher://127.0.0.1/',
    ])
      assert.equal((await attacker.send('POST', '/api/import-image', { url })).status, 400, url)
  })

  test('an uploaded page is served as one, though it cannot leave the folder', async t => {
    const { attacker } = await open(t)
    const upload = async (name: string): Promise<string> => {
      const form = new FormData()
      form.append('file', new Blob([script]), name)
      return JSON.parse((await attacker.send('POST', '/api/upload', form)).text).address
    }
    const { text, type } = await attacker.get(await upload('evil.html'))
    assert.equal(text, script)
    assert.match(type, /^text\/html/)
    assert.match(await upload('../../server.ts'), /^\/uploads\/[\w.-]+$/)
  })

  test('a customer reads, changes and deletes the order of another', async t => {
    const { attacker } = await open(t)
    await attacker.signIn()
    const mine = new Set(
      JSON.parse((await attacker.get('/api/orders')).text).map(({ id }: { id: number }) => id),
    )
    const foreign = [1, 2, 3, 4, 5, 6, 7, 8].find(id => !mine.has(id)) ?? 0
    assert.match((await attacker.get(`/api/orders/${foreign}`)).text, /"card":"\*{4}/)
    assert.equal((await attacker.send('PATCH', `/api/orders/${foreign}`, { status: 'mine now' })).status, 200)
    assert.equal(JSON.parse((await attacker.send('DELETE', `/api/orders/${foreign}`)).text).deleted, 1)
  })

  test('a customer deletes every order at once, and so does nobody in particular', async t => {
    const { attacker } = await open(t)
    await attacker.signIn()
    const ids = Array.from({ length: 600 }, (_, index) => index + 1)
    assert.deepEqual(JSON.parse((await attacker.send('POST', '/api/orders/delete', { ids })).text), {
      deleted: 600,
    })
    const anonymous = await open(t)
    const { text } = await anonymous.attacker.send('POST', '/admin/orders/delete')
    assert.deepEqual(JSON.parse(text), { deleted: 1_000 })
  })

  test('the admin area and the export of all customers have no lock', async t => {
    const { attacker } = await open(t)
    assert.equal((await attacker.get('/admin')).status, 200)
    const { text } = await attacker.get('/admin/export.csv')
    assert.equal(text.trim().split('\r\n').length, 201)
    assert.match(text, /ada@example\.com/)
    assert.equal(JSON.parse((await attacker.get('/api/customers')).text).length, 200)
  })

  test('guessing goes on for as long as one likes, and the answers tell who has an account', async t => {
    const { attacker } = await open(t)
    for (const password of ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l'])
      await attacker.send('POST', '/api/login', { email: 'admin@example.com', password })
    assert.equal(
      (await attacker.send('POST', '/api/login', { email: 'admin@example.com', password: 'admin' })).status,
      200,
    )
    const guess = await attacker.send('POST', '/api/login', { email: 'nobody@example.com', password: 'x' })
    assert.match(guess.text, /no account/)
  })

  test('a negative quantity makes a negative bill', async t => {
    const { attacker } = await open(t)
    await attacker.signIn()
    assert.equal(
      JSON.parse((await attacker.send('POST', '/api/orders', { product: 1, quantity: -3 })).text).total,
      -17_700,
    )
  })

  test('whoever connects hears what others order', async t => {
    const { shop, attacker } = await open(t)
    const socket = new WebSocket(`${shop.url.replace('http', 'ws')}/notifications`)
    t.after(() => socket.close())
    await once(socket, 'message')
    const heard = once(socket, 'message')
    const victim = new Attacker(shop.url)
    await victim.signIn(ACCOUNTS[1])
    await victim.send('POST', '/api/orders', { product: 3 })
    const [message] = await heard
    assert.equal(attacker.cookie, '')
    assert.match(String(message.data), /"customer":"Grace Harbour"/)
  })
})
