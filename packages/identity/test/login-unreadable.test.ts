import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { unreadableRefusal } from '../src/login-defence/login-refusal.ts'
import { compileLogin } from '../src/login-defence/login-settings.ts'
import type { LoginSettings } from '../src/login-entry.ts'

function soughtBy(settings: LoginSettings): unknown {
  const { sought } = compileLogin(settings, 'routes["POST /login"]')
  return unreadableRefusal('unreadable', sought).reasons[0]?.evidence?.facts?.['sought']
}

describe('a sign-in whose account cannot be read', () => {
  test('names the fields in which it was sought, and where they are configured', () => {
    assert.equal(soughtBy({ account: 'emial' }), 'emial')
    assert.equal(soughtBy({ account: ['user.mail', 'login'] }), 'user.mail, login')
    assert.match(String(soughtBy({})), /^email, username/)
    const [reason] = unreadableRefusal('unreadable', ['emial']).reasons
    assert.equal(reason?.evidence?.facts?.['named by'], 'login.account of the route')
  })

  test('names none where a function reads it, or one request tries several accounts', () => {
    assert.equal(soughtBy({ account: () => undefined }), undefined)
    assert.equal(unreadableRefusal('several', ['email']).reasons[0]?.evidence, undefined)
  })
})
