// The pages of built-in identity in headless Chromium with a virtual authenticator: sign-up, passkey,
// authenticator app, act-bound step-up, sign-out, recovery, in every language of the pages at phone and
// desktop width, light and dark, without a violation that axe finds.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { after, before, describe, test } from 'node:test'
import type { Browser, CDPSession, Page } from 'playwright-core'
import { hotp, totpStep } from '../packages/identity/src/totp/totp.ts'
import { type Site, startSite } from '../packages/identity/test/site.ts'
import { launchChromium } from '../test/chromium.ts'

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const RULES = ['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa', 'best-practice']
const VIEWS = [
  ['en', 390, 'light'],
  ['de', 390, 'light'],
  ['es', 390, 'dark'],
  ['fr', 390, 'light'],
  ['ja', 390, 'dark'],
  ['ar', 390, 'light'],
  ['en', 1280, 'dark'],
  ['de', 1280, 'light'],
  ['es', 1280, 'light'],
  ['fr', 1280, 'dark'],
  ['ja', 1280, 'light'],
  ['ar', 1280, 'dark'],
] as const

let browser: Browser
before(async () => {
  browser = await launchChromium()
})
after(() => browser?.close())

/** One person's browser, with a look at every page it opens. */
class Visit {
  readonly page: Page
  readonly #site: Site
  readonly #session: CDPSession
  readonly problems: string[] = []

  constructor(page: Page, session: CDPSession, site: Site) {
    this.page = page
    this.#session = session
    this.#site = site
    page.on('pageerror', error => this.problems.push(String(error)))
    page.on('console', message => {
      if (message.type() === 'error' && !message.text().includes('Failed to load resource'))
        this.problems.push(message.text())
    })
  }

  /** Opens a page of ours and looks at it. */
  async open(path: string): Promise<void> {
    await this.page.goto(path.startsWith('http') ? path : `${this.#site.origin}/.postern${path}`)
    await this.look()
  }

  /**
   * axe, in a world of its own because the page's policy allows no script but ours;
   * and no sideways scrolling.
   */
  async look(): Promise<void> {
    await this.page.waitForLoadState('load')
    const { frameTree } = await this.#session.send('Page.getFrameTree')
    const world = { frameId: frameTree.frame.id, worldName: 'axe' }
    const { executionContextId: contextId } = await this.#session.send('Page.createIsolatedWorld', world)
    await this.#session.send('Runtime.evaluate', { expression: `${axe};0`, contextId })
    const expression = `axe.run(document, { runOnly: ${JSON.stringify(RULES)} }).then(({ violations }) => JSON.stringify(violations.map(({ id, nodes }) => [id, nodes[0].html])))`
    const { result } = await this.#session.send('Runtime.evaluate', {
      expression,
      contextId,
      awaitPromise: true,
      returnByValue: true,
    })
    assert.equal(result.value, '[]', this.page.url())
    const [content = 0, width = 0] = await this.page.evaluate<number[]>(
      '[document.documentElement.scrollWidth, innerWidth]',
    )
    assert.ok(content <= width, `${this.page.url()} is ${content} wide in ${width}`)
  }

  /** Presses a button and waits for where it leads. */
  async press(selector: string, path: string): Promise<void> {
    await this.page.click(selector)
    await this.page.waitForURL(url => url.pathname === path)
    await this.page.waitForLoadState('load')
  }
}

describe('the pages of identity in a browser', () => {
  for (const [language, width, colorScheme] of VIEWS) {
    test(`${language}, ${width} wide, ${colorScheme}`, { timeout: 180_000 }, async t => {
      const site = await startSite(t)
      const context = await browser.newContext({
        viewport: { width, height: 844 },
        colorScheme,
        locale: language,
      })
      t.after(() => context.close())
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
      const visit = new Visit(page, session, site)

      for (const path of ['/sign-in', '/sign-in/link', '/recover', '/sign-up']) await visit.open(path)
      assert.equal(await page.getAttribute('html', 'lang'), language)
      assert.equal(await page.getAttribute('html', 'dir'), language === 'ar' ? 'rtl' : 'ltr')
      await page.fill('#email', 'alice@shop.example')
      await page.click('main form button')
      await visit.look()
      await visit.open(await site.link())
      await page.fill('#name', 'Alice')
      await page.fill('#password', 'a quiet river')
      await visit.press('main form button', '/')
      await visit.open('/account')

      await visit.open('/passkey/new')
      await page.fill('#name', 'Laptop')
      await visit.press('main form button', '/.postern/account')
      await visit.look()
      await visit.press('form[action$="/account/authenticator"] button', '/.postern/account/authenticator')
      await visit.look()
      const secret = (await page.innerText('pre.secret')).replaceAll(' ', '')
      const bits = [...secret]
        .map(letter => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(letter).toString(2).padStart(5, '0'))
        .join('')
      const bytes = Uint8Array.from(bits.match(/.{8}/g) ?? [], byte => Number.parseInt(byte, 2))
      await page.fill('#code', hotp(bytes, totpStep(Date.now())))
      await visit.press('form[action$=confirm] button', '/.postern/account/authenticator/confirm')
      await visit.look()

      for (const path of [
        '/account',
        '/account/email',
        '/account/password',
        '/account/delete',
        '/sessions',
        '/keys',
        '/organisations',
      ])
        await visit.open(path)
      await visit.open('/keys')
      await page.fill('#name', 'deploy')
      await page.click('form[action$="/keys"] button')
      await visit.look()

      await visit.open('/step-up?back=%2Forders')
      await visit.press('[data-passkey=prove]', '/orders')
      const cookie = (await context.cookies()).find(({ name }) => name === 'postern-session')?.value ?? ''
      const exchange = site.engine.open({
        method: 'DELETE',
        target: '/orders/1001',
        headers: ['cookie', `postern-session=${cookie}`, 'referer', `${site.origin}/orders`],
        peer: '127.0.0.1',
        secure: false,
        httpVersion: '1.1',
        body: undefined,
        native: undefined,
      })
      const principal = await site.identity.identify(exchange)
      assert.ok(principal)
      exchange.setPrincipal(principal)
      const act = {
        actor: `user:${principal.id}`,
        action: 'orders.delete',
        resource: 'order/1001',
        arguments: { amount: 120.5 },
      }
      const challenge = await site.identity.stepUp.check(exchange, { within: 0, act })
      assert.ok('location' in challenge)
      await visit.open(site.origin + challenge.location)
      await visit.press('[data-passkey=confirm]', '/orders')
      assert.ok('amr' in (await site.identity.stepUp.check(exchange, { within: 0, act })))

      await visit.open('/sign-out')
      await visit.press('main form button', '/.postern/sign-in')
      await visit.press('[data-passkey=sign-in]', '/')
      assert.match(await page.innerText('body'), /"hwk"/)
      await context.clearCookies()
      await visit.open('/sign-in')
      await page.fill('#email', 'alice@shop.example')
      await page.fill('#password', 'a quiet river')
      await visit.press('form[action$="/sign-in"] button', '/.postern/sign-in/code')
      await visit.look()
      await visit.open('/recover')
      await page.fill('#email', 'alice@shop.example')
      await page.click('main form button')
      await visit.open(await site.link())
      await page.fill('#password', 'another quiet river')
      await page.click('main form button')
      await visit.look()
      assert.deepEqual(visit.problems, [])
    })
  }
})
