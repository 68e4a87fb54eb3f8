// The shop with sign-in by Postern, switched on by a configuration alone (npm start -- --with identity), in
// Chromium: sign-up, passkey, sessions, the admin area by role and fresh proof, one act confirmed by
// passkey, sign-out.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import { parse } from 'yaml'
import { type RunningShop, startShop } from '../examples/shop/src/server.ts'
import { launchChromium } from '../test/chromium.ts'
import { linkTo } from './mailbox.ts'
import { freePort, type Protected, protect, root } from './protected.ts'

let shop: RunningShop
let gateway: Protected
let browser: Browser
let origin: string

before(async () => {
  const port = await freePort()
  origin = `http://localhost:${port}`
  shop = await startShop({ port: 0, identity: { origin, audience: 'harbour-supply' } })
  const text = readFileSync(join(root, 'examples/shop/with/identity.yaml'), 'utf8')
  // The file as it is, but for the port.
  gateway = await protect(shop.url, { port, config: parse(text.replace('http://localhost:8080', origin)) })
  browser = await launchChromium()
})

after(async () => {
  await browser?.close()
  await gateway?.stop()
  await shop?.close()
})

/** A browser with an authenticator of its own. */
async function person(): Promise<Page> {
  const context = await browser.newContext({ locale: 'en' })
  const page = await context.newPage()
  const session = await context.newCDPSession(page)
  await session.send('WebAuthn.enable')
  await session.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2',
      transport: 'internal',
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  })
  return page
}

async function signUp(page: Page, email: string, name: string): Promise<void> {
  await page.goto(`${origin}/register`)
  await page.fill('#email', email)
  await page.click('main form button')
  await page.goto(await linkTo(gateway.folder, email))
  await page.fill('#name', name)
  await page.fill('#password', 'a quiet river')
  await page.click('main form button')
  await page.waitForURL(`${origin}/account`)
}

test('people sign up, order, add a passkey, see their devices, and come back by passkey', async () => {
  const page = await person()
  await page.goto(`${origin}/account`)
  assert.equal(new URL(page.url()).pathname, '/.postern/sign-in')
  await signUp(page, 'mary@shop.example', 'Mary')
  assert.equal(await page.textContent('h1'), 'Mary')
  assert.match(await page.innerText('main'), /mary@shop\.example/)
  await page.goto(`${origin}/products/1`)
  await page.click('text=Order one')
  await page.waitForURL(/\/orders\/\d+$/)
  assert.match(await page.innerText('main'), /Storm lantern/)

  await page.goto(`${origin}/.postern/passkey/new`)
  await page.fill('#name', 'Laptop')
  await page.click('main form button')
  await page.waitForURL(`${origin}/.postern/account`)
  await page.goto(`${origin}/.postern/sessions`)
  assert.match(await page.innerText('main'), /Chrom/)

  await page.goto(`${origin}/account`)
  await page.click('text=Sign out')
  await page.waitForURL(`${origin}/.postern/sign-out`)
  await page.click('main form button')
  await page.waitForURL(`${origin}/.postern/sign-in`)
  await page.goto(`${origin}/account`)
  await page.click('[data-passkey=sign-in]')
  await page.waitForURL(`${origin}/account`)
  assert.match(await page.innerText('main'), /№ 1001/)
})

test('a customer of the shop from before keeps the account when the address is proven', async () => {
  const page = await person()
  await signUp(page, 'ada@example.com', 'Whatever Ada types here')
  assert.equal(await page.textContent('h1'), 'Ada Harbour')
})

test('the admin area takes a role that only operators give, and deleting takes a passkey for that very act', async () => {
  const page = await person()
  await page.goto(`${origin}/admin`)
  await page.waitForURL(`${origin}/.postern/sign-in?back=%2Fadmin`)
  await signUp(page, 'grace@example.com', 'Grace')
  // Who makes an organisation owns it; that is not a role of the shop.
  await page.goto(`${origin}/.postern/organisations`)
  await page.fill('#name', 'admin')
  await page.click('text=Create')
  assert.equal((await page.goto(`${origin}/admin`))?.status(), 403)
  assert.match(await page.innerText('main'), /This needs the role admin/)
  assert.match(
    gateway.postern('users', 'roles', 'grace@example.com', 'admin'),
    /grace@example\.com has admin/,
  )
  assert.equal((await page.goto(`${origin}/admin`))?.status(), 200)
  assert.match(await page.innerText('main'), /1001\s*orders/)

  await page.goto(`${origin}/.postern/passkey/new`)
  await page.fill('#name', 'Laptop')
  await page.click('main form button')
  await page.waitForURL(`${origin}/.postern/account`)
  await page.goto(`${origin}/admin`)
  await page.click('text=Delete delivered orders')
  await page.waitForURL(/\/\.postern\/confirm\?id=/)
  assert.match(await page.innerText('main'), /POST \/admin\/orders\/delete/)
  await page.click('[data-passkey=confirm]')
  await page.waitForURL(`${origin}/admin`)
  assert.match(await page.innerText('main'), /1001\s*orders/, 'confirmed, and not done yet')
  await page.click('text=Delete delivered orders')
  await page.waitForURL(`${origin}/admin`)
  assert.doesNotMatch(await page.innerText('main'), /1001\s*orders/)

  const everybody = await fetch(`${origin}/api/customers`)
  assert.equal(everybody.status, 401)
  const forged = await fetch(`${origin}/account`, {
    redirect: 'manual',
    headers: { 'x-identity-jwt': 'e30.eyJlbWFpbCI6ImFkYUBleGFtcGxlLmNvbSJ9.' },
  })
  assert.equal(forged.headers.get('location'), '/login')
})

test('a session that is revoked by an operator ends with the next page', async () => {
  const page = await person()
  await signUp(page, 'hedy@shop.example', 'Hedy')
  assert.match(
    gateway.postern('sessions', 'revoke', 'hedy@shop.example'),
    /^1 session of hedy@shop.example is no longer valid$/m,
  )
  await page.goto(`${origin}/account`)
  assert.equal(new URL(page.url()).pathname, '/.postern/sign-in')
})
