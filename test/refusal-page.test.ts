import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { Engine, type Refusal, refusalAnswer } from '@postern/core'
import type { Browser, Page } from 'playwright-core'
import { violations } from './axe.ts'
import { launchChromium } from './chromium.ts'

const LANGUAGES = ['en', 'de', 'es', 'fr', 'ja', 'ar']
/** A theme or a width changes colours and places: nothing that differs by language, but for its direction. */
const BOTH_DIRECTIONS = ['en', 'ar']
const REFUSALS: readonly Refusal[] = [
  {
    effect: 'throttle',
    guard: 'throttle',
    status: 429,
    retryAfter: 95,
    reasons: [
      {
        rule: 'limit/address',
        message: 'Too many requests came from here. Please wait before you try again.',
      },
    ],
  },
  {
    effect: 'deny',
    guard: 'inspect',
    status: 403,
    reasons: [
      { rule: 'inspect/sqli', message: 'A part of this request looks like an attack, so it was stopped.' },
    ],
  },
]

describe('the page of a refusal in a browser', () => {
  let browser: Browser
  let engine: Engine
  before(async () => {
    browser = await launchChromium()
    engine = new Engine()
  })
  after(async () => {
    await browser.close()
  })

  const pageOf = (refusal: Refusal, language: string, method: string): string => {
    const exchange = engine.open({
      method,
      target: '/',
      headers: ['Accept', 'text/html', 'Accept-Language', language],
      peer: '192.0.2.1',
      secure: false,
      httpVersion: '1.1',
      body: undefined,
      native: undefined,
    })
    return refusalAnswer(refusal, exchange).body
  }

  const isUsable = async (page: Page, what: string, audit: boolean): Promise<void> => {
    const width = (await page.evaluate('document.documentElement.scrollWidth - window.innerWidth')) as number
    assert.ok(width <= 0, `${what} is wider than the screen by ${width}`)
    if (audit) assert.deepEqual(await violations(page), [], what)
  }

  for (const [colorScheme, width, height, audited] of [
    ['light', 360, 740, LANGUAGES],
    ['dark', 360, 740, BOTH_DIRECTIONS],
    ['light', 1280, 800, BOTH_DIRECTIONS],
    ['dark', 1280, 800, BOTH_DIRECTIONS],
  ] as const)
    test(`${colorScheme}, ${width} pixels wide: fits, and axe finds nothing, in every language`, async () => {
      const context = await browser.newContext({ colorScheme, viewport: { width, height }, bypassCSP: true })
      const page = await context.newPage()
      for (const language of LANGUAGES)
        for (const [index, refusal] of REFUSALS.entries()) {
          const what = `${language} ${refusal.status} ${colorScheme} ${width}`
          await page.setContent(pageOf(refusal, language, index === 0 ? 'GET' : 'POST'))
          await isUsable(page, what, audited.includes(language))
          const folder = process.env['POSTERN_SCREENSHOTS']
          if (folder !== undefined)
            await page.screenshot({ path: `${folder}/${what.replaceAll(' ', '-')}.png` })
        }
      await context.close()
    })

  test('one click on the number selects it whole', async () => {
    const page = await browser.newPage()
    await page.setContent(pageOf(REFUSALS[0] as Refusal, 'en', 'GET'))
    await page.click('code')
    const selected = (await page.evaluate(
      '[document.getSelection().toString().trim(), document.querySelector("code").textContent]',
    )) as readonly [string, string]
    assert.equal(selected[0], selected[1])
    await page.close()
  })
})
