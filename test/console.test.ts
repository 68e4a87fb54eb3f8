import assert from 'node:assert/strict'
import { existsSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { loadConfig } from '@postern/config'
import { SqliteTraffic, type TrafficCount } from '@postern/console'
import { type Served, serve } from '@postern/server'
import { openDataDirectory } from '@postern/store'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { PLACES } from '../packages/console/page/src/lib/places.ts'
import { ensurePage } from '../scripts/build-page.ts'
import { root } from '../scripts/workspace.ts'
import { violations } from './axe.ts'
import { launchChromium } from './chromium.ts'
import { seen } from './seen.ts'
import { until } from './until.ts'

const ATTACK = `/search?q=${encodeURIComponent("' UNION SELECT password FROM users--")}`
const CONFIG = `trustProxies: loopback
listen: 127.0.0.1:0
admin: false
audit: { origin: shop.example.com/audit }
console:
  listen: 127.0.0.1:0
`
const SCREENSHOTS = process.env['POSTERN_SCREENSHOTS']

const OLD = 2_300

/** Requests of two days ago, so that there is something to scroll through. */
async function keepOldRequests(directory: string): Promise<void> {
  openDataDirectory(directory).close()
  const store = SqliteTraffic.open({ directory, keep: 1e12, maxSize: 1e12 })
  const start = Date.now() - 2 * 86_400_000
  const old = Array.from({ length: OLD }, (_, i) => ({
    event: {
      type: 'http',
      time: start + i,
      actor: { address: '192.0.2.200' },
      request: {
        id: `b${String(i).padStart(19, '0')}`,
        method: 'GET',
        host: '',
        path: `/old/${OLD - i}`,
        query: '',
      },
      decision: 'allow' as const,
    },
    weight: 1,
    guardTimes: undefined,
  }))
  await store.write(old, lastHour())
  await store.close()
}

/** Counts of the last hour, so that charts have something to show: calm, with a flood in the middle. */
function lastHour(): readonly TrafficCount[] {
  const now = Math.floor(Date.now() / 60_000)
  return Array.from({ length: 58 }, (_, i) => {
    const isFlood = i > 24 && i < 31
    const count = (verdict: 'allow' | 'throttle' | 'deny', requests: number, rule = ''): TrafficCount => ({
      minute: now - 59 + i,
      verdict,
      route: '',
      rule,
      requests,
      layer: requests * (isFlood ? 0.31 : 0.22),
      total: requests * 11,
    })
    return [
      count('allow', 170 + ((i * 37) % 60)),
      count('deny', (i * 5) % 9, 'inspect/sqli/union'),
      count('throttle', isFlood ? 90 + ((i * 23) % 40) : 0, 'limit/address'),
    ].filter(({ requests }) => requests > 0)
  }).flat()
}

/** A backend that answers everything with 200. */
function startBackend(): Promise<Server> {
  return new Promise(resolve => {
    const server = createServer((request, response) => {
      request.resume()
      response.end('ok\n')
    }).listen(0, '127.0.0.1', () => resolve(server))
  })
}

describe('the console in a browser, on a running gateway', () => {
  let folder: string
  let backend: Server
  let served: Served
  let browser: Browser
  let context: BrowserContext
  let page: Page
  const foreign: string[] = []

  const startGateway = async (): Promise<Served> => {
    const { port } = backend.address() as AddressInfo
    const overrides = { upstream: `http://127.0.0.1:${port}` }
    const loaded = await loadConfig({ folder, environment: process.env })
    return serve({ loaded, overrides, dataDirectory: join(folder, '.postern') })
  }

  /** A request through the gateway from a client with this address. */
  const send = async (path: string, address = '198.51.100.7', agent = 'curl/8'): Promise<Response> => {
    const response = await fetch(`${served.url}${path}`, {
      headers: { 'X-Forwarded-For': address, 'User-Agent': agent },
    })
    await response.arrayBuffer()
    return response
  }
  const idOf = (response: Response): string => response.headers.get('x-request-id') ?? ''
  const consoleAddress = (): string => served.console?.address ?? ''
  const open = async (place: string): Promise<void> => {
    await page.goto(`${consoleAddress()}#/${place}`)
  }
  const main = (text: string | RegExp) => page.locator('main').getByText(text)

  before(async () => {
    await ensurePage()
    folder = mkdtempSync(join(tmpdir(), 'shop-'))
    backend = await startBackend()
    const { port } = backend.address() as AddressInfo
    writeFileSync(join(folder, 'postern.config.yaml'), `upstream: http://127.0.0.1:${port}\n${CONFIG}`)
    await keepOldRequests(join(folder, '.postern'))
    served = await startGateway()
    browser = await launchChromium()
    context = await browser.newContext({ viewport: { width: 1280, height: 860 }, bypassCSP: false })
    context.setDefaultTimeout(20_000)
    page = await context.newPage()
    page.on('request', request => {
      if (!request.url().startsWith(consoleAddress())) foreign.push(request.url())
    })
  })
  after(async () => {
    await browser?.close()
    await served?.close()
    backend?.close()
    rmSync(folder, { recursive: true, force: true })
  })

  test('a link signs in once, and leaves the address', async () => {
    const link = served.console?.link ?? ''
    await page.goto(link)
    await seen(page.getByRole('heading', { name: 'Overview' }))
    assert.ok(!page.url().includes('link='), page.url())
    const other = await browser.newContext()
    const second = await other.newPage()
    await second.goto(link)
    await seen(second.getByText('was used or has expired'))
    await other.close()
  })

  test('the three attacks run from buttons, and each leads to why it was refused', async () => {
    // A gateway that has kept a thousand requests is not a new one: the buttons are folded away.
    await page.getByRole('button', { name: 'Test the protection…' }).click()
    for (const name of ['SQL injection', 'Path traversal', 'Password guessing']) {
      const attack = page.locator('.attacks li', { hasText: name })
      await attack.getByRole('button', { name: `Run ${name}` }).click()
      await seen(attack.getByText('refused'))
    }
    await page
      .locator('.attacks li', { hasText: 'Path traversal' })
      .getByRole('link', { name: 'See why' })
      .click()
    const marked = page.locator('mark', { hasText: 'etc/passwd' })
    await seen(marked.or(page.locator('mark', { hasText: '../' })).first())
  })

  test('live shows a request as it arrives; a click on its rule leaves only that', async () => {
    await open('live')
    await seen(page.getByText('live', { exact: true }))
    const refused = await send(`${ATTACK}&live=1`)
    assert.equal(refused.status, 403)
    await send('/calm')
    const line = page.locator('.event', { hasText: 'live=1' })
    await seen(line)
    await seen(page.locator('.event', { hasText: 'GET /calm' }))
    await line.getByRole('button', { name: /inspect\/sqli/ }).click()
    await page.locator('.event', { hasText: 'GET /calm' }).waitFor({ state: 'detached' })
    await seen(page.locator('.event', { hasText: 'live=1' }))
    await page.getByRole('button', { name: /Remove the filter rule/ }).click()
    await seen(page.locator('.event', { hasText: 'GET /calm' }))
  })

  test('a paused view stays as it is and counts what waits', async () => {
    await open('live')
    await seen(page.getByText('live', { exact: true }))
    await page.keyboard.press('p')
    await seen(page.getByText('paused, 0 waiting'))
    await send('/while-paused')
    await seen(page.getByText('paused, 1 waiting'))
    assert.equal(await page.locator('.event', { hasText: 'while-paused' }).count(), 0)
    await page.getByRole('button', { name: 'Go on' }).click()
    await seen(page.locator('.event', { hasText: 'while-paused' }))
  })

  test('from the id of a refused request to its cause without a click, and from there to a saved exception', async () => {
    const path = `/articles?q=${encodeURIComponent("' UNION SELECT title FROM drafts--")}`
    const refused = await send(path)
    assert.equal(refused.status, 403)
    await page.keyboard.press('/')
    await page.keyboard.type(idOf(refused))
    await page.keyboard.press('Enter')
    await seen(page.locator('mark', { hasText: 'UNION SELECT' }))
    await seen(page.locator('.guards .refusing', { hasText: 'inspect' }))
    await page.getByRole('button', { name: 'Let it pass…' }).click()
    await seen(page.locator('.diff .added', { hasText: 'GET /articles' }))
    assert.equal((await send(path)).status, 403, 'a diff that is only read changes nothing')
    await page.getByRole('button', { name: 'Save and apply' }).click()
    await seen(page.getByText('and in force'))
    assert.equal((await send(path)).status, 200)
    assert.match(readFileSync(join(folder, 'postern.config.yaml'), 'utf8'), /route: GET \/articles/)
    assert.equal((await send(ATTACK)).status, 403, 'other routes stay protected')
  })

  test('the overview says what was refused most, and by whom', async () => {
    await open('overview')
    const rules = page.locator('.top-list', { hasText: 'rules' })
    await seen(rules.getByText(/inspect\/sqli/).first())
    await page
      .locator('.top-list', { hasText: 'Addresses' })
      .getByRole('link', { name: '198.51.100.7' })
      .click()
    await seen(page.getByRole('heading', { name: 'address 198.51.100.7' }))
    await seen(page.locator('.event', { hasText: '/articles' }).first())
    await seen(main('left in').first())
  })

  test('a ban of an address holds at once, and its end too', async () => {
    await open('actor/address/203.0.113.9')
    await page.getByRole('link', { name: 'Ban…' }).click()
    await page.getByLabel('Reason').fill('scanning')
    await page.getByRole('button', { name: 'Ban', exact: true }).click()
    await seen(page.locator('td', { hasText: '203.0.113.9' }))
    assert.equal((await send('/', '203.0.113.9')).status, 403)
    await page.getByRole('button', { name: 'Unban 203.0.113.9' }).click()
    await seen(page.getByText('Nobody is banned').or(page.locator('table')).first())
    await page.locator('td', { hasText: '203.0.113.9' }).waitFor({ state: 'detached' })
    assert.equal((await send('/', '203.0.113.9')).status, 200)
    await page.getByLabel('Actor').fill('127.0.0.1')
    await page.getByRole('button', { name: 'Ban', exact: true }).click()
    await seen(page.getByRole('alert').getByText('is protected'))
  })

  test('a finding names the requests that led to it', async () => {
    for (let i = 0; i < 12; i++) await send(`/.env?n=${i}`, '203.0.113.77', 'sqlmap/1.8')
    await open('findings')
    const finding = page.locator('.finding', { hasText: '203.0.113.77' }).first()
    await seen(finding)
    await finding.locator('a.mono').last().click()
    await seen(page.getByRole('heading', { name: /^Request/ }))
  })

  test('an approver consents to a request', async () => {
    const approvals = served.runtime.resources.access.approvals
    await approvals?.request({
      act: {
        actor: 'user:alice',
        action: 'orders.delete',
        resource: 'orders/2024',
        arguments: { before: '2024-12-31' },
      },
      principal: { kind: 'user', id: 'alice' },
      by: 'role:support-lead',
      reason: 'Closing the year',
      preview: { summary: 'Deletes 1,204 orders', rows: { orders: 1_204 } },
    })
    await open('approvals')
    await seen(main('Deletes 1,204 orders'))
    await shot('approvals')
    await page.getByLabel('Note for the requester').fill('seen the list')
    await page.getByRole('button', { name: 'Approve', exact: true }).click()
    await seen(main('Nothing is waiting for a decision'))
    await page.getByRole('button', { name: 'approved' }).click()
    await seen(main(/seen the list/))
  })

  test('the browser itself verifies that an entry is in the log, and notices one that was changed', async () => {
    await open('audit')
    await seen(page.getByText('✓ verified here').first())
    await page.locator('.entries a', { hasText: 'exception.apply' }).first().click()
    await seen(main(/It is in the log of \d+ entries/))
    await seen(page.locator('.proof.verified'))
    await page.route('**/api/audit/*/proof', async route => {
      const answer = await route.fetch()
      const proof = (await answer.json()) as { bytes: string }
      const bytes = Buffer.from(proof.bytes, 'base64')
      bytes[40] = (bytes[40] ?? 0) ^ 1
      await route.fulfill({ json: { ...proof, bytes: bytes.toString('base64') } })
    })
    await page.locator('.entries a', { hasText: 'console.sign-in' }).first().click()
    await seen(main('does not lead to the signed root'))
    await page.unroute('**/api/audit/*/proof')
  })

  test('the log only grew since this browser last looked, and one that shrank is noticed', async () => {
    await send(`${ATTACK}&grow=1`)
    await open('live')
    await open('audit')
    await seen(page.getByText(/Has only grown since|Unchanged since/))
    await page.evaluate(`{
      const key = 'postern-console-checkpoint:/'
      const head = JSON.parse(localStorage.getItem(key))
      localStorage.setItem(key, JSON.stringify({ ...head, size: head.size + 1_000_000 }))
    }`)
    await page.reload()
    await seen(page.getByText('Not a continuation of what this browser saw before'))
    await page.evaluate(`localStorage.removeItem('postern-console-checkpoint:/')`)
  })

  test('a change of the settings is tried on kept traffic, then written, and taken back', async () => {
    for (let i = 0; i < 8; i++) await send(`/report?page=${i}`, '198.51.100.44', 'Reporting/2.0')
    await open('settings')
    const editor = page.locator('textarea')
    const before = await editor.inputValue()
    assert.ok(before.includes('trustProxies: loopback'))
    await editor.fill(`${before}limits:\n  tight: { limit: 3/1h, for: addres }\n`)
    await page.getByRole('button', { name: 'Preview' }).click()
    await seen(page.getByRole('alert'))
    const changed = `${before}block:\n  - 198.51.100.44\n`
    await editor.fill(changed)
    assert.equal(await page.getByRole('button', { name: 'Save', exact: true }).isDisabled(), true)
    await page.getByRole('button', { name: 'Preview' }).click()
    const group = page.locator('tr', { hasText: '198.51.100.44' })
    await seen(group)
    assert.match((await group.textContent()) ?? '', /8/)
    await shot('settings-preview')
    assert.equal((await send('/report', '198.51.100.44')).status, 200, 'a preview changes nothing')
    await page.getByRole('button', { name: 'Save', exact: true }).click()
    await seen(page.locator('.badge', { hasText: '+2' }).first())
    assert.equal((await send('/report', '198.51.100.44')).status, 403)
    await page.getByRole('button', { name: 'Show' }).first().click()
    await page.getByRole('button', { name: 'Take the text before it into the editor' }).click()
    await page.getByRole('button', { name: 'Preview' }).click()
    await seen(page.locator('section[aria-label=Preview] tr', { hasText: '198.51.100.44' }))
    await page.getByRole('button', { name: 'Save', exact: true }).click()
    await seen(page.locator('.badge', { hasText: '−2' }).first())
    assert.equal((await send('/report', '198.51.100.44')).status, 200)
  })

  test('the map shows what the backend answers to, and what anybody may change', async () => {
    for (const id of [17, 18])
      await fetch(`${served.url}/orders/${id}?notify=1`, {
        method: 'DELETE',
        headers: { 'User-Agent': 'shop/1' },
      })
    await open('map')
    const route = page.locator('tr', { hasText: 'DELETE /orders/{id}' })
    await seen(route)
    assert.match((await route.textContent()) ?? '', /notify.*open to anyone.*2xx 2/)
    await page.getByRole('button', { name: 'Open to anyone' }).click()
    await page.locator('tr', { hasText: 'GET /calm' }).waitFor({ state: 'detached' })
    const downloading = page.waitForEvent('download')
    await page.getByRole('button', { name: 'Export as OpenAPI' }).click()
    const document = JSON.parse(readFileSync(await (await downloading).path(), 'utf8')) as {
      readonly paths: Readonly<Record<string, Readonly<Record<string, unknown>>>>
    }
    assert.ok(document.paths['/orders/{id}']?.['delete'] !== undefined)
  })

  test('everything is reached by keys', async () => {
    await open('overview')
    await seen(page.getByRole('heading', { name: 'Overview' }))
    for (const [keys, heading] of [
      ['gl', 'Live'],
      ['gf', 'Findings'],
      ['gb', 'Bans'],
      ['ga', 'Approvals'],
      ['gu', 'Audit log'],
      ['gs', 'Settings'],
      ['gm', 'API map'],
      ['gr', 'Undo'],
      ['gt', 'Activity'],
      ['gw', 'Who touched what'],
      ['gp', 'Users'],
      ['gk', 'API keys'],
      ['gy', 'Policies'],
      ['gv', 'Vault'],
      ['gh', 'System'],
      ['gi', 'Operators'],
      ['go', 'Overview'],
    ] as const) {
      for (const key of keys) await page.keyboard.press(key)
      await seen(page.getByRole('heading', { name: heading, exact: true }))
    }
    await page.keyboard.press('?')
    await seen(page.getByRole('heading', { name: 'Keyboard shortcuts' }))
    await page.keyboard.press('Escape')
    await page.getByRole('heading', { name: 'Keyboard shortcuts' }).waitFor({ state: 'detached' })
    await open('live')
    await seen(page.locator('.event').first())
    await page.keyboard.press('j')
    await seen(page.locator('.event.chosen'))
  })

  test('operators are in the audit log, each act before it ran', async () => {
    await open('audit')
    await page.getByLabel('Kind of entry').selectOption('operator')
    await page.getByRole('button', { name: 'Search' }).click()
    for (const action of ['approval.approve', 'unban', 'exception.apply', 'attack.try', 'console.sign-in'])
      await seen(page.locator('.entries a', { hasText: action }).first())
  })

  const shot = async (name: string): Promise<void> => {
    if (SCREENSHOTS !== undefined) await page.screenshot({ path: `${SCREENSHOTS}/console-${name}.png` })
  }

  const ELSEWHERE: readonly string[] = [
    'activity',
    'graph',
    'users',
    'keys',
    'policies',
    'vault',
    'operators',
    'system',
  ]
  // The screens of console-access.test.ts have something to show there.
  const keepPicture = async (screen: string, theme: string, width: number): Promise<void> => {
    if (!ELSEWHERE.includes(screen)) await shot(`${screen}-${theme}${width === 390 ? '-phone' : ''}`)
  }
  const SCREENS = [...PLACES.map(({ id }) => id), 'why', 'actor'] as const
  const show = async (screen: (typeof SCREENS)[number], why: string): Promise<void> => {
    await open(
      screen === 'why'
        ? `why/${why}`
        : screen === 'actor'
          ? 'actor/address/198.51.100.7'
          : screen === 'audit'
            ? 'audit/3'
            : screen,
    )
    const ready = {
      overview: '.top-list li',
      live: '.event',
      findings: '.finding',
      bans: '.ban-form',
      approvals: '.state, .card',
      audit: '.proof',
      settings: 'textarea',
      map: 'tbody tr',
      undo: '.state',
      activity: '.plot, .state',
      graph: '.state, .touch-graph',
      users: '.state',
      keys: '.state',
      policies: '.state',
      vault: '.state',
      system: 'tbody tr',
      operators: '.state',
      why: '.guards',
      actor: '.event',
    }[screen]
    await seen(page.locator(ready).first())
    if (screen === 'bans') await seen(page.locator('.state, table').first())
  }

  for (const [colorScheme, audited] of [
    ['light', 1_280],
    ['dark', 390],
  ] as const)
    test(`${colorScheme}: every screen fits a desk and a phone, and axe finds nothing`, async () => {
      const why = idOf(await send(ATTACK))
      const outer = page
      const own = await browser.newContext({ colorScheme, bypassCSP: true })
      own.setDefaultTimeout(20_000)
      page = await own.newPage()
      try {
        await page.goto(served.console?.link ?? '')
        await seen(page.getByRole('heading', { name: 'Overview' }))
        for (const screen of SCREENS)
          for (const [width, height] of [
            [1_280, 860],
            [390, 780],
          ] as const) {
            await page.setViewportSize({ width, height })
            await show(screen, why)
            await keepPicture(screen, colorScheme, width)
            const wide = (await page.evaluate(
              'document.documentElement.scrollWidth - window.innerWidth',
            )) as number
            assert.ok(wide <= 0, `${screen} at ${width} is wider than the screen by ${wide}`)
            if (width === audited) assert.deepEqual(await violations(page), [], `${screen} ${colorScheme}`)
          }
      } finally {
        page = outer
        await own.close()
      }
    })

  test('on paper a screen is whole and light, whatever the theme, without what only a screen needs', async () => {
    const outer = page
    const own = await browser.newContext({ colorScheme: 'dark', viewport: { width: 1_000, height: 300 } })
    own.setDefaultTimeout(20_000)
    page = await own.newPage()
    try {
      await page.goto(served.console?.link ?? '')
      await seen(page.getByRole('heading', { name: 'Overview' }))
      const measured = (): Promise<unknown> =>
        page.evaluate(
          '[document.documentElement.scrollHeight > 400, getComputedStyle(document.body).backgroundColor, document.querySelector("nav").checkVisibility()]',
        )
      assert.deepEqual(await measured(), [false, 'rgb(14, 18, 20)', true])
      await page.emulateMedia({ media: 'print' })
      // What the screen shows comes after its heading.
      await until(async () => (await page.evaluate('document.documentElement.scrollHeight > 400')) === true)
      assert.deepEqual(await measured(), [true, 'rgb(255, 255, 255)', false])
    } finally {
      page = outer
      await own.close()
    }
  })

  test('older events follow when the end of the list comes into sight', async () => {
    await open('live')
    await seen(page.locator('.event').first())
    const list = page.locator('.events')
    for (const height of [1_000 * 34, 2_000 * 34]) {
      const loaded = page.waitForResponse(response => response.url().includes('before='))
      await list.evaluate(element => element.scrollTo(0, element.scrollHeight))
      await loaded
      while ((await list.evaluate(element => element.scrollHeight)) <= height)
        await page.evaluate('new Promise(resolve => requestAnimationFrame(resolve))')
    }
    await list.evaluate(element => element.scrollTo(0, element.scrollHeight))
    await seen(page.locator('.event', { hasText: `/old/${OLD}` }))
  })

  test('nothing is loaded from anywhere else', () => {
    assert.deepEqual(foreign, [])
  })

  test('an exception outlives a restart; sessions do not', async () => {
    await served.close()
    served = await startGateway()
    const path = `/articles?q=${encodeURIComponent("' UNION SELECT title FROM drafts--")}`
    assert.equal((await send(path)).status, 200)
    await page.goto(`${consoleAddress()}#/overview`)
    await seen(page.getByRole('heading', { name: 'Sign in to Postern' }))
  })
})

test('the page loads at most 150 KiB of JavaScript', async () => {
  await ensurePage()
  const folder = join(root, 'packages/console/dist/page')
  assert.ok(existsSync(join(folder, 'index.html')))
  const sizes = globSync('assets/*.js', { cwd: folder }).map(
    file => gzipSync(readFileSync(join(folder, file))).length,
  )
  assert.ok(sizes.reduce((sum, size) => sum + size, 0) <= 150 * 1_024, String(sizes))
})
