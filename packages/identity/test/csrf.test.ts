import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { CidrSet, type Decision } from '@postern/core'
import { csrfGuard, csrfTokens } from '../src/headers-entry.ts'
import { tailscale } from '../src/index.ts'
import { prefixed } from '../src/verify-entry.ts'
import { type ExchangeOptions, exchangeOf } from './verify-harness.ts'

const BROWSER = 'Mozilla/5.0 (X11; Linux x86_64)'
const secret = new Uint8Array(32).fill(3)
const decide = (options: ExchangeOptions, guard = csrfGuard()): string => {
  const said = guard.decide(exchangeOf({ method: 'POST', ...options })) as Decision
  return said.effect === 'allow' ? 'allow' : said.reasons[0].rule
}
const withCookie = (...headers: string[]): ExchangeOptions => ({
  headers: ['cookie', 'sid=1', 'user-agent', BROWSER, ...headers],
})

describe('requests that other sites send', () => {
  test('are recognized by Sec-Fetch-Site', () => {
    assert.equal(decide(withCookie('sec-fetch-site', 'same-origin')), 'allow')
    assert.equal(decide(withCookie('sec-fetch-site', 'cross-site')), 'csrf/cross-site')
    assert.equal(decide(withCookie('sec-fetch-site', 'same-site')), 'csrf/same-site')
    assert.equal(decide(withCookie('sec-fetch-site', 'none')), 'csrf/cross-site')
    assert.equal(decide(withCookie('sec-fetch-site', 'made-up')), 'csrf/cross-site')
    assert.equal(
      decide(withCookie('sec-fetch-site', 'same-origin', 'sec-fetch-site', 'cross-site')),
      'csrf/repeated',
    )
  })

  test('else by Origin, which a sandboxed frame sends as null', () => {
    assert.equal(decide(withCookie('origin', 'https://shop.example')), 'allow')
    assert.equal(decide(withCookie('origin', 'https://shop.example:443')), 'csrf/origin')
    for (const origin of [
      'https://evil.example',
      'http://shop.example',
      'https://shop.example.evil.example',
      'null',
      'https://shop.example:8443',
    ])
      assert.equal(decide(withCookie('origin', origin)), 'csrf/origin', origin)
  })

  test('bug class: state-changing GET: is never exempt where the route says so, and reads stay free', () => {
    const routes = { 'GET /api/orders': { csrf: 'always' as const } }
    const get = (site: string): ExchangeOptions => ({ ...withCookie('sec-fetch-site', site), method: 'GET' })
    assert.equal(decide({ ...get('cross-site'), routes }), 'csrf/cross-site')
    assert.equal(decide({ ...get('none'), routes }), 'allow')
    assert.equal(decide(get('cross-site')), 'allow')
    for (const method of ['PUT', 'DELETE', 'PATCH', 'post', 'PROPFIND'])
      assert.equal(
        decide({ ...withCookie('sec-fetch-site', 'cross-site'), method }),
        'csrf/cross-site',
        method,
      )
  })

  test("pass where they carry nobody's authority, or a token that no site can add", () => {
    const cross = ['sec-fetch-site', 'cross-site', 'user-agent', BROWSER]
    assert.equal(decide({ headers: cross }), 'allow')
    assert.equal(decide({ headers: [...cross, 'authorization', 'Bearer x'] }), 'allow')
    assert.equal(decide({ headers: [...cross, 'authorization', 'Basic YTpi'] }), 'csrf/cross-site')
    assert.equal(
      decide({ headers: [...cross, 'authorization', 'Bearer x', 'cookie', 'sid=1'] }),
      'csrf/cross-site',
    )
    const named = csrfGuard({ cookies: ['sid'] })
    assert.equal(decide({ headers: [...cross, 'cookie', 'theme=dark'] }, named), 'allow')
    assert.equal(decide({ headers: [...cross, 'cookie', 'sid=1'] }, named), 'csrf/cross-site')
  })

  test('attack: a page of another site posts a form to somebody whom the connection identifies, without a cookie', async () => {
    const headers = ['sec-fetch-site', 'cross-site', 'user-agent', BROWSER]
    const from = CidrSet.parse(['10.0.0.0/8'])
    const behind = exchangeOf({
      method: 'POST',
      peer: '10.0.0.1',
      headers: [...headers, 'tailscale-user-login', 'ann@shop.example'],
    })
    const said = await prefixed(tailscale(from), 'tail:').identify(behind)
    assert.ok(said.kind === 'known')
    behind.principal = said.principal
    const decision = csrfGuard().decide(behind) as Decision
    assert.ok(decision.effect !== 'allow')
    assert.equal(decision.reasons[0].rule, 'csrf/cross-site')
    const socket = { authorized: true }
    assert.equal(decide({ headers, native: { socket } }), 'csrf/cross-site')
    assert.equal(decide({ headers: ['sec-fetch-site', 'same-origin'], native: { socket } }), 'allow')
    assert.equal(decide({ headers: ['user-agent', 'curl/8.5.0'], native: { socket } }), 'allow')
    assert.equal(decide({ headers, native: { socket: { authorized: false } } }), 'allow')
  })

  test('attack: a page of another site opens a WebSocket with the cookies of its visitor', () => {
    const upgrade = (...headers: string[]): string =>
      decide({ ...withCookie('connection', 'Upgrade', 'upgrade', 'websocket', ...headers), method: 'GET' })
    assert.equal(upgrade('origin', 'https://evil.example'), 'csrf/origin')
    assert.equal(upgrade('origin', 'null'), 'csrf/origin')
    assert.equal(upgrade('origin', 'https://shop.example.evil.example'), 'csrf/origin')
    assert.equal(upgrade('origin', 'https://shop.example:8443'), 'csrf/origin')
    assert.equal(upgrade('origin', 'chrome-extension://shop.example'), 'csrf/origin')
    assert.equal(upgrade('origin', 'https://evil.example', 'sec-fetch-site', 'cross-site'), 'csrf/cross-site')
    assert.equal(upgrade('origin', 'https://shop.example'), 'allow')
    assert.equal(upgrade('origin', 'http://shop.example'), 'allow')
  })

  test('attack: a link of another site asks for another method in its query', () => {
    const get = (target: string): string =>
      decide({ ...withCookie('sec-fetch-site', 'cross-site'), method: 'GET', target })
    assert.equal(get('/wp-json/wp/v2/posts/1?_method=DELETE'), 'csrf/cross-site')
    assert.equal(get('/wp-json/wp/v2/posts/1?_METHOD=delete'), 'csrf/cross-site')
    assert.equal(get('/wp-json/wp/v2/posts/1?_method=HEAD'), 'allow')
    assert.equal(get('/wp-json/wp/v2/posts/1?method=DELETE'), 'allow')
  })

  test('pass from origins that are named, exactly', () => {
    const guard = csrfGuard({ origins: ['https://admin.example'] })
    assert.equal(
      decide(withCookie('sec-fetch-site', 'cross-site', 'origin', 'https://admin.example'), guard),
      'allow',
    )
    assert.equal(
      decide(withCookie('sec-fetch-site', 'cross-site', 'origin', 'https://admin.example.evil'), guard),
      'csrf/cross-site',
    )
    for (const origin of ['admin.example', 'https://admin.example/', 'https://*.example', 'null'])
      assert.throws(() => csrfGuard({ origins: [origin] }), { code: 'POSTERN_CONFIG' }, origin)
  })

  test('bug class: allow-list matched on path and query, or widened by #: an exempt route is a path, and nothing that only contains it', () => {
    const routes = { 'POST /hooks/**': { csrf: false as const } }
    const cross = withCookie('sec-fetch-site', 'cross-site')
    assert.equal(decide({ ...cross, routes, target: '/hooks/payment?id=1' }), 'allow')
    for (const target of [
      '/account?next=/hooks/payment',
      '/account?/hooks/',
      '/account#/hooks/payment',
      '/account%23/hooks/payment',
      '/account%3f/hooks/payment',
      '/hooks/../account',
      '/hooks/%2e%2e/account',
      '/hooks/..;/account',
      '/hooksaccount',
    ])
      assert.equal(decide({ ...cross, routes, target }), 'csrf/cross-site', target)
  })

  test('a route may take requests of other sites', () => {
    assert.equal(
      decide({ ...withCookie('sec-fetch-site', 'cross-site'), routes: { '/api/**': { csrf: false } } }),
      'allow',
    )
  })
})

describe('a browser that tells nothing', () => {
  test('is refused without a token, and a command line tool is not', () => {
    assert.equal(decide(withCookie()), 'csrf/untold')
    assert.equal(decide({ headers: ['cookie', 'sid=1', 'user-agent', 'curl/8'] }), 'allow')
  })

  test('may show the token of its cookie, and of no other', () => {
    const guard = csrfGuard({ secret })
    const page = exchangeOf({ method: 'GET' })
    const token = csrfTokens(secret).issue(page)
    const cookie = page.replyHeaders?.[1]?.split(';', 1)[0] ?? ''
    assert.match(page.replyHeaders?.[1] ?? '', /^__Host-postern-csrf=.*; HttpOnly; SameSite=Strict; Secure$/)
    const send = (...headers: string[]): string =>
      decide({ headers: ['user-agent', BROWSER, ...headers] }, guard)
    assert.equal(send('cookie', `sid=1; ${cookie}`, 'x-csrf-token', token), 'allow')
    assert.equal(send('cookie', `sid=1; ${cookie}`), 'csrf/token')
    assert.equal(
      send('cookie', `sid=1; __Host-postern-csrf=${'A'.repeat(22)}`, 'x-csrf-token', token),
      'csrf/token',
    )
    assert.equal(
      send('cookie', `sid=1; postern-csrf=${'A'.repeat(22)}`, 'x-csrf-token', 'A'.repeat(22)),
      'csrf/token',
    )
    assert.equal(csrfTokens(secret).issue(exchangeOf({ headers: ['cookie', cookie] })), token)
  })
})
