// The shop with a vault, in Chromium, on PostgreSQL: what it has about people is sealed under keys of three
// holder processes, private notes under keys of the customers; psql shows neither, and the pages work as
// before.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { after, before, test } from 'node:test'
import { connectPostgres, migrate } from '@postern/store'
import { SplitKeys, type TableSchemas, Vault } from '@postern/vault'
import { JOB_MIGRATIONS, POSTGRES_DIALECT, rewriteTable } from '@postern/vault/setup'
import type { Browser, Page } from 'playwright-core'
import { ACCOUNTS } from '../examples/shop/src/seed.ts'
import { type RunningShop, startShop } from '../examples/shop/src/server.ts'
import { vaultTables } from '../examples/shop/with/vault-tables.ts'
import { HolderProcesses } from '../packages/vault/test/support/holder-processes.ts'
import { launchChromium } from '../test/chromium.ts'
import { findBinary } from '../test/local-server.ts'
import { freshDatabase } from '../test/services.ts'

const [EMAIL, PASSWORD] = ACCOUNTS[0]
const searchKey = randomBytes(32)
const cleanUp: (() => unknown)[] = []
let databaseUrl: string
let shop: RunningShop
let browser: Browser

before(async () => {
  databaseUrl = await freshDatabase({ after: work => void cleanUp.push(work) })
  // The shop as it was, with its data readable.
  await (await startShop({ port: 0, databaseUrl })).close()
  assert.match(psql('SELECT email, street FROM customer WHERE id = 1'), /ada@example\.com/)

  const holders = await HolderProcesses.start({
    budgets: { person: 500, service: 5_000, served: 20_000, table: 50_000, all: 50_000 },
  })
  cleanUp.push(() => holders.stop())
  const split = new SplitKeys({ links: await holders.links() })
  cleanUp.push(() => split.close())
  await migrateCustomers(split)
  shop = await startShop({
    port: 0,
    databaseUrl,
    vault: new Vault({ tables: vaultTables, split, searchKey }),
  })
  browser = await launchChromium()
})

after(async () => {
  await browser?.close()
  await shop?.close()
  for (const work of cleanUp.toReversed()) await work()
})

/** What `postern vault migrate customer` does: columns are `dual` meanwhile. */
async function migrateCustomers(split: SplitKeys): Promise<void> {
  const { customer } = vaultTables
  assert.ok(customer !== undefined)
  const columns = Object.entries(customer.columns).map(([name, column]) => [
    name,
    { ...column, state: 'dual' },
  ])
  const tables = { customer: { ...customer, columns: Object.fromEntries(columns) } } as TableSchemas
  const client = connectPostgres({ url: databaseUrl })
  await client.query('ALTER TABLE customer ADD COLUMN email_term bytea UNIQUE')
  await migrate(client, 'vault', JOB_MIGRATIONS)
  const vault = new Vault({ tables, split, searchKey })
  const { rows, done } = await rewriteTable({
    kind: 'seal',
    table: 'customer',
    vault,
    client,
    dialect: POSTGRES_DIALECT,
  })
  await client.close()
  assert.deepEqual([rows, done], [200, true])
}

function psql(statement: string): string {
  const { status, stdout, stderr } = spawnSync(findBinary('psql') ?? '', [databaseUrl, '-Atc', statement], {
    encoding: 'utf8',
  })
  assert.equal(status, 0, stderr)
  return stdout
}

async function signedIn(email: string, password: string): Promise<Page> {
  const page = await (await browser.newContext({ locale: 'en' })).newPage()
  await page.goto(`${shop.url}/login`)
  await page.fill('[name=email]', email)
  await page.fill('[name=password]', password)
  await page.click('main form button')
  await page.waitForURL(`${shop.url}/account`)
  return page
}

test('psql shows nothing about people, and the pages show what they did', async () => {
  const dump = psql('SELECT * FROM customer')
  for (const plain of ['ada@example.com', '@example.net', '+44 20', 'Rope Walk', 'Lighthouse Road', '**** '])
    assert.ok(!dump.includes(plain), plain)
  assert.equal(psql("SELECT count(*) FROM customer WHERE email LIKE 'pv1.%' AND card LIKE 'pv1.%'"), '200\n')

  const page = await signedIn('ADA@example.com', PASSWORD)
  const account = await page.innerText('main')
  for (const shown of [EMAIL, '+44 20 7946', 'Card **** **** ****']) assert.ok(account.includes(shown), shown)
  await page.goto(`${shop.url}/products/3`)
  await page.click('text=Order one')
  await page.waitForURL(/\/orders\/\d+$/)
  assert.match(await page.innerText('main'), /Ada Harbour[\s\S]*ada@example\.com · \+44 20/)
  await page.goto(`${shop.url}/admin`)
  assert.equal((await page.innerText('main')).match(/@example\.(?:com|net)/g)?.length, 50)
})

test('a customer is found by e-mail address, and makes an account of which psql shows nothing', async () => {
  const page = await signedIn(...(ACCOUNTS[2].slice(0, 2) as [string, string]))
  await page.goto(`${shop.url}/admin`)
  await page.fill('form[action="/admin"] [name=email]', 'Grace@Example.com')
  await page.click('text=Find')
  const found = await page.innerText('main')
  assert.match(found, /grace@example\.com/)
  assert.equal(found.match(/@example\.(?:com|net)/g)?.length, 1)

  await page.goto(`${shop.url}/register`)
  await page.fill('[name=name]', 'Mary')
  await page.fill('[name=email]', 'mary@shop.example')
  await page.fill('[name=password]', 'a quiet river')
  await page.click('main form button')
  await page.waitForURL(`${shop.url}/account`)
  assert.match(await page.innerText('main'), /mary@shop\.example/)
  assert.ok(!psql('SELECT * FROM customer').includes('mary@shop.example'))
})

test('private notes are sealed in the browser: the shop has them, and cannot read them', async () => {
  const first = await signedIn(EMAIL, PASSWORD)
  const problems: string[] = []
  first.on('pageerror', error => problems.push(String(error)))
  await first.goto(`${shop.url}/notes`)
  // The page makes the key first, then shows the code.
  await first.waitForFunction("document.getElementById('fresh-code').textContent !== ''")
  const code = await first.innerText('#fresh-code')
  assert.match(code, /^[0-9A-Z]+(?:-[0-9A-Z]+)+$/)
  await first.fill('#note', 'the spare key is under the third lantern')
  await first.click('text=Save')
  await first.waitForFunction("document.getElementById('state').textContent === 'Saved, sealed.'")
  const stored = psql('SELECT * FROM note')
  assert.ok(stored.length > 300 && !stored.includes('lantern') && !stored.includes(code))
  assert.ok(!stored.includes(Buffer.from('the spare key').toString('base64').slice(0, 12)))

  const later = await signedIn(EMAIL, PASSWORD)
  await later.goto(`${shop.url}/notes`)
  await later.fill('#code', `${code.slice(0, -1)}${code.endsWith('A') ? 'B' : 'A'}`)
  await later.click('text=Unlock')
  await later.waitForFunction("document.getElementById('state').textContent.startsWith('That code')")
  await later.fill('#code', code)
  await later.click('text=Unlock')
  await later.waitForSelector('#note:visible')
  assert.equal(await later.inputValue('#note'), 'the spare key is under the third lantern')
  assert.deepEqual(problems, [])
})
