// Texts of clients, users and operators that nobody sees, or that turn and cover what is around them, on
// every screen of the console in Chromium.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Page } from 'playwright-core'
import { PLACES } from '../packages/console/page/src/lib/places.ts'
import {
  ACTIVITY,
  APPROVALS,
  CHANGES,
  FINDINGS,
  OPENINGS,
  OPERATORS,
  POLICIES,
  VAULT,
} from './console-fixtures.ts'
import { ConsoleInBrowser } from './console-in-browser.ts'

const CONFIG = 'identity:\n  origin: http://127.0.0.1:8080\n'
const ATTACK = `/search?q=${encodeURIComponent("' UNION SELECT password FROM users--")}`
/** Turned text, a bell, fillers, joiners, tags, marks that pile up over the lines above, half a character. */
const HIDDEN = `\u202egnp\u2066\u0007\u00ad\u3164\u115f\u2800\u034f\ufe0f\u{e0041}\u2028e${'\u0301'.repeat(60)}\ud800`
/** Words of the protocol between page and server, ids and numbers: no text of anybody else. */
const FIXED = new Set(
  'type kind verdict state measure severity mode roles answers decision change personal keys checkpoint hashes bytes leafHash request requests example id token action at isApplied engine text before'.split(
    ' ',
  ),
)
const MADE_UP: readonly (readonly [RegExp, object])[] = [
  [/\/events\?type=finding/, FINDINGS],
  [/\/policies$/, POLICIES],
  [/\/vault$/, VAULT],
  [/\/vault\/openings/, OPENINGS],
  [/\/activity/, ACTIVITY],
  [/\/approvals/, APPROVALS],
  [/\/undo$/, CHANGES],
  [/\/operators$/, OPERATORS],
]

/** The same with what is hidden behind every text that comes from elsewhere. */
function tainted(value: unknown, name = ''): unknown {
  if (FIXED.has(name) && typeof value !== 'object') return value
  if (typeof value === 'string') return `${value}${HIDDEN}`
  if (Array.isArray(value)) return value.map(each => tainted(each, name))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, tainted(each, key)]))
}

/** Every text that the page draws or reads out: of elements, and of attributes that are for people. */
const DRAWN = `(() => {
  const texts = []
  const walk = document.createTreeWalker(document.querySelector('#root'), NodeFilter.SHOW_TEXT | NodeFilter.SHOW_ELEMENT)
  for (let node = walk.nextNode(); node !== null; node = walk.nextNode()) {
    if (node.nodeType === Node.TEXT_NODE) texts.push(node.data)
    else for (const name of ['title', 'aria-label', 'placeholder', 'alt']) if (node.hasAttribute(name)) texts.push(node.getAttribute(name))
  }
  return texts
})()`

describe('texts that nobody sees, in the console', () => {
  let opened: ConsoleInBrowser
  let page: Page
  let refused = ''
  let user = ''

  before(async () => {
    opened = await ConsoleInBrowser.open({ config: CONFIG })
    page = opened.page
    const { identity } = opened.served.runtime.resources
    assert.ok(identity !== undefined)
    await identity.importAccounts('email,name,email_verified\nann@shop.example,Ann,true\n')
    user = (await identity.accounts.list())[0]?.id ?? ''
    await identity.sessions.begin({ accountId: user, amr: ['pwd'], address: '203.0.113.9', agent: 'Links' })
    await identity.apiKeys.create({ kind: 'user', id: user }, { name: 'one', scopes: ['orders'] })
    for (let i = 0; i < 30; i++)
      refused = (await opened.send(ATTACK, { address: '203.0.113.7' })).headers.get('x-request-id') ?? ''
    await opened.served.runtime.resources.remediations?.add({
      actor: { kind: 'address', value: '203.0.113.8' },
      measure: 'block',
      for: '1h',
      reason: 'by hand',
    })
    await page.route('**/api/**', async route => {
      const { pathname, search } = new URL(route.request().url())
      if (route.request().method() !== 'GET' || pathname.endsWith('/live')) return route.continue()
      const madeUp = MADE_UP.find(([path]) => path.test(pathname + search))?.[1]
      const json: unknown = madeUp ?? (await (await route.fetch()).json())
      return route.fulfill({ json: tainted(json) })
    })
  })
  after(() => opened?.close())

  test('they are written out on every screen, in texts and in what is read out', async () => {
    const hidden: string[] = []
    const errors: string[] = []
    page.on('pageerror', ({ message }) => errors.push(message))
    const told: string[] = []
    for (const place of [
      ...PLACES.map(({ id }) => id),
      `why/${refused}`,
      'actor/address/203.0.113.7',
      `actor/principal/${encodeURIComponent(`ann${HIDDEN}`.toWellFormed())}`,
      `user/${user}`,
      'audit/1',
    ]) {
      // Nothing of the screen before is left.
      await page.goto('about:blank')
      await opened.show(place)
      await page.locator('main h1').first().waitFor()
      // What is hidden is written out somewhere, once the answers are there.
      await page
        .locator('main', { hasText: '\\u202e' })
        .waitFor({ timeout: 10_000 })
        .catch(() => undefined)
      const texts = (await page.evaluate(DRAWN)) as readonly string[]
      const bare = texts.filter(text =>
        /[\p{Bidi_Control}\u0007\u2028\u2800]|\p{Default_Ignorable_Code_Point}|\u0301{5}/u.test(text),
      )
      if (bare.length > 0) hidden.push(`${place}: ${bare.length}, ${JSON.stringify(bare[0]?.slice(0, 60))}`)
      if (texts.some(text => text.includes('\\u202e'))) told.push(place.split('/')[0] ?? '')
    }
    assert.deepEqual(errors, [])
    assert.deepEqual(hidden, [])
    const silent = [...PLACES.map(({ id }) => id), 'why', 'actor', 'user'].filter(
      place => !told.includes(place),
    )
    assert.deepEqual(silent, [], 'every screen was shown something')
  })
})
