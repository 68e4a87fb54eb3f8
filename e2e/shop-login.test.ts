// The shop with its own sign-in, merely defended (npm start -- --with login): many addresses guess at one
// account, and its owner, in Chromium, notices nothing.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import { parse } from 'yaml'
import { ACCOUNTS } from '../examples/shop/src/seed.ts'
import { type RunningShop, startShop } from '../examples/shop/src/server.ts'
import { launchChromium } from '../test/chromium.ts'
import { type Protected, protect, root } from './protected.ts'

const [EMAIL, PASSWORD] = ACCOUNTS[0]

let shop: RunningShop
let gateway: Protected
let browser: Browser

before(async () => {
  shop = await startShop({ port: 0 })
  const written = parse(readFileSync(join(root, 'examples/shop/with/login.yaml'), 'utf8'))
  // A proxy on this machine says where attackers come from.
  gateway = await protect(shop.url, { config: { ...written, trustProxies: ['loopback'] } })
  browser = await launchChromium()
})

after(async () => {
  await browser?.close()
  await gateway?.stop()
  await shop?.close()
})

async function signIn(page: Page, password: string): Promise<void> {
  await page.goto(`${gateway.url}/login`)
  await page.fill('[name=email]', EMAIL)
  await page.fill('[name=password]', password)
  await page.click('main form button')
  await page.waitForLoadState()
}

/** A guess from an address of its own; by the form and by the API in turn. */
async function guess(index: number, password: string): Promise<number> {
  const isForm = index % 2 === 0
  const { status, body } = await fetch(`${gateway.url}${isForm ? '/login' : '/api/login'}`, {
    method: 'POST',
    redirect: 'manual',
    headers: {
      'content-type': isForm ? 'application/x-www-form-urlencoded' : 'application/json',
      'x-forwarded-for': `198.${18 + (index >> 8)}.${index & 255}.7`,
      'user-agent': 'Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0',
    },
    body: isForm
      ? new URLSearchParams({ email: EMAIL, password }).toString()
      : JSON.stringify({ email: EMAIL.toUpperCase(), password }),
  })
  await body?.cancel()
  return status
}

test('a hundred addresses have ten guesses between them, and the owner on a known device signs in', async () => {
  const owner = await browser.newPage()
  await signIn(owner, PASSWORD)
  assert.equal(new URL(owner.url()).pathname, '/account')
  await owner.click('text=Sign out')
  await owner.waitForURL(`${gateway.url}/`)

  const statuses: number[] = []
  for (let index = 0; index < 100; index++) statuses.push(await guess(index, `guess${index}`))
  const compared = statuses.filter(status => status === 401).length
  assert.ok(compared <= 10, `${compared} guesses reached the shop`)
  assert.ok(
    statuses.slice(20).every(status => status === 429 || status === 403),
    statuses.join(' '),
  )
  // Knowing the password by then helps nobody.
  assert.ok([429, 403].includes(await guess(101, PASSWORD)))

  await signIn(owner, 'mistyped')
  assert.match(await owner.innerText('main'), /The password is wrong/)
  await signIn(owner, PASSWORD)
  assert.equal(new URL(owner.url()).pathname, '/account')
})
