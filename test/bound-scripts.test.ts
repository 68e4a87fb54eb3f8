import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, type TestContext, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { ALLOW, Engine, type Event, type Guard, VirtualClock } from '@postern/core'
import { startGateway } from '@postern/gateway'
import { BoundSessions } from '@postern/identity/bind'
import { securityHeaders } from '@postern/identity/headers'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { type Postern, postern } from '../packages/postern/src/index.ts'
import { launchChromium } from './chromium.ts'
import { seen } from './seen.ts'
import { until } from './until.ts'

const PAGE =
  '<!doctype html><title>shop</title><form method="post" action="/order"><button name="item" value="tea">Order</button></form><p>'

/**
 * An application with sessions of its own that is not aware of Postern: a form signs in, a page shows who it
 * is, another form is answered with what it held.
 */
class Application {
  readonly sessions: Map<string, string> = new Map()
  readonly cookies: (string | undefined)[] = []
  #next = 0

  handle(request: IncomingMessage, response: ServerResponse): void {
    const { cookie } = request.headers
    this.cookies.push(cookie)
    const user = this.sessions.get(/(?:^|; )sid=(\w+)/.exec(cookie ?? '')?.[1] ?? '')
    let body = ''
    request.setEncoding('utf8').on('data', (piece: string) => {
      body += piece
    })
    request.on('end', () => {
      const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost')
      if (pathname === '/sign-in') {
        this.#next += 1
        this.sessions.set(`s${this.#next}`, searchParams.get('user') ?? '')
        response.writeHead(303, { location: '/', 'set-cookie': `sid=s${this.#next}; Path=/; HttpOnly` }).end()
      } else if (pathname === '/sign-out') {
        response.setHeader('set-cookie', 'sid=; Path=/; Max-Age=0').end('signed out')
      } else if (pathname === '/order') {
        response.end(`${user ?? 'nobody'} ordered ${body}`)
      } else if (pathname === '/who') {
        response.end(user ?? 'nobody')
      } else {
        response.setHeader('content-type', 'text/html').end(`${PAGE}${user ?? 'nobody'}</p>`)
      }
    })
  }
}

async function listen(
  t: TestContext,
  handler: (q: IncomingMessage, a: ServerResponse) => void,
): Promise<string> {
  const server = createServer(handler).listen(0, '127.0.0.1')
  await new Promise(resolve => server.once('listening', resolve))
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://localhost:${(server.address() as AddressInfo).port}`
}

interface Site {
  readonly application: Application
  readonly url: string
  readonly clock: VirtualClock
  readonly events: Event[]
}

/** Milliseconds for which a network or a machine is slow. */
interface Slow {
  /** Until the application answers. */
  readonly answers: number
  /** Until the browser has the script of the service worker. */
  readonly worker: number
}

/** The application, unchanged, behind the gateway; the gateway's time is ours. */
async function behindGateway(t: TestContext, slow: Slow = { answers: 0, worker: 0 }): Promise<Site> {
  const application = new Application()
  const upstream = await listen(t, (request, response) => {
    setTimeout(() => application.handle(request, response), slow.answers)
  })
  const slowly: Guard = {
    name: 'slow',
    failure: 'closed',
    decide: exchange =>
      exchange.header('service-worker') === 'script' ? pause(slow.worker).then(() => ALLOW) : ALLOW,
  }
  const clock = new VirtualClock()
  const events: Event[] = []
  const bound = new BoundSessions({
    cookie: 'sid',
    secret: new Uint8Array(32).fill(7),
    withoutDbsc: 'webcrypto',
    clock,
    onEvent: event => events.push(event),
  })
  const gateway = await startGateway({
    upstream,
    listen: { host: '127.0.0.1', port: 0 },
    // The strictest headers that Postern adds: none of it may depend on a nonce.
    engine: new Engine({ guards: [slowly, securityHeaders({ policy: 'strict' }), bound] }),
  })
  t.after(() => gateway.close())
  return { application, url: gateway.url.replace('127.0.0.1', 'localhost'), clock, events }
}

const bounds = (events: readonly Event[]): number =>
  events.filter(({ type }) => type === 'session.bound').length

/** What the page says, whether it is shown now or after a page of ours. */
async function shows(page: Page, text: string): Promise<void> {
  await seen(page.locator('p', { hasText: text }), { timeout: 30_000 })
}

const ask = (page: Page, path: string): Promise<{ status: number; text: string }> =>
  page.evaluate(async target => {
    const answer = await fetch(target)
    return { status: answer.status, text: await answer.text() }
  }, path)

async function cookiesOf(context: BrowserContext): Promise<Readonly<Record<string, string>>> {
  return Object.fromEntries((await context.cookies()).map(({ name, value }) => [name, value]))
}

/** Whether the service worker of ours has taken over the page. */
const isWorked = (page: Page): Promise<boolean> =>
  page.evaluate(
    async () =>
      (globalThis as unknown as { navigator: { serviceWorker: { controller: unknown } } }).navigator
        .serviceWorker.controller !== null,
  )

describe('a browser without device-bound sessions', { timeout: 180_000 }, () => {
  let browser: Browser
  before(async () => {
    browser = await launchChromium()
  })
  after(() => browser.close())

  const open = async (t: TestContext): Promise<{ context: BrowserContext; page: Page }> => {
    const context = await browser.newContext()
    t.after(() => context.close())
    return { context, page: await context.newPage() }
  }

  test('a sign-in by a form is bound before its first page, and a copied cookie ends while the owner notices nothing', async t => {
    const { application, url, clock, events } = await behindGateway(t)
    const { context, page } = await open(t)
    await page.goto(`${url}/sign-in?user=ada`)
    await shows(page, 'ada')
    assert.equal(bounds(events), 1)
    const owned = await cookiesOf(context)
    assert.deepEqual(Object.keys(owned), ['postern-bound'])
    const thief = { cookie: `postern-bound=${owned['postern-bound']}` }
    assert.equal(await (await fetch(`${url}/who`, { headers: thief })).text(), 'ada')

    clock.advance(301_000)
    const refused = await fetch(`${url}/who`, { headers: thief })
    assert.equal(refused.status, 401)
    await page.goto(`${url}/`)
    await shows(page, 'ada')
    assert.notEqual((await cookiesOf(context))['postern-bound'], owned['postern-bound'])
    assert.equal((await fetch(`${url}/who`, { headers: thief })).status, 401)
    assert.ok(application.cookies.every(cookie => !cookie?.includes('postern-bound')))

    await page.goto(`${url}/sign-out`)
    await page.goto(`${url}/`)
    await shows(page, 'nobody')
    await page.goto(`${url}/sign-in?user=grace`)
    await shows(page, 'grace')
    assert.equal(bounds(events), 2)
  })

  test('calls, forms and several tabs go on with a cookie that ran out unnoticed', async t => {
    const { url, clock } = await behindGateway(t)
    const { context, page } = await open(t)
    await page.goto(`${url}/sign-in?user=ada`)
    await shows(page, 'ada')
    await until(() => isWorked(page))
    // The browser's clock is not the server's: by it the cookie is good, and the server says that it is not.
    clock.advance(301_000)
    const tabs = [page, await context.newPage(), await context.newPage()]
    await Promise.all(tabs.slice(1).map(tab => tab.goto(`${url}/`)))
    for (const tab of tabs) await shows(tab, 'ada')
    const answers = await Promise.all(tabs.map(tab => ask(tab, '/who')))
    assert.deepEqual(
      answers.map(({ text }) => text),
      ['ada', 'ada', 'ada'],
    )
    await page.click('button')
    await seen(page.locator('text=ada ordered item=tea'), { timeout: 30_000 })
    // A form that came too late is not sent twice; its sender sees why.
    await page.goBack()
    await shows(page, 'ada')
    clock.advance(301_000)
    await page.click('button')
    await seen(page.locator('text=send it again'), { timeout: 30_000 })
    await page.goBack()
    await page.click('button')
    await seen(page.locator('text=ada ordered item=tea'), { timeout: 30_000 })
  })

  test('the worker sees the first page after a sign-in, however slow the application and the worker are', async t => {
    const { url } = await behindGateway(t, { answers: 1_500, worker: 500 })
    const { page } = await open(t)
    await page.goto(`${url}/sign-in?user=ada`)
    await shows(page, 'ada')
    assert.ok(await isWorked(page))
  })

  test('a page that signs in by a call, and one that stays open, with the script in it', async t => {
    const { application, url, clock, events } = await behindGateway(t)
    const { context, page } = await open(t)
    await page.clock.install()
    await context.route(`${url}/app`, route =>
      route.fulfill({
        contentType: 'text/html',
        headers: {
          'content-security-policy':
            "default-src 'none'; script-src 'self'; connect-src 'self'; worker-src 'self'",
        },
        body: '<!doctype html><title>app</title><script src="/.postern/bind/session.js"></script>',
      }),
    )
    await page.goto(`${url}/app`)
    await ask(page, '/sign-in?user=ada')
    await until(() => bounds(events) === 1)
    assert.equal((await ask(page, '/who')).text, 'ada')
    const before = (await cookiesOf(context))['postern-bound']
    clock.advance(250_000)
    await page.clock.fastForward(250_000)
    await until(async () => (await cookiesOf(context))['postern-bound'] !== before)
    clock.advance(60_000)
    assert.deepEqual(await ask(page, '/who'), { status: 200, text: 'ada' })
    assert.ok(application.cookies.includes('sid=s1'))
    // Asleep for an hour: by the page's clock it is over, and what is asked waits for it.
    clock.advance(3_600_000)
    await page.clock.fastForward(1)
    await page.clock.setSystemTime(Date.now() + 7_200_000)
    assert.deepEqual(await ask(page, '/who'), { status: 200, text: 'ada' })
  })

  test('without storage it says so, and goes on for the interval', async t => {
    const { url, clock } = await behindGateway(t)
    const { context, page } = await open(t)
    await context.addInitScript(() => Object.defineProperty(globalThis, 'indexedDB', { value: undefined }))
    await page.goto(`${url}/sign-in?user=ada`)
    await seen(page.locator('text=stay signed in for a few minutes only'), { timeout: 30_000 })
    await page.click('button')
    await shows(page, 'ada')
    await page.goto(`${url}/`)
    await shows(page, 'ada')
    clock.advance(301_000)
    await page.goto(`${url}/`)
    await shows(page, 'nobody')
  })

  test('without scripts it says the same', async t => {
    const { url } = await behindGateway(t)
    const context = await browser.newContext({ javaScriptEnabled: false, locale: 'de' })
    t.after(() => context.close())
    const page = await context.newPage()
    await page.goto(`${url}/sign-in?user=ada`)
    await seen(page.locator('text=nur wenige Minuten angemeldet'), { timeout: 30_000 })
    await page.click('button')
    await shows(page, 'ada')
  })

  test('whoever copied all cookies into another browser is signed out there after the interval, and sees no page in a loop', async t => {
    const { url, clock } = await behindGateway(t)
    const owner = await open(t)
    await owner.page.goto(`${url}/sign-in?user=ada`)
    await shows(owner.page, 'ada')
    const thief = await open(t)
    await thief.context.addCookies(await owner.context.cookies())
    clock.advance(301_000)
    await thief.page.goto(`${url}/`)
    await shows(thief.page, 'nobody')
    assert.deepEqual(await cookiesOf(thief.context), {})
    await owner.page.goto(`${url}/`)
    await shows(owner.page, 'ada')
  })

  test('without Web Locks and without a service worker', async t => {
    const { url, clock } = await behindGateway(t)
    const context = await browser.newContext({ serviceWorkers: 'block' })
    t.after(() => context.close())
    await context.addInitScript(() =>
      Object.defineProperty(globalThis, 'navigator', { value: { serviceWorker: undefined } }),
    )
    const page = await context.newPage()
    await page.goto(`${url}/sign-in?user=ada`)
    await shows(page, 'ada')
    const tabs = [page, await context.newPage(), await context.newPage()]
    clock.advance(301_000)
    await Promise.all(tabs.map(tab => tab.goto(`${url}/`)))
    for (const tab of tabs) await shows(tab, 'ada')
  })

  for (const framework of ['express', 'fastify', 'hono'] as const)
    test(`${framework}: the same by middleware, by configuration`, async t => {
      const application = new Application()
      const folder = mkdtempSync(join(tmpdir(), 'postern-bound-'))
      const layer = await postern({
        folder,
        log: 'none',
        config: { audit: false, bind: { cookie: 'sid', withoutDbsc: 'webcrypto' } },
      })
      t.after(async () => {
        await layer.close()
        rmSync(folder, { recursive: true, force: true })
      })
      const url = await APPLICATIONS[framework](t, layer, application)
      const { context, page } = await open(t)
      await page.goto(`${url}/sign-in?user=ada`)
      await shows(page, 'ada')
      await page.click('button')
      await seen(page.locator('text=ada ordered item=tea'), { timeout: 30_000 })
      const cookies = await cookiesOf(context)
      assert.deepEqual(Object.keys(cookies), ['postern-bound'])
      const state = await page.evaluate(async () => {
        const answer = await fetch('/.postern/bind/script', {
          method: 'POST',
          headers: { 'postern-bind': 'state' },
        })
        return ((await answer.json()) as { state: string }).state
      })
      assert.equal(state, 'script')
    })
})

const APPLICATIONS: Readonly<
  Record<
    'express' | 'fastify' | 'hono',
    (t: TestContext, layer: Postern, application: Application) => Promise<string>
  >
> = {
  express: async (t, layer, application) => {
    const { default: express } = await import('express')
    const app = express()
    app.use(layer.express())
    app.use((request, response) => application.handle(request, response))
    return listen(t, app)
  },
  fastify: async (t, layer, application) => {
    const { default: fastify } = await import('fastify')
    const app = fastify({ forceCloseConnections: true })
    await app.register(layer.fastify())
    app.addContentTypeParser('*', (_request, _payload, done) => done(null))
    app.all('/*', (request, reply) => {
      reply.hijack()
      application.handle(request.raw, reply.raw)
    })
    t.after(() => app.close())
    return (await app.listen({ port: 0, host: '127.0.0.1' })).replace('127.0.0.1', 'localhost')
  },
  hono: async (t, layer, application) => {
    const { Hono } = await import('hono')
    const { getRequestListener } = await import('@hono/node-server')
    const inner = await listen(t, (request, response) => application.handle(request, response))
    const app = new Hono()
    app.use(layer.hono())
    app.all('/*', async context => {
      const { pathname, search } = new URL(context.req.url)
      const headers = new Headers(context.req.raw.headers)
      const answer = await fetch(inner + pathname + search, {
        method: context.req.method,
        headers,
        redirect: 'manual',
        ...(context.req.method === 'POST' && { body: await context.req.text() }),
      })
      return new Response(answer.body, answer)
    })
    return listen(t, getRequestListener(app.fetch))
  },
}
