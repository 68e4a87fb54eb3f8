// A subdomain sets cookies for the whole site. Chromium 156 was seen to store and send each of these.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { readBoundCookie } from '../src/bind/bound-cookie.ts'
import { csrfTokens } from '../src/csrf/csrf-tokens.ts'
import { readCookies, readOwnCookies, withoutCookies } from '../src/headers/cookie.ts'
import { openSignedCookie } from '../src/headers/signed-cookie.ts'
import { cookieJar } from '../src/session/cookies.ts'
import { exchangeOf } from './verify-harness.ts'

/** In front of a name that browsers let nobody but the host itself set; bytes as Node reads them. */
const DISGUISES = ['\u00a0', '\u0085', '\u00c2\u00a0', '\u00e2\u0080\u0080', '\u00ef\u00bb\u00bf', '"', ',']

const request = (cookie: string, headers: readonly string[] = []) =>
  exchangeOf({ headers: ['Host', 'shop.example', 'Cookie', cookie, ...headers] })

for (const disguise of DISGUISES)
  describe(`a cookie that a subdomain planted behind ${JSON.stringify(disguise)}`, () => {
    test('attack: signs nobody in, and nobody out', () => {
      const jar = cookieJar('https')
      const planted = `${disguise}__Host-postern-session=theirs`
      assert.equal(jar.read(planted, 'session'), undefined)
      assert.equal(jar.read(`${planted}; __Host-postern-session=own`, 'session'), 'own')
    })

    test('attack: is not what a token against forged requests belongs to', () => {
      const tokens = csrfTokens(new Uint8Array(32).fill(1))
      const mallory = request('a=1')
      const token = tokens.issue(mallory)
      const [, id = ''] = /=([\w-]{22});/.exec(mallory.replyHeaders?.[1] ?? '') ?? []
      assert.ok(tokens.holds(request(`__Host-postern-csrf=${id}`, ['X-CSRF-Token', token])))
      assert.ok(!tokens.holds(request(`${disguise}__Host-postern-csrf=${id}`, ['X-CSRF-Token', token])))
    })

    test('attack: does not count as a bound session', () => {
      const value = `${'a'.repeat(22)}.${'b'.repeat(43)}`
      assert.equal(readBoundCookie(request(`${disguise}__Host-postern-bound=${value}`)), 'absent')
    })
  })

test('a cookie of the application is read and taken away in every spelling that a server may take for it', () => {
  for (const disguise of DISGUISES.slice(0, 5)) {
    assert.deepEqual(readCookies(`${disguise}sid=1; sid=2`, 'sid'), ['1', '2'])
    assert.equal(withoutCookies(`${disguise}sid=1; a=2`, ['sid']), 'a=2')
  }
})

test('attack: a header of one long run of spaces or padding is read in a time that grows with its length alone', () => {
  const jar = cookieJar('https')
  for (const filler of [' ', '\t', '\u0085', '\u00e2\u0080']) {
    const run = filler.repeat(1_000_000)
    for (const header of [`sid=1; a${run}b=2`, `sid=1${run}2; a=1`]) {
      assert.equal(readCookies(header, 'sid').length, 1)
      assert.equal(readOwnCookies(header, 'sid').length, 1)
      const own = header.replace('sid', '__Host-postern-session')
      assert.ok(jar.read(own, 'session')?.startsWith('1'))
      assert.ok(withoutCookies(header, ['sid'])?.startsWith('a'))
    }
  }
  assert.equal(openSignedCookie(`1.${'='.repeat(1_000_000)}1`, ['long enough a secret']), undefined)
})
