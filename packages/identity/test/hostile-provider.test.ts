// A provider of OpenID Connect that says what it likes: hostile, or with somebody between it and the site.
import assert from 'node:assert/strict'
import { createHmac, generateKeyPairSync, sign } from 'node:crypto'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, type TestContext, test } from 'node:test'
import { type PlainAnswer, PlainBrowser, type Site, startSite, whoIs } from './site.ts'

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
const SECRET = 'a secret of the client, which is long enough'
const KEYS = { keys: [{ ...rsa.publicKey.export({ format: 'jwk' }), kid: 'k', alg: 'RS256', use: 'sig' }] }

/** What the provider says otherwise than an honest one. */
interface Lie {
  readonly metadata?: (origin: string) => object
  readonly header?: object
  readonly claims?: object
  readonly signature?: (input: string) => string
  readonly keys?: (response: ServerResponse) => void
}

class Provider {
  origin = ''
  nonce = ''
  lie: Lie = {}

  async start(t: TestContext): Promise<this> {
    const server = createServer((request, response) => {
      const answer = this.#answerTo(request.url ?? '', response)
      if (answer !== undefined)
        response.setHeader('content-type', 'application/json').end(JSON.stringify(answer))
    })
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    t.after(() => {
      server.closeAllConnections()
      server.close()
    })
    this.origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    return this
  }

  #answerTo(path: string, response: ServerResponse): object | undefined {
    const { origin, lie } = this
    if (path === '/token') return this.#tokens()
    if (path === '/keys' && lie.keys !== undefined) return void lie.keys(response)
    if (path === '/keys' || path === '/moved') return KEYS
    return {
      issuer: origin,
      authorization_endpoint: `${origin}/authorize`,
      token_endpoint: `${origin}/token`,
      jwks_uri: `${origin}/keys`,
      response_types_supported: ['code'],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: ['RS256', 'HS256'],
      ...lie.metadata?.(origin),
    }
  }

  #tokens(): object {
    const { origin: iss, nonce, lie } = this
    const now = Math.floor(Date.now() / 1_000)
    const header = { alg: 'RS256', kid: 'k', ...lie.header }
    const claims = {
      ...{ iss, aud: 'shop', sub: 'Anne', iat: now, exp: now + 300, nonce },
      ...{ email: 'anne@elsewhere.example', email_verified: true, ...lie.claims },
    }
    const input = [header, claims]
      .map(part => Buffer.from(JSON.stringify(part)).toString('base64url'))
      .join('.')
    const own = (): string => sign('sha256', Buffer.from(input), rsa.privateKey).toString('base64url')
    const signature = lie.signature?.(input) ?? own()
    return { access_token: 'a', token_type: 'Bearer', expires_in: 300, id_token: `${input}.${signature}` }
  }
}

async function siteOf(t: TestContext): Promise<{ readonly site: Site; readonly provider: Provider }> {
  const provider = await new Provider().start(t)
  const ofProvider = { name: 'Elsewhere', issuer: provider.origin, clientId: 'shop', clientSecret: SECRET }
  return { provider, site: await startSite(t, { providers: [{ id: 'elsewhere', ...ofProvider }] }) }
}

async function signIn(browser: PlainBrowser, provider: Provider): Promise<PlainAnswer> {
  const started = await browser.post('/.postern/external/start', { provider: 'elsewhere' })
  const target = (started.headers.get('refresh') ?? '').replace(/^0; url=/, '')
  const asked = target === '' ? new URLSearchParams() : new URL(target).searchParams
  provider.nonce = asked.get('nonce') ?? ''
  return browser.get(`/.postern/external/callback/elsewhere?code=c&state=${asked.get('state') ?? ''}`)
}

const hmac = (key: string | Buffer) => (input: string) =>
  createHmac('sha256', key).update(input).digest('base64url')

describe('sign-in at a provider that lies', () => {
  test('an honest one signs people in', async t => {
    const { site, provider } = await siteOf(t)
    const browser = new PlainBrowser(site.origin)
    assert.equal((await signIn(browser, provider)).status, 303)
    assert.equal((await whoIs(browser)).kind, 'user')
  })

  const moved = (response: ServerResponse): void => {
    response.writeHead(302, { location: '/moved' }).end()
  }
  const lies: readonly (readonly [string, Lie])[] = [
    ['a signature of nobody', { signature: () => 'AAAA' }],
    ['no signature', { header: { alg: 'none' }, signature: () => '' }],
    [
      'the public key as secret',
      {
        header: { alg: 'HS256' },
        signature: hmac(String(rsa.publicKey.export({ format: 'pem', type: 'spki' }))),
      },
    ],
    ['a secret that others may know', { header: { alg: 'HS256' }, signature: hmac(SECRET) }],
    ['keys behind a redirect', { keys: moved }],
    ['keys of nobody', { keys: response => void response.end('{"keys":[]}') }],
    ['the metadata of another', { metadata: () => ({ issuer: 'https://good.example' }) }],
    ['an issuer with a slash more', { metadata: origin => ({ issuer: `${origin}/` }) }],
    ['a token of another issuer', { claims: { iss: 'https://good.example' } }],
    ['a token for another', { claims: { aud: 'other' } }],
    ['a token for others, too', { claims: { aud: ['shop', 'other'] } }],
    ['a token that another asked for', { claims: { aud: ['shop', 'other'], azp: 'other' } }],
    ['another nonce', { claims: { nonce: 'x' } }],
    ['a token that ended', { claims: { exp: 1 } }],
    ['an address that is verified in words', { claims: { email_verified: 'true' } }],
    ['no subject', { claims: { sub: '' } }],
    ['a subject that is a number', { claims: { sub: 1 } }],
    ['a subject that no database keeps', { claims: { sub: 'Anne\u0000' } }],
    ['an endless subject', { claims: { sub: 'x'.repeat(256) } }],
  ]
  for (const [name, lie] of lies)
    test(`attack: ${name}: nobody is signed in`, async t => {
      const { site, provider } = await siteOf(t)
      provider.lie = lie
      const browser = new PlainBrowser(site.origin)
      assert.equal((await signIn(browser, provider)).status, 401)
      assert.equal((await whoIs(browser)).kind, 'anonymous')
    })

  test('attack: a subject in another letter case, or with a space, is somebody else', async t => {
    const { site, provider } = await siteOf(t)
    const people = new Set<string>()
    for (const [i, sub] of ['Anne', 'anne', 'Anne '].entries()) {
      provider.lie = { claims: { sub, email: `anne${i}@elsewhere.example` } }
      const browser = new PlainBrowser(site.origin)
      assert.equal((await signIn(browser, provider)).status, 303)
      people.add((await whoIs(browser)).id)
    }
    assert.equal(people.size, 3)
  })
})
