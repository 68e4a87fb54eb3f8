import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PlainBrowser, signUp, startSite } from '../packages/identity/test/site.ts'
import { launchChromium } from './chromium.ts'

test('attack: what a browser sends from the page of a mailed link names its token to nobody', async t => {
  const sent: string[] = []
  const site = await startSite(t, {
    first: exchange => void sent.push(`${exchange.path.canonical} ${exchange.header('referer') ?? ''}`),
    application: () => ({ status: 200, headers: ['Content-Type', 'text/html'], body: 'the shop' }),
  })
  await signUp(site, 'alice@shop.example')
  await new PlainBrowser(site.origin).post('/.postern/recover', { email: 'alice@shop.example' })
  const link = await site.link()
  const browser = await launchChromium()
  t.after(() => browser.close())
  const page = await browser.newPage()
  await page.goto(link)
  await page.evaluate(() => fetch('/favicon.ico'))
  await page.fill('#password', 'another quiet river')
  await page.click('button.full')
  await page.waitForSelector('a[href$="/sign-in"]')
  await page.evaluate("location.href = '/'")
  await page.waitForURL(`${site.origin}/`)
  const from = sent.filter(line => line.includes(' http'))
  assert.ok(from.length > 2, `${from.length} requests with a Referer`)
  assert.deepEqual(
    from.filter(line => line.includes('token=')),
    [],
  )
})
