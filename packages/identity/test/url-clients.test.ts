import assert from 'node:assert/strict'
import { generateKeyPairSync, randomUUID, sign } from 'node:crypto'
import { EventEmitter } from 'node:events'
import { Readable } from 'node:stream'
import { describe, type TestContext, test } from 'node:test'
import { PlainBrowser, type Site, signUp, startSite } from './site.ts'

const API = 'https://api.shop.example'
const CLIENT = 'https://93.184.215.14/client.json'
const DEVICE = 'urn:ietf:params:oauth:grant-type:device_code'

const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })

/** A site whose clients may be URLs, and what is at one of them on the internet. */
async function siteOf(t: TestContext, document: Readonly<Record<string, unknown>>): Promise<Site> {
  t.mock.method(process.getBuiltinModule('node:https'), 'request', () => {
    const sent = Object.assign(new EventEmitter(), {
      destroy: () => {},
      end: () => {
        const body = Readable.from([Buffer.from(JSON.stringify({ client_id: CLIENT, ...document }))])
        sent.emit('response', Object.assign(body, { statusCode: 200, headers: {} }))
      },
    })
    return sent
  })
  return startSite(t, {
    oauth: {
      metadataDocuments: 'yes',
      resources: { [API]: { scopes: ['orders:read', 'orders:write'] } },
      clients: [
        {
          client_id: 'batch',
          client_secret: 'a secret of the batch client, which is long',
          redirect_uris: [],
          response_types: [],
          grant_types: ['client_credentials'],
        },
      ],
    },
  })
}

const PROVEN = {
  client_name: 'Shop',
  redirect_uris: ['https://93.184.215.14/callback'],
  token_endpoint_auth_method: 'private_key_jwt',
  token_endpoint_auth_signing_alg: 'ES256',
  jwks: { keys: [{ ...publicKey.export({ format: 'jwk' }), alg: 'ES256', kid: 'k', use: 'sig' }] },
}

/** What a client with a key of its own shows for itself (RFC 7523). */
function assertion(site: Site): Readonly<Record<string, string>> {
  const now = Math.floor(Date.now() / 1_000)
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  const aud = `${site.origin}/.postern/oauth`
  const text = `${part({ alg: 'ES256', kid: 'k' })}.${part({ iss: CLIENT, sub: CLIENT, aud, jti: randomUUID(), iat: now, exp: now + 60 })}`
  const signature = sign('sha256', Buffer.from(text), { key: privateKey, dsaEncoding: 'ieee-p1363' })
  return {
    client_id: CLIENT,
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion: `${text}.${signature.toString('base64url')}`,
  }
}

async function ask(site: Site, path: string, fields: Readonly<Record<string, string>>, basic = '') {
  const answer = await fetch(`${site.origin}/.postern/oauth/${path}`, {
    method: 'POST',
    headers: {
      'content-type': 'application/x-www-form-urlencoded',
      ...(basic !== '' && { authorization: `Basic ${Buffer.from(basic).toString('base64')}` }),
    },
    body: new URLSearchParams(fields).toString(),
  })
  return { status: answer.status, body: (await answer.json()) as Readonly<Record<string, unknown>> }
}

const BATCH = `batch:${encodeURIComponent('a secret of the batch client, which is long')}`

describe('a client that is a URL of its own metadata', () => {
  test('attack: gives itself the grant of services, and calls the API in nobody’s name', async t => {
    const site = await siteOf(t, { ...PROVEN, grant_types: ['authorization_code', 'client_credentials'] })
    const got = await ask(site, 'token', {
      ...assertion(site),
      grant_type: 'client_credentials',
      scope: 'orders:read orders:write',
      resource: API,
    })
    assert.equal(got.body['access_token'], undefined, JSON.stringify(got.body))
    assert.equal(got.body['error'], 'invalid_client')
  })

  test('attack: learns whose tokens it found, by proving that it has a key of its own', async t => {
    const site = await siteOf(t, { ...PROVEN, grant_types: ['authorization_code'] })
    const { body } = await ask(
      site,
      'token',
      { grant_type: 'client_credentials', scope: 'orders:read', resource: API },
      BATCH,
    )
    const token = String(body['access_token'])
    const own = await ask(site, 'token/introspection', { token }, BATCH)
    assert.equal(own.body['active'], true)
    const said = await ask(site, 'token/introspection', { token, ...assertion(site) })
    assert.deepEqual(said, { status: 200, body: { active: false } })
  })

  test('attack: passes for the site where somebody types the code of a device', async t => {
    const site = await siteOf(t, {
      client_name: `Shop \u202e${'o'.repeat(300)}`,
      application_type: 'native',
      token_endpoint_auth_method: 'none',
      redirect_uris: ['http://127.0.0.1/callback'],
      grant_types: ['authorization_code', DEVICE],
    })
    const begun = await ask(site, 'device/auth', { client_id: CLIENT, scope: 'orders:read', resource: API })
    const code = String(begun.body['user_code'])
    const browser = await signUp(site, 'alice@shop.example')
    const form = await browser.get(`/.postern/oauth/device?user_code=${code}`)
    const xsrf = /name="xsrf" value="([^"]*)"/.exec(form.text)?.[1] ?? ''
    const page = await browser.post('/.postern/oauth/device', { xsrf, user_code: code })
    assert.match(page.text, /\(93\.184\.215\.14\)/)
    assert.doesNotMatch(page.text, /\u202e|o{200}/)
  })

  test('attack: has this server open connections to a stranger’s address without end', async t => {
    let open = 0
    t.mock.method(process.getBuiltinModule('node:https'), 'request', () => {
      open++
      return Object.assign(new EventEmitter(), { destroy: () => {}, end: () => {} })
    })
    const site = await startSite(t, { oauth: { metadataDocuments: 'yes' } })
    const browser = new PlainBrowser(site.origin)
    const asked = Array.from({ length: 100 }, (_, i) =>
      browser.get(
        `/.postern/oauth/auth?response_type=code&client_id=${encodeURIComponent(`https://93.184.215.14/${i}`)}`,
      ),
    )
    // Those that were fetched wait for an answer that never comes; the rest are refused at once.
    await Promise.any(asked)
    assert.ok(open > 0 && open <= 32, `${open} connections`)
  })
})
