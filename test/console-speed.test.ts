// The page under loads that people see once: the structure that keeps it fast is asserted, times are printed
// (`npm run bench -- console-page` states them).
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Page } from 'playwright-core'
import { ConsoleInBrowser } from './console-in-browser.ts'
import { interactionTimes, scrollFrames, watchInteractions } from './page-speed.ts'
import { until } from './until.ts'

const ROW = 34
const MANY = 100_000

/** Kept events as the API gives them, made up. */
function manyRows(): readonly object[] {
  return Array.from({ length: MANY }, (_, i) => ({
    id: MANY - i,
    time: 1_795_000_000_000 - i,
    type: 'http',
    verdict: i % 7 === 0 ? 'deny' : 'allow',
    request: `x${String(i).padStart(19, '0')}`,
    method: 'GET',
    path: `/many/${i}`,
    query: '',
    status: 200,
    address: `192.0.2.${i % 250}`,
    weight: 1,
  }))
}

/**
 * Replaces the live events of a page by made-up ones: a delivery of 100 requests every 100 ms, one of twenty
 * refused, until `stop` is called. The page cannot tell them from the gateway's.
 */
const FLOOD = `(() => {
  const real = window.fetch
  window.flood = { deliveries: 0, isStopped: false }
  window.fetch = (input, init) => {
    if (!String(input).endsWith('/api/live')) return real(input, init)
    const encoder = new TextEncoder()
    let timer
    const body = new ReadableStream({
      start(controller) {
        controller.enqueue(encoder.encode(': connected\\n\\n'))
        timer = setInterval(() => {
          if (window.flood.isStopped) return
          const first = window.flood.deliveries++ * 100
          const rows = Array.from({ length: 100 }, (_, i) => ({
            time: Date.now(), type: 'http', verdict: i % 20 === 0 ? 'deny' : 'allow',
            request: 'f' + String(first + i).padStart(19, '0'), method: 'GET',
            path: '/flood/' + (first + i), query: '', status: 200, address: '192.0.2.' + (i % 50), weight: 1,
          }))
          controller.enqueue(encoder.encode('event: rows\\ndata: ' + JSON.stringify(rows) + '\\n\\n'))
        }, 100)
      },
      cancel() { clearInterval(timer) },
    })
    init.signal.addEventListener('abort', () => clearInterval(timer))
    return Promise.resolve(new Response(body))
  }
})()`

async function deliveries(page: Page): Promise<number> {
  return Number(await page.evaluate('window.flood.deliveries'))
}

describe('the page stays fast', () => {
  let opened: ConsoleInBrowser

  before(async () => {
    opened = await ConsoleInBrowser.open()
  })
  after(() => opened?.close())

  test('100,000 events scroll with the elements of fifty', async t => {
    const { page } = opened
    const rows = manyRows()
    await page.route('**/api/events?*', route => route.fulfill({ json: { events: rows } }))
    await opened.show('live')
    await page.locator('.event', { hasText: '/many/0' }).first().waitFor()
    const measured = await scrollFrames(page, '.events', 120)
    await page.unroute('**/api/events?*')
    assert.equal(await page.locator('.events').evaluate(element => element.scrollHeight), MANY * ROW)
    assert.ok(measured.elements < 1_000, `${measured.elements} elements`)
    t.diagnostic(JSON.stringify(measured))
  })

  test('what arrives while somebody reads waits above, and comes with a press', async () => {
    const own = await opened.newContext({ viewport: { width: 1_280, height: 860 } })
    const page = await own.newPage()
    await page.addInitScript(FLOOD)
    await page.route('**/api/events?*', route =>
      route.fulfill({ json: { events: manyRows().slice(0, 500) } }),
    )
    await opened.restart()
    await page.goto(opened.served.console?.link ?? '')
    await page.getByRole('heading', { name: 'Overview' }).waitFor()
    await page.keyboard.press('g')
    await page.keyboard.press('l')
    const list = page.locator('.events')
    await page.locator('.event', { hasText: '/flood/' }).first().waitFor()
    await list.evaluate(element => {
      element.scrollTop = element.scrollHeight - element.clientHeight - 2_000
    })
    const newer = page.getByRole('button', { name: /newer/ })
    await newer.waitFor()
    const read = await page.locator('.event').nth(20).textContent()
    const seen = await deliveries(page)
    await until(async () => (await deliveries(page)) > seen + 5)
    assert.equal(await page.locator('.event').nth(20).textContent(), read, 'the lines that are read stay')
    await page.evaluate('window.flood.isStopped = true')
    await newer.click()
    const last = (await deliveries(page)) * 100 - 1
    await page.locator('.event', { hasText: `/flood/${last}` }).waitFor()
    assert.equal(await list.evaluate(element => element.scrollTop), 0)
    await page.unroute('**/api/events?*')
    await own.close()
  })

  test('1,000 requests per second leave the overview as large as it was, and it answers', async t => {
    const own = await opened.newContext({ viewport: { width: 1_280, height: 860 } })
    const page = await own.newPage()
    await page.addInitScript(FLOOD)
    await opened.restart()
    await page.goto(opened.served.console?.link ?? '')
    await page.locator('.refused-list li').nth(4).waitFor()
    await page.locator('.figures').waitFor()
    await watchInteractions(page)
    const before = Number(await page.evaluate('document.querySelectorAll("main *").length'))
    const start = await deliveries(page)
    for (const name of ['6 hours', '24 hours', '7 days', 'Last hour']) {
      await page.getByRole('button', { name }).click()
      await page.getByRole('button', { name, pressed: true }).waitFor()
    }
    await page.keyboard.press('?')
    await page.getByRole('heading', { name: 'Keyboard shortcuts' }).waitFor()
    await page.keyboard.press('Escape')
    await until(async () => (await deliveries(page)) >= start + 20)
    const rate = page.locator('.rate strong')
    await until(async () => Number((await rate.textContent())?.replaceAll(',', '')) > 100)
    const after_ = Number(await page.evaluate('document.querySelectorAll("main *").length'))
    assert.ok(after_ <= before + 40, `${before} elements before, ${after_} after`)
    t.diagnostic(`interactions: ${(await interactionTimes(page)).join(', ')} ms`)
    await own.close()
  })
})
