import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Principal } from '@postern/core'
import type { ApiKeyCheck, ApiKeys } from '../src/api-key/api-keys.ts'
import { RequestIdentity } from '../src/built-in/identify-request.ts'
import { cookieJar } from '../src/session/cookies.ts'
import type { Session } from '../src/session/session.ts'
import type { Sessions } from '../src/session/sessions.ts'
import { exchangeOf } from './verify-harness.ts'

const program: Principal = { kind: 'service', id: 'program' }
/** An access token is any text of these characters: it may look like the beginning of an API key. */
const TOKEN = 'ab_cd_EFghIJklMNopQRstUVwxYZ0123456789-_abc'
const session = { accountId: 'alice', siteRoles: [], roles: [], amr: ['pwd'] } as unknown as Session
const COOKIE = ['cookie', '__Host-postern-session=of-alice']

function identityOf(accessToken?: (token: string) => Promise<Principal | undefined>): RequestIdentity {
  const refused: ApiKeyCheck = { kind: 'refused', why: 'invalid' }
  return new RequestIdentity({
    apiKeys: { check: async () => refused } as unknown as ApiKeys,
    sessions: { find: () => session } as unknown as Sessions,
    cookies: cookieJar('https'),
    ...(accessToken !== undefined && { accessToken }),
  })
}

describe('who sends a request', () => {
  test('an access token that looks like the beginning of an API key is an access token', async () => {
    const identity = identityOf(async token => (token === TOKEN ? program : undefined))
    const exchange = exchangeOf({ headers: ['authorization', `Bearer ${TOKEN}`] })
    assert.equal((await identity.identify(exchange, undefined))?.id, 'program')
    assert.equal(identity.keyFault(exchange), undefined)
    const other = exchangeOf({ headers: ['authorization', `Bearer ${TOKEN}x`] })
    assert.equal(await identity.identify(other, undefined), undefined)
    assert.equal(identity.keyFault(other)?.kind, 'refused')
  })

  for (const [what, headers] of [
    ['two tokens', ['authorization', 'Bearer postern_live_x', 'authorization', 'Bearer postern_live_y']],
    ['a token and another scheme', ['authorization', 'Basic YTpi', 'authorization', 'Bearer postern_live_y']],
    ['no token', ['authorization', 'Bearer']],
    ['two words', ['authorization', 'Bearer postern_live_x postern_live_y']],
    ['two keys', ['x-api-key', 'postern_live_x', 'x-api-key', 'postern_live_y']],
  ] as const)
    test(`bug class: malformed header that fails open: ${what}, beside a session, is refused`, async () => {
      const identity = identityOf(async () => program)
      const exchange = exchangeOf({ headers: [...headers, ...COOKIE] })
      assert.equal(await identity.identify(exchange, undefined), undefined)
      assert.equal(identity.keyFault(exchange)?.kind, 'refused')
    })

  test('a scheme of somebody else leaves the session alone', async () => {
    for (const headers of [COOKIE, ['authorization', 'Basic YTpi', ...COOKIE]])
      assert.equal((await identityOf().identify(exchangeOf({ headers }), undefined))?.id, 'alice')
  })
})
