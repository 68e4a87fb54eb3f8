// Applications that sign people in themselves, unchanged, behind the gateway with `bind`, in Debian's
// Chromium: their session cookie is bound to the device, or to a key that a script keeps. Time is the
// browser's own here, so it is waited for.
import assert from 'node:assert/strict'
import { sign } from 'node:crypto'
import { describe, test } from 'node:test'
import { setTimeout as passed } from 'node:timers/promises'
import type { Page } from 'playwright-core'
import { part, signer } from '../packages/identity/test/verify-harness.ts'
import { until } from '../test/until.ts'
import { type Application, BETTER_AUTH, EXPRESS_SESSION, type Step } from './bound-applications.ts'
import { type Answer, BOUND_COOKIE, type BoundSite, boundSite, INTERVAL_MS } from './bound-site.ts'

/** After so long no value of a cookie counts that was replaced within the first interval. */
const TWO_INTERVALS = 2 * INTERVAL_MS + 2_000

const isBound = ({ events }: BoundSite): boolean => events.some(({ type }) => type === 'session.bound')

/** Has the application's own requests sent by a page: a page to open, or a call. */
async function take(page: Page, origin: string, { path, json }: Step): Promise<void> {
  if (json === undefined) return void (await page.goto(origin + path))
  const status = await page.evaluate(
    async ([target, body]) => {
      const headers = { 'content-type': 'application/json' }
      return (await fetch(target, { method: 'POST', headers, body })).status
    },
    [path, JSON.stringify(json)] as const,
  )
  assert.equal(status, 200)
}

/** The body of the answer to a call of a page. */
async function called(page: Page, path: string): Promise<string> {
  return page.evaluate(async target => (await fetch(target)).text(), path)
}

/** What the server says of the session of a client, and a challenge for it. */
async function stateOf(site: BoundSite, cookie: string): Promise<Readonly<Record<string, string>>> {
  return JSON.parse((await asScript(site, cookie, 'state')).text)
}

const asScript = (site: BoundSite, cookie: string, wish: string, proof?: string): Promise<Answer> =>
  site.ask({ path: '/.postern/bind/script', json: {} }, cookie, {
    'postern-bind': wish,
    ...(proof !== undefined && { 'postern-bind-proof': proof }),
  })

/** What a client tries that has somebody's cookie and a key of its own. */
async function bringOwnKey(site: BoundSite, cookie: string): Promise<readonly number[]> {
  const { privateKey, jwk } = signer('thief')
  const statuses: number[] = []
  for (const wish of ['register', 'renew']) {
    const { challenge = '' } = await stateOf(site, cookie)
    const text = `${part({ alg: 'ES256', typ: 'postern-bind+jwt', jwk })}.${part({ jti: challenge })}`
    const signature = sign('sha256', Buffer.from(text), { key: privateKey, dsaEncoding: 'ieee-p1363' })
    const answer = await asScript(site, cookie, wish, `${text}.${signature.toString('base64url')}`)
    assert.equal(answer.cookie, undefined)
    statuses.push(answer.status)
  }
  return statuses
}

describe('a stolen cookie', { concurrency: true, timeout: 240_000 }, () => {
  test('a cookie copied to a second client is refused after the interval, and the owner notices nothing', async t => {
    const site = await boundSite(t, { application: EXPRESS_SESSION, dbsc: 'on' })
    if (site === undefined) return
    const { origin, browser, cookies } = site
    const page = await browser.newPage()

    await page.goto(`${origin}/login?user=ada`)
    assert.equal(await page.textContent('body'), 'signed in as ada')
    await until(() => isBound(site))
    await page.goto(`${origin}/`)
    assert.equal(await page.textContent('body'), 'hello ada')
    const owned = await cookies()
    assert.deepEqual(Object.keys(owned), [BOUND_COOKIE])

    // A thief has the cookie, and not the device.
    const thief = async (): Promise<string> => (await site.ask({ path: '/' }, owned[BOUND_COOKIE])).text
    assert.equal(await thief(), 'hello ada', 'until the interval is over it is the same cookie')

    await passed(TWO_INTERVALS)
    assert.equal(await thief(), 'hello nobody')
    await page.goto(`${origin}/`)
    assert.equal(await page.textContent('body'), 'hello ada')
    assert.notEqual((await cookies())[BOUND_COOKIE], owned[BOUND_COOKIE])

    await page.goto(`${origin}/logout`)
    await page.goto(`${origin}/`)
    assert.equal(await page.textContent('body'), 'hello nobody')
  })

  for (const application of [EXPRESS_SESSION, BETTER_AUTH])
    test(`${application.name}, in a browser without DBSC: the same by a key that a script keeps`, async t => {
      const bind = { withoutDbsc: 'webcrypto' } as const
      const site = await boundSite(t, { application, dbsc: 'off', bind })
      if (site === undefined) return
      await withoutDbsc(site, application)
    })
})

async function withoutDbsc(site: BoundSite, application: Application): Promise<void> {
  const { origin, browser, cookies, ask } = site
  const { who, whoIn } = application
  const page = await browser.newPage()
  /** Opens a page, then has it call: both are the application's own answers, at the first try. */
  const use = async (): Promise<readonly (string | undefined)[]> => {
    const opened = await page.goto(origin + who)
    return [whoIn((await opened?.text()) ?? ''), whoIn(await called(page, who))]
  }
  assert.deepEqual(await use(), ['nobody', 'nobody'])
  await take(page, origin, application.signIn('ada'))
  // The one page of Postern, which loads this one again.
  await page.goto(origin + who)
  await until(async () => whoIn((await page.textContent('body')) ?? '') === 'ada')
  assert.equal(isBound(site), true)
  const owned = (await cookies())[BOUND_COOKIE] ?? ''
  assert.deepEqual(Object.keys(await cookies()), [BOUND_COOKIE])
  assert.equal((await stateOf(site, owned))['state'], 'script', 'the browser used DBSC')
  const thief = (): Promise<Answer> => ask({ path: who }, owned)
  assert.equal(whoIn((await thief()).text), 'ada', 'until the interval is over it is the same cookie')

  // A client that signs in, and says that it has neither DBSC nor anything else to keep a key in.
  const keyless = (await ask(application.signIn('grace'))).cookie ?? ''
  const noKeys = { path: '/.postern/bind/without-key', json: {} }
  for (const cookie of [keyless, owned]) assert.equal((await ask(noKeys, cookie)).cookie, undefined)
  assert.equal(whoIn((await ask({ path: who }, keyless)).text), 'grace')
  assert.deepEqual(await bringOwnKey(site, owned), [403, 403])

  for (const end = performance.now() + TWO_INTERVALS; performance.now() < end; await passed(3_000))
    assert.deepEqual(await use(), ['ada', 'ada'])
  const refused = await thief()
  assert.deepEqual([refused.status, whoIn(refused.text)], [401, undefined])
  assert.equal(
    site.events.some(({ type }) => type === 'session.stale'),
    true,
  )
  const asPage = await ask({ path: who }, owned, { accept: 'text/html' })
  assert.equal(whoIn(asPage.text), undefined)
  assert.deepEqual(await bringOwnKey(site, owned), [403, 403])
  assert.equal((await ask(noKeys, owned)).cookie, undefined)
  assert.equal((await thief()).status, 401)
  assert.equal(whoIn((await ask({ path: who }, keyless)).text), 'nobody')

  // Away for longer than the interval, with the page open: a call is what comes first.
  await passed(INTERVAL_MS + 5_000)
  assert.equal(whoIn(await called(page, who)), 'ada')
  assert.deepEqual(await use(), ['ada', 'ada'])

  const last = (await cookies())[BOUND_COOKIE] ?? ''
  assert.notEqual(last, owned)
  assert.equal(whoIn((await ask({ path: who }, last)).text), 'ada')
  await take(page, origin, application.signOut)
  assert.equal(whoIn((await ask({ path: who }, last)).text), 'nobody')
  assert.deepEqual(await use(), ['nobody', 'nobody'])
  assert.deepEqual(await cookies(), {})
}
