// The shop with row budgets (npm start -- --with budgets) in Chromium, on PostgreSQL: a stolen support
// session tries to wipe the orders, gets its budget and no more; who runs the shop is asked, consents,
// regrets it, and puts them back.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import { ACCOUNTS } from '../examples/shop/src/seed.ts'
import { launchChromium } from '../test/chromium.ts'
import { freshDatabase } from '../test/services.ts'
import { answering, freePort, type Running, root, run } from './protected.ts'

const FLAGS = ['--conditions=@postern/source', '--disable-warning=ExperimentalWarning']
const SAM = ACCOUNTS[3]
const OWNER = ACCOUNTS[2]

const folder = mkdtempSync(join(tmpdir(), 'postern-stolen-'))
const cleanUp: (() => Promise<unknown>)[] = []
let url: string
let shop: Running
let browser: Browser
let environment: NodeJS.ProcessEnv

before(async () => {
  const owner = await freshDatabase({ after: work => void cleanUp.unshift(async () => work()) })
  const own = new URL(owner)
  own.username = `shop_${randomBytes(6).toString('hex')}`
  own.password = 'shop'
  const key = (): string => `1:${randomBytes(32).toString('base64')}`
  environment = {
    ...process.env,
    OWNER_URL: owner,
    SHOP_DATABASE_URL: own.href,
    SHOP_DATA: folder,
    CLAIM_KEY: key(),
    GRANT_KEY: key(),
    JOURNAL_KEY: key(),
  }
  sh('examples/shop/src/set-up.ts')
  assert.equal(postern('budgets', 'install'), '2 budgets guard 2 tables\n')
  const port = await freePort()
  shop = run(process.execPath, [...FLAGS, 'scripts/start.ts', '--with', 'budgets', '--port', String(port)], {
    cwd: root,
    env: environment,
  })
  url = `http://127.0.0.1:${port}`
  await answering(`${url}/healthz`)
  browser = await launchChromium()
})

after(async () => {
  await browser?.close()
  await shop?.stop()
  for (const work of cleanUp) await work()
  rmSync(folder, { recursive: true, force: true })
})

/** Runs a file of the repository to its end. @returns what it printed */
function sh(...args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync(process.execPath, [...FLAGS, ...args], {
    cwd: root,
    env: environment,
    encoding: 'utf8',
  })
  assert.equal(status, 0, `${args.join(' ')}\n${stdout}${stderr}${shop?.output() ?? ''}`)
  return stdout
}

function postern(...args: readonly string[]): string {
  return sh('scripts/postern.ts', '--config', 'examples/shop/with/budgets.ts', ...args)
}

async function signedIn([email, password]: readonly [string, string, string]): Promise<Page> {
  const page = await (await browser.newContext({ locale: 'en' })).newPage()
  await page.goto(`${url}/login`)
  await page.fill('[name=email]', email)
  await page.fill('[name=password]', password)
  await page.click('main form button')
  await page.waitForURL(`${url}/account`)
  return page
}

async function orders(page: Page): Promise<number> {
  await page.goto(`${url}/admin`)
  return Number(/(\d+)\s*orders/.exec(await page.innerText('main'))?.[1])
}

test('a stolen support session gets its budget, more takes consent, and what went can be put back', async () => {
  const sam = await signedIn(SAM)
  // The cookie alone, in a browser of the thief.
  const stolen = await browser.newContext({ locale: 'en' })
  await stolen.addCookies(await sam.context().cookies())
  const thief = await stolen.newPage()
  assert.equal(await orders(thief), 1_000)

  await thief.click('text=Delete delivered orders')
  assert.match(
    await thief.innerText('main'),
    /More than you may change at once\s+Nothing was changed\. 50 rows are left/,
  )
  const sent = (method: string, path: string, body?: object): Promise<number> =>
    thief.evaluate(
      async ([way, where, text]) => {
        const init = text === undefined ? {} : { body: text, headers: { 'content-type': 'application/json' } }
        return (await fetch(where ?? '', { method: way ?? '', ...init })).status
      },
      [method, path, body === undefined ? undefined : JSON.stringify(body)] as const,
    )
  await orders(thief)
  const ids = Array.from({ length: 1_000 }, (_, index) => index + 1)
  assert.equal(await sent('POST', '/api/orders/delete', { ids }), 403)
  const statuses: number[] = []
  for (const id of ids.slice(0, 60)) statuses.push(await sent('DELETE', `/api/orders/${id}`))
  assert.equal(statuses.filter(status => status === 200).length, 50)
  assert.ok(statuses.slice(50).every(status => status === 403))
  assert.equal(await orders(thief), 950)

  // The same again asks a second person; nobody consents to their own.
  await thief.click('text=Delete delivered orders')
  assert.match(await thief.innerText('main'), /consent of a second person: the role admin/)
  await thief.click('text=Continue')
  assert.match(await thief.innerText('main'), /Nobody has decided yet/)
  assert.equal(await thief.locator('button[value=approve]').count(), 0)
  const id = new URL(thief.url()).pathname.split('/').at(-1) ?? ''
  await orders(thief)
  assert.equal(await sent('POST', `/.postern/approvals/${id}`, { decision: 'approve' }), 403)

  const owner = await signedIn(OWNER)
  await owner.goto(`${url}/.postern/approvals`)
  await owner.click('text=POST /admin/orders/delete')
  const question = await owner.innerText('main')
  assert.match(question, /user:sam@example\.com/)
  assert.match(question, /The database counted \d+ rows before it refused\. 50 were left of purchase\.delete/)
  await owner.click('button[value=approve]')
  assert.match(await owner.innerText('main'), /Approved/)

  await orders(thief)
  await thief.click('text=Delete delivered orders')
  await thief.waitForURL(`${url}/admin`)
  const left = await orders(thief)
  assert.ok(left < 950)
  // One consent, one act.
  assert.equal(await sent('DELETE', '/api/orders/999'), 403)

  // The owner regrets it.
  postern('undo', 'seal')
  assert.match(
    postern('undo', 'apply', '--actor', 'user:sam@example.com', '--since', '1h'),
    new RegExp(`put back ${1_000 - left} rows of public\\.purchase that were deleted`),
  )
  assert.equal(await orders(owner), 1_000)
  await owner.goto(`${url}/orders/1`)
  assert.match(await owner.innerText('main'), /Total/)
})
