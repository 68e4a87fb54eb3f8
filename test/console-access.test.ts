// Screens about people, keys, rules and the process, in Chromium on a running gateway with built-in identity.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { BuiltInIdentity } from '@postern/identity/built-in'
import type { Page } from 'playwright-core'
import { PLACES } from '../packages/console/page/src/lib/places.ts'
import { violations } from './axe.ts'
import { ACTIVITY, OPENINGS, POLICIES, VAULT } from './console-fixtures.ts'
import { ConsoleInBrowser } from './console-in-browser.ts'
import { seen } from './seen.ts'
import { until } from './until.ts'

const CONFIG = `identity:
  origin: http://127.0.0.1:8080
routes:
  /admin/**: { require: { role: admin } }
`
const IMAGE = '<img src=x onerror=alert(3)>'
const ATTACK = `/search?q=${encodeURIComponent("' UNION SELECT password FROM users--")}`

describe('who may do what, in the console', () => {
  let opened: ConsoleInBrowser
  let page: Page
  let identity: BuiltInIdentity
  let ann = ''

  before(async () => {
    opened = await ConsoleInBrowser.open({ config: CONFIG })
    page = opened.page
    const own = opened.served.runtime.resources.identity
    assert.ok(own !== undefined)
    identity = own
    await identity.importAccounts(
      'email,name,email_verified\nann@shop.example,Ann,true\nbob@shop.example,Bob,true\n',
    )
    ann = (await identity.accounts.list()).find(({ email }) => email.startsWith('ann'))?.id ?? ''
    for (const agent of ['Firefox on a laptop', 'Chrome on a phone'])
      await identity.sessions.begin({ accountId: ann, amr: ['pwd'], address: '203.0.113.9', agent })
  })
  after(() => opened?.close())

  test('a key is shown once, works in the table, and is revoked by a second press', async () => {
    await opened.show('keys')
    await page.getByLabel('Service').fill('billing')
    await page.getByLabel('Scopes').fill('orders:read, orders:write')
    await page.getByRole('button', { name: 'Create a key' }).click()
    const text = (await page.locator('.key-form .command').textContent()) ?? ''
    assert.equal((await identity.apiKeys.listAll())[0]?.scopes.join(' '), 'orders:read orders:write')
    assert.match(text, /^[\w-]{20,}$/)
    await page.getByRole('button', { name: 'Done' }).click()
    await page.getByText(text).waitFor({ state: 'detached' })
    await page.getByRole('button', { name: 'Revoke billing' }).click()
    assert.equal((await identity.apiKeys.listAll())[0]?.revokedAt, undefined, 'one press asks')
    await page.getByRole('button', { name: 'Really: Revoke billing' }).click()
    await seen(page.getByText('No API keys'))
    assert.notEqual((await identity.apiKeys.listAll())[0]?.revokedAt, undefined)
  })

  test('a user is found, signed out of one device, given a role and disabled', async () => {
    await opened.show('users')
    await page.getByLabel('Filter by address, name or id').fill('ann')
    await page.getByRole('link', { name: 'bob@shop.example' }).waitFor({ state: 'detached' })
    await page.getByRole('link', { name: 'ann@shop.example' }).click()
    const phone = page.locator('tr', { hasText: 'Chrome on a phone' })
    await phone.getByRole('button', { name: /End the session/ }).click()
    await phone.getByRole('button', { name: /Really/ }).click()
    await phone.waitFor({ state: 'detached' })
    assert.equal((await identity.sessions.list(ann)).length, 1)
    await page.getByLabel('Roles').fill('admin')
    const saved = page.waitForResponse(response => response.url().endsWith('/roles'))
    await page.getByRole('button', { name: 'Save' }).click()
    await saved
    assert.deepEqual((await identity.accounts.byId(ann))?.roles, ['admin'])
    await page.getByRole('button', { name: 'Disable ann@shop.example' }).click()
    await page.getByRole('button', { name: /^Really/ }).click()
    await seen(page.getByText('Not signed in anywhere'))
    await page.getByRole('button', { name: 'Enable' }).click()
    await seen(page.getByRole('button', { name: 'Disable ann@shop.example' }))
    await identity.sessions.begin({ accountId: ann, amr: ['pwd'], address: '203.0.113.9', agent: 'Links' })
    await opened.show('users')
    await page.getByRole('button', { name: 'Signed in now' }).click()
    await seen(page.locator('tr', { hasText: 'Links' }))
  })

  test('who is invited makes a passkey, signs in with it, and is signed out when removed', async () => {
    await opened.show('operators')
    await page.getByLabel('E-mail address').fill('vera@example.com')
    await page.getByRole('button', { name: 'Invite' }).click()
    const link = (await page.locator('.notice .command').textContent()) ?? ''
    assert.match(link, /^http:\/\/localhost:\d+\/#invitation=[\w-]+$/)
    const context = await opened.newContext({ viewport: { width: 1_280, height: 860 } })
    const own = await context.newPage()
    const devices = await context.newCDPSession(own)
    await devices.send('WebAuthn.enable')
    await devices.send('WebAuthn.addVirtualAuthenticator', {
      options: {
        protocol: 'ctap2',
        transport: 'internal',
        hasResidentKey: true,
        hasUserVerification: true,
        isUserVerified: true,
        automaticPresenceSimulation: true,
      },
    })
    await own.goto(link)
    await seen(own.getByText('vera@example.com'))
    assert.ok(!own.url().includes('invitation='), own.url())
    await own.getByRole('button', { name: 'Make a passkey and sign in' }).click()
    await seen(own.getByRole('heading', { name: 'Overview' }))
    await own.getByRole('button', { name: 'Sign out' }).click()
    await own.getByRole('button', { name: 'Sign in with a passkey' }).click()
    await seen(own.getByRole('heading', { name: 'Overview' }))
    const second = await context.newPage()
    await second.goto(link)
    await seen(second.getByRole('alert').getByText('was used or has expired'))
    await opened.show('overview')
    await opened.show('operators')
    await page.getByRole('button', { name: 'Remove vera@example.com' }).click()
    await page.getByRole('button', { name: 'Really: Remove vera@example.com' }).click()
    await seen(page.getByText('No operator has an account'))
    await seen(own.getByRole('heading', { name: 'Sign in to Postern' }))
    await context.close()
  })

  test('other roles are given to somebody by boxes, and pressed twice', async () => {
    await opened.show('operators')
    await page.getByLabel('E-mail address').fill('ina@example.com')
    await page.getByRole('button', { name: 'Invite' }).click()
    await page.getByRole('button', { name: 'Done' }).click()
    const roles = page.getByRole('group', { name: 'Roles of ina@example.com' })
    assert.equal(await roles.getByLabel('decide approvals').isDisabled(), true)
    await roles.getByLabel('make changes').check()
    await roles.getByRole('button', { name: 'Change the roles of ina@example.com' }).click()
    await roles.getByRole('button', { name: 'Really: Change the roles of ina@example.com' }).click()
    await until(async () => (await roles.getByRole('button').count()) === 0)
    await opened.show('overview')
    await opened.show('operators')
    assert.equal(await roles.getByLabel('make changes').isChecked(), true)
    assert.equal(await roles.getByLabel('decide approvals').isChecked(), false)
    await page.getByRole('button', { name: 'Remove ina@example.com' }).click()
    await page.getByRole('button', { name: 'Really: Remove ina@example.com' }).click()
    await seen(page.getByText('No operator has an account'))
  })

  test('a false positive is marked with a note, counted by rule, and taken back', async () => {
    const refused = await opened.send(ATTACK)
    await opened.show(`why/${refused.headers.get('x-request-id')}`)
    await page.getByLabel('What the request was').fill('our own scanner')
    await page.getByRole('button', { name: 'False positive' }).click()
    await seen(page.getByText('was marked once'))
    await opened.show('findings')
    await page.getByRole('button', { name: 'False positives' }).click()
    await page.locator('tr', { hasText: 'our own scanner' }).getByRole('link').click()
    await page.getByRole('button', { name: 'False positive' }).click()
    await page.getByRole('button', { name: 'Take it back' }).click()
    await seen(page.getByRole('button', { name: 'False positive' }))
    await opened.show('findings')
    await page.getByRole('button', { name: 'False positives' }).click()
    await seen(page.getByText('No refusal is marked'))
  })

  test('a hostile request hides nothing, turns nothing and widens nothing, and is one click away', async () => {
    const turned = encodeURIComponent('\u202egnp.exe')
    const query = encodeURIComponent(
      `' UNION SELECT password FROM users-- \u2066\u0007 שלום ${'x'.repeat(900)}`,
    )
    const refused = await opened.send(`/${turned}${'a'.repeat(900)}?q=${query}`, {
      agent: `curl/8 ${'y'.repeat(300)}`,
    })
    assert.equal(refused.status, 403)
    for (const width of [1_280, 390]) {
      await page.setViewportSize({ width, height: 860 })
      await opened.show('overview')
      await page.locator(`.refused-list a[href="#/why/${refused.headers.get('x-request-id')}"]`).click()
      await seen(page.locator('mark', { hasText: 'UNION SELECT' }))
      const text = (await page.locator('main').textContent()) ?? ''
      assert.ok(text.includes('\\u202egnp.exe') && text.includes('\\u2066') && text.includes('\\u0007'))
      assert.doesNotMatch(text, /[\u202e\u2066\u0007]/)
      const wide = await page.evaluate('document.documentElement.scrollWidth - innerWidth')
      assert.ok(Number(wide) <= 0, `wider than ${width} by ${wide}`)
    }
    await page.setViewportSize({ width: 1_280, height: 860 })
  })

  test('attempts are seen by hour, and who touched what as a picture and as a list', async () => {
    await opened.send('/admin/orders', { address: '203.0.113.50' })
    await opened.show('activity')
    await seen(page.locator('.heat td[title$=": 2"], .heat td[title$=": 3"]').first())
    await opened.show('graph')
    const line = page.locator('tr', { hasText: 'attack' }).or(page.locator('tr', { hasText: 'keys.create' }))
    await seen(line.first())
    assert.ok((await page.locator('.touch-graph path').count()) > 0)
  })

  test('the process says that it is well, and doctor checks the setup', async () => {
    await opened.show('system')
    await seen(page.getByText('Everything is healthy.').or(page.getByText('parts are unhealthy')))
    await seen(page.locator('tr', { hasText: 'console traffic' }))
    await page.getByRole('button', { name: 'Check now' }).click()
    await seen(page.locator('.findings-list li').first())
  })

  test('nothing that clients send is run or drawn as markup, on any screen', async () => {
    const markup = '"><img src=x onerror=alert(1)><script>alert(2)</script>\'--'
    const sent: string[] = []
    page.on('dialog', dialog => {
      sent.push(dialog.message())
      void dialog.dismiss()
    })
    await identity.importAccounts(`email,name,email_verified\neve@shop.example,${IMAGE},true\n`)
    const refused = await opened.send(`/${encodeURIComponent(markup)}?q=${encodeURIComponent(markup)}`, {
      agent: markup,
      address: '203.0.113.66',
    })
    const shows: Readonly<Record<string, string>> = { live: 'onerror=alert(1)', users: IMAGE }
    const why = `why/${refused.headers.get('x-request-id')}`
    for (const screen of [...PLACES.map(({ id }) => id), why, 'actor/address/203.0.113.66']) {
      await opened.show(screen)
      await page.locator('main h1').first().waitFor()
      const shown = shows[screen]
      if (shown !== undefined) await seen(page.locator('main').getByText(shown).first())
      const drawn = await page.evaluate(
        'document.querySelectorAll(\'main img[src="x"], main script, main iframe, main [onerror]\').length',
      )
      assert.equal(drawn, 0, screen)
    }
    assert.deepEqual(sent, [], 'no script ran')
  })

  test('without policies and a vault the screens say how to have them', async () => {
    await opened.show('vault')
    await seen(page.getByText('No vault is configured'))
    await opened.show('policies')
    await seen(page.getByText('No policies are configured'))
    await seen(page.locator('tr', { hasText: '/admin/**' }))
  })

  for (const [colorScheme, width, audit] of [
    ['light', 1_280, violations],
    ['dark', 1_280, undefined],
    ['light', 390, undefined],
    ['dark', 390, violations],
  ] as const)
    test(`${colorScheme}, ${width} pixels: filled screens fit, and axe finds nothing where it looks`, async () => {
      const context = await opened.newContext({
        colorScheme,
        bypassCSP: true,
        viewport: { width, height: 860 },
      })
      const own = await context.newPage()
      const outer = opened.page
      opened.page = own
      try {
        await opened.restart()
        await opened.signIn()
        await own.route('**/api/policies', route => route.fulfill({ json: POLICIES }))
        await own.route('**/api/vault', route => route.fulfill({ json: VAULT }))
        await own.route('**/api/vault/openings?*', route => route.fulfill({ json: OPENINGS }))
        await own.route('**/api/activity?*', route => route.fulfill({ json: ACTIVITY }))
        for (const [place, ready] of [
          ['keys', '.state, tbody'],
          ['users', 'tbody'],
          [`user/${ann}`, '.facts'],
          ['policies', '.matrix'],
          ['vault', '.limit'],
          ['activity', '.heat'],
          ['graph', '.touch-graph'],
          ['operators', '.state'],
          ['system', 'tbody tr'],
        ] as const) {
          await opened.show(place)
          await seen(own.locator(ready).first())
          const wide = await own.evaluate(
            'document.querySelector("main").scrollWidth - document.querySelector("main").clientWidth',
          )
          assert.ok(Number(wide) <= 0, `${place} at ${width} is wider than the screen by ${wide}`)
          const name = place.startsWith('user/') ? 'user' : place
          await opened.shot(`${name}-${colorScheme}${width === 390 ? '-phone' : ''}`)
          assert.deepEqual((await audit?.(own)) ?? [], [], `${place} ${colorScheme}`)
        }
        if (width === 390) {
          await own.getByRole('button', { name: 'More' }).click()
          await own.getByRole('dialog').getByRole('link', { name: 'Vault' }).click()
          await seen(own.getByRole('heading', { name: 'Vault', exact: true }))
        }
      } finally {
        opened.page = outer
        await context.close()
      }
    })
})
