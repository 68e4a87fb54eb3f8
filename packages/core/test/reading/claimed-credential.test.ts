import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { claimedCredential } from '../../src/reading/claimed-credential.ts'

function session(cookies: string): number | undefined {
  const claimed = claimedCredential({ headers: ['Cookie', cookies] })
  assert.ok(claimed === undefined || claimed.kind === 'session')
  return claimed?.mark
}

describe('claimedCredential', () => {
  test('finds the first cookie that looks like a session, and tells its value from others', () => {
    const value = fc.stringMatching(/^[0-9a-zA-Z%=_-]{8,40}$/)
    const others = fc.array(fc.constantFrom('theme=dark', 'lang=en', 'a', '', 'sid=short', 'x=y=z'), {
      maxLength: 3,
    })
    const name = fc.constantFrom('sid', 'PHPSESSID', 'auth_token', 'wordpress_logged_in_1', 'remember-me')
    fc.assert(
      fc.property(name, value, value, others, others, (cookie, one, other, before, behind) => {
        const sent = (text: string, tail: readonly string[] = []): string =>
          [...before, `${cookie}=${text}`, ...tail].join('; ')
        assert.notEqual(session(sent(one)), undefined)
        assert.equal(session(sent(one, behind)), session(sent(one)))
        assert.equal(session(sent(one)) === session(sent(other)), one === other)
      }),
    )
  })

  test('finds none in cookies that do not look like one, whatever was asked before', () => {
    for (const cookies of ['theme=dark', 'sid=short', 'sid', '', ';', 'theme=session0123456789']) {
      assert.notEqual(session('sid=0123456789abcdef'), undefined)
      assert.equal(session(cookies), undefined, cookies)
    }
  })
})
