import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type Application, PlainBrowser, type SiteOptions, signUp, startSite } from './site.ts'

/** What the application reads out of the token it was sent. */
const claims: Application = exchange => {
  const changes = exchange.requestChanges
  const token = changes?.get('x-identity-jwt') ?? ''
  return { status: 200, body: Buffer.from(token.split('.')[1] ?? '', 'base64url').toString() }
}

async function claimsWith(
  t: Parameters<typeof startSite>[0],
  backend: NonNullable<SiteOptions['backend']>,
): Promise<Readonly<Record<string, unknown>>> {
  const site = await startSite(t, { backend, application: claims })
  assert.equal((await new PlainBrowser(site.origin).get('/')).text, '')
  const alice = await signUp(site, 'alice@shop.example')
  const first = JSON.parse((await alice.get('/')).text)
  assert.deepEqual(JSON.parse((await alice.get('/')).text), first)
  return first
}

describe('the token for the backend', () => {
  test('says nothing about a person but who it is, unless asked to', async t => {
    const said = await claimsWith(t, {})
    assert.deepEqual(Object.keys(said).sort(), [
      'amr',
      'aud',
      'auth_time',
      'exp',
      'iat',
      'iss',
      'kind',
      'sub',
    ])
  })

  test('says name and proven address where the backend asks for them', async t => {
    const { email, email_verified, name } = await claimsWith(t, { claims: ['email', 'name'] })
    assert.deepEqual(
      { email, email_verified, name },
      {
        email: 'alice@shop.example',
        email_verified: true,
        name: 'Alice',
      },
    )
  })
})
