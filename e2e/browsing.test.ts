// People in headless Chromium, in the shop behind the gateway with its defaults: everything
// they do goes through. Each of them comes once from this machine, which is never banned,
// and once from an address that would be.
import assert from 'node:assert/strict'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { after, afterEach, before, beforeEach, describe, test } from 'node:test'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { type RunningShop, startShop } from '../examples/shop/src/server.ts'
import { launchChromium } from '../test/chromium.ts'
import { type Protected, protect } from './protected.ts'

/**
 * What people look for: names, prices, other alphabets, and words that are also SQL, HTML, shell or paths.
 */
const SEARCHES = [
  'lantern',
  "O'Brien",
  "D'Angelo's lamp",
  "rock 'n' roll",
  'salt & pepper',
  'select a seat',
  'select the best lamp from the list where price is low',
  'union square or times square',
  'drop-leaf table lamp',
  'update from last order',
  'insert coin and delete old order',
  'having trouble with order by phone',
  '"storm lantern"',
  'I <3 lanterns',
  '5 > 3 and 2 < 4',
  '🔦 lampe für draußen',
  '東京 ランプ',
  'rope -- the long one',
  'twine; wax; needle',
  'C++ & C# books',
  '50% off',
  '100%',
  'buy 1 get 1 = 2?',
  'tea #1 (black)',
  'either/or and/or',
  '../ harbour',
  'C:\\Users\\ada',
  'https://example.com/lamp?id=1&x=2',
  'null',
  'undefined',
  '$HOME sweet $HOME',
  '{{ mustache }} wax',
  'script font',
  'alert (the loud one)',
  'cat & mouse | dog',
  'sleeping bag (-5 °C)',
  'admin@example.com',
  "it's 2 o'clock or 3 o'clock",
  'waitfor delay in shipping',
  'xp bonus & exec chair',
]

/** What people write, some of them about their work. */
const REVIEWS = [
  "I've had O'Malley's lamp for years -- this one's better; 10/10, would buy again!",
  'Works with our stock script: SELECT name, price FROM product WHERE stock > 0 ORDER BY price; took five minutes to set up.',
  'The label said "DROP TABLE 3" because the drop-leaf table is no. 3. Funny! Or not?',
  'In the manual: if (wind > 7 && sea < 4) { lamp.on() } else { lamp.off() }. <b>Bold</b> claim, but true.',
  'I pasted <div class="lamp"> into my blog next to its photo, and the page looks fine.',
  'The manual is at https://example.com/manual.pdf; read it with less, or: git clone, then npm install && npm start.',
  'Path on the disc is ../manuals/en/lamp.txt, not C:\\manuals. 3 < 4, 4 > 3, a == b, a || b.',
  'Union of two lines: select where you splice, and from there on insert the eye. Delete nothing.\n\n— Grace & Co., 50% sea, 50% rope',
  '{"stars": 5, "text": "as JSON, because I can", "tags": ["rope", "1=1"]}',
  'Любимая лампа 👍🏽 — "очень" хорошая; спасибо!',
]

interface Visit {
  readonly context: BrowserContext
  readonly page: Page
  /** Answers that came from the gateway instead of the shop. */
  readonly refused: string[]
}

for (const [from, address] of [
  ['this machine', undefined],
  ['an address elsewhere', '203.0.113.20'],
] as const)
  describe(`from ${from}`, () => {
    let shop: RunningShop
    let gateway: Protected
    let browser: Browser

    before(async () => {
      browser = await launchChromium()
    })
    after(() => browser?.close())
    // Each person comes after another quiet minute: to the limits they would all be
    // one, in a hurry no people are in.
    beforeEach(async () => {
      shop = await startShop({ port: 0 })
      gateway = await protect(
        shop.url,
        address === undefined ? {} : { config: { trustProxies: ['loopback'] } },
      )
    })
    afterEach(async () => {
      await gateway?.stop()
      await shop?.close()
    })

    async function visit(): Promise<Visit> {
      const context = await browser.newContext(
        address === undefined ? {} : { extraHTTPHeaders: { 'X-Forwarded-For': address } },
      )
      const refused: string[] = []
      context.setDefaultTimeout(15_000)
      const page = await context.newPage()
      context.on('response', response => {
        if (response.headers()['content-type']?.startsWith('application/problem+json') === true)
          refused.push(`${response.status()} ${response.request().method()} ${response.url()}`)
      })
      return { context, page, refused }
    }

    /** Neither the browser nor the log saw a refusal, and the visitor has no remediation. */
    async function assertLeftAlone({ context, page, refused }: Visit, picture: string): Promise<void> {
      const folder = process.env['POSTERN_SCREENSHOTS']
      if (folder !== undefined) {
        mkdirSync(folder, { recursive: true })
        await page.screenshot({ path: join(folder, `${picture}-${address ?? 'loopback'}.png`) })
      }
      await context.close()
      assert.deepEqual(refused, [])
      assert.deepEqual(gateway.refusals(), [])
      assert.match(gateway.postern('why', address ?? '127.0.0.1'), /no remediations apply to/)
    }

    async function signIn(page: Page, email: string, password: string): Promise<void> {
      await page.goto(`${gateway.url}/login`)
      await page.fill('input[name=email]', email)
      await page.fill('input[name=password]', password)
      await page.click('main button')
    }

    // Forty different searches in ten seconds are a machine's, so two people share them.
    for (const [who, searches] of [
      ['a visitor', SEARCHES.filter((_, index) => index % 2 === 0)],
      ['another one', SEARCHES.filter((_, index) => index % 2 === 1)],
    ] as const)
      test(`${who} looks around and searches for what people search for`, async () => {
        const visitor = await visit()
        const { page } = visitor
        await page.goto(gateway.url)
        await page.click('text=See everything')
        for (const sort of ['name', 'price', 'kind']) await page.click(`main a:text-is("${sort}")`)
        assert.equal(await page.locator('.card').count(), 40)
        for (const text of searches) {
          await page.fill('input[name=q]', text)
          await Promise.all([
            page.waitForResponse(response => response.url().includes('/search?q=')),
            page.press('input[name=q]', 'Enter'),
          ])
          await page.waitForLoadState()
          // What the shop cannot search for, because it pastes it into SQL, it answers
          // with an error page that has no field.
          if ((await page.locator('input[name=q]').count()) === 0) await page.goto(gateway.url)
        }
        await page.goto(`${gateway.url}/search?q=lantern`)
        assert.equal(await page.locator('.card').count(), 2)
        await assertLeftAlone(visitor, 'search')
      })

    test('a customer mistypes the password, signs in, orders, and is notified over the WebSocket', async () => {
      const visitor = await visit()
      const { context, page } = visitor
      await signIn(page, 'ada@example.com', "correct horse battery'")
      await page.waitForSelector('text=The password is wrong.')
      await signIn(page, 'ada@example.com', 'correct horse battery')
      await page.waitForURL('**/account')
      const listening = await context.newPage()
      const connected = listening.waitForEvent('websocket')
      await listening.goto(`${gateway.url}/account`)
      await (await connected).waitForEvent('framereceived')
      for (const product of [1, 12, 23, 34]) {
        await page.goto(`${gateway.url}/products/${product}`)
        await page.click('text=Order one')
        await page.waitForURL('**/orders/*')
      }
      const order = page.url().split('/').at(-1)
      await listening.waitForSelector(`text=Order ${order} was placed`)
      await listening.goto(`${gateway.url}/account`)
      await listening.click(`text=№ ${order}`)
      await listening.waitForURL(`**/orders/${order}`)
      await page.goto(`${gateway.url}/account`)
      await page.click('text=Sign out')
      await page.waitForSelector('text=Sign in')
      await assertLeftAlone(visitor, 'orders')
    })

    test('somebody called O’Brien makes an account and writes reviews about code', async () => {
      const visitor = await visit()
      const { page } = visitor
      await page.goto(`${gateway.url}/register`)
      await page.fill('input[name=name]', "Siobhán O'Brien-D'Souza")
      await page.fill('input[name=email]', "siobhan.o'brien+shop@example.org")
      await page.fill('input[name=password]', `it's "drop" & <go>; Tr0ub4dor -- 3$`)
      await page.click('main button')
      await page.waitForURL('**/account')
      for (const [index, text] of REVIEWS.entries()) {
        await page.goto(`${gateway.url}/products/${index + 1}`)
        await page.fill('input[name=author]', "Siobhán O'Brien")
        await page.fill('textarea', text)
        await page.click('text=Publish')
        await page.waitForURL(`**/products/${index + 1}`)
        assert.ok(
          (await page.content()).includes('O&#39;Brien') || (await page.content()).includes("O'Brien"),
        )
      }
      await assertLeftAlone(visitor, 'reviews')
    })

    test('files are uploaded and read again, orders changed and deleted over the API', async () => {
      const visitor = await visit()
      const { page } = visitor
      await signIn(page, 'grace@example.com', 'staple-and-lantern')
      await page.waitForURL('**/account')
      const statuses = await page.evaluate(async () => {
        const seen: [string, number][] = []
        const send = async (method: string, path: string, body?: object): Promise<unknown> => {
          const answer = await fetch(path, {
            method,
            ...(body !== undefined && {
              headers: { 'content-type': 'application/json' },
              body: JSON.stringify(body),
            }),
          })
          seen.push([`${method} ${path}`, answer.status])
          return answer.json()
        }
        const files: [string, string, string | Uint8Array<ArrayBuffer>][] = [
          ['photo.png', 'image/png', crypto.getRandomValues(new Uint8Array(60_000))],
          ['prices.csv', 'text/csv', 'name,price\n"O\'Brien, lamp","=1+1"\n'],
          [
            'notes.md',
            'text/markdown',
            '# Notes\n\n```sql\nSELECT * FROM lamp WHERE id = 1;\n```\n\n<b>done</b>\n',
          ],
          ['settings.json', 'application/json', '{"query":"select * from x","path":"../y"}'],
        ]
        for (const [name, type, content] of files) {
          const form = new FormData()
          form.set('file', new File([content], name, { type }))
          const answer = await fetch('/api/upload', { method: 'POST', body: form })
          seen.push([`upload ${name}`, answer.status])
          seen.push([`read ${name}`, (await fetch(`/uploads/${name}`)).status])
        }
        for (const name of ['returns.txt', 'size-guide.txt'])
          seen.push([name, (await fetch(`/files/download?name=${name}`)).status])
        const order = (await send('POST', '/api/orders', {
          product: 3,
          quantity: 2,
          note: "Leave it at no. 5; ask for Mr. O'Neil & don't ring -- baby's asleep",
        })) as { id: number }
        await send('PATCH', `/api/orders/${order.id}`, {
          status: 'paid',
          note: 'select any <green> box, or none',
        })
        await send('GET', `/api/orders/${order.id}`)
        await send('GET', '/api/orders')
        await send('DELETE', `/api/orders/${order.id}`)
        return seen
      })
      assert.deepEqual(
        statuses.filter(([, status]) => status >= 400),
        [],
      )
      await assertLeftAlone(visitor, 'uploads')
    })

    test('the shop is run from its admin pages', async () => {
      const visitor = await visit()
      const { page } = visitor
      await signIn(page, 'admin@example.com', 'admin')
      await page.waitForURL('**/account')
      await page.click('nav >> text=Admin')
      await page.waitForURL('**/admin')
      const download = page.waitForEvent('download')
      await page.click('text=Export customers')
      assert.equal((await download).suggestedFilename(), 'customers.csv')
      for (let order = 1; order <= 25; order++) {
        await page.goto(`${gateway.url}/orders/${order}`)
        assert.equal(await page.locator('h1').textContent(), `Order № ${order}`)
      }
      await page.goto(`${gateway.url}/admin`)
      await page.click('text=Delete delivered orders')
      await page.waitForURL('**/admin')
      await assertLeftAlone(visitor, 'admin')
    })

    test('a busy person opens three dozen pages as fast as they come, goes back and forth, and reloads', async () => {
      const visitor = await visit()
      const { context, page } = visitor
      for (let product = 1; product <= 24; product++) await page.goto(`${gateway.url}/products/${product}`)
      for (let step = 0; step < 10; step++) await page.goBack()
      for (let step = 0; step < 5; step++) await page.goForward()
      for (let step = 0; step < 5; step++) await page.reload()
      assert.equal(page.url(), `${gateway.url}/products/19`)
      const tabs = await Promise.all(
        Array.from({ length: 12 }, async (_, index) => {
          const tab = await context.newPage()
          await tab.goto(`${gateway.url}/products?sort=${['name', 'price', 'category'][index % 3]}`)
          return tab.locator('.card').count()
        }),
      )
      await assertLeftAlone(visitor, 'busy')
      assert.deepEqual(tabs, Array(12).fill(40))
    })
  })
