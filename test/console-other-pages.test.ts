// What other pages and other tabs of the same browser can do to somebody who is signed in to the console.
import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, describe, test } from 'node:test'
import type { Page } from 'playwright-core'
import { ConsoleInBrowser } from './console-in-browser.ts'
import { seen } from './seen.ts'

describe('other pages and tabs, against the console', () => {
  let opened: ConsoleInBrowser
  let page: Page
  let console: NonNullable<ConsoleInBrowser['served']['console']>
  before(async () => {
    opened = await ConsoleInBrowser.open({ admin: '127.0.0.1:0' })
    page = opened.page
    console = opened.served.console ?? assert.fail('there is no console')
  })
  after(() => opened.close())
  /** Who acts when a page asks the API. */
  const nameOf = (of: Page): Promise<unknown> =>
    of.evaluate(async () => {
      const key = Object.keys(localStorage).find(name => name.includes('-token:')) ?? ''
      const headers = { 'Console-Token': localStorage.getItem(key) ?? '' }
      return ((await (await fetch('api/session', { headers })).json()) as { name?: string }).name
    })

  test('a link of somebody else, opened by a page of theirs, signs nobody in over a session without being asked', async () => {
    const mine = await nameOf(page)
    const link = await opened.newLink('mallory')
    const foreign = createServer((_request, response) => {
      response.setHeader('Content-Type', 'text/html')
      response.end(`<a href="${link}">A kitten</a>`)
    }).listen(0, '127.0.0.1')
    await new Promise(resolve => foreign.once('listening', resolve))
    const tab = await page.context().newPage()
    await tab.goto(`http://127.0.0.1:${(foreign.address() as AddressInfo).port}/`)
    await tab.getByText('A kitten').click()
    await seen(tab.getByRole('heading', { name: 'Sign in as someone else?' }))
    assert.equal(await nameOf(tab), mine)
    assert.equal(await nameOf(page), mine)
    await tab.getByRole('button', { name: `Stay signed in as ${String(mine)}` }).click()
    await seen(tab.getByRole('heading', { name: 'Overview' }))
    assert.equal(await nameOf(tab), mine)
    await tab.close()
    foreign.close()
    foreign.closeAllConnections()
  })

  test('a tab shows who acts in it, also after another tab signed in as somebody else, or signed out', async () => {
    const tab = await page.context().newPage()
    await tab.goto(await opened.newLink('vera', ['viewer']))
    await tab.getByRole('button', { name: 'Use the link' }).click()
    await seen(tab.getByTitle('Signed in as vera (viewer)'))
    await seen(page.getByTitle('Signed in as vera (viewer)'))
    await tab.getByRole('button', { name: 'Sign out' }).click()
    await seen(page.getByRole('heading', { name: 'Sign in to Postern' }))
    await tab.close()
    await page.goto(await opened.newLink('olga'))
    await seen(page.getByRole('heading', { name: 'Overview' }))
  })

  test('no page draws the console within itself, keeps a hold of its window, or reads it through one', async () => {
    const tab = await page.context().newPage()
    await tab.goto('about:blank')
    const foreign = createServer((_request, response) => {
      response.setHeader('Content-Type', 'text/html')
      response.end(`<iframe src="${console.address}"></iframe>`)
    }).listen(0, '127.0.0.1')
    await new Promise(resolve => foreign.once('listening', resolve))
    // Another host, and so another site: a port alone is the same one to SameSite.
    await tab.goto(`http://localhost:${(foreign.address() as AddressInfo).port}/`)
    assert.deepEqual(
      await Promise.all(
        tab
          .frames()
          .slice(1)
          .map(frame => frame.locator('#root').count()),
      ),
      [0],
    )
    await tab.evaluate(`(() => { window.held = open(${JSON.stringify(console.address)}) })()`)
    const isLetGo = '() => window.held === null || window.held.closed'
    await tab.waitForFunction(`(${isLetGo})()`, undefined, { timeout: 20_000 })
    await tab.close()
    foreign.close()
    foreign.closeAllConnections()
  })
})
