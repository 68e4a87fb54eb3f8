import assert from 'node:assert/strict'
import { createHmac, generateKeyPairSync, sign } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { connectPostgres } from '@postern/store'
import { stringify } from 'yaml'
import { freshDatabase } from '../../../test/services.ts'
import { testCertificate } from '../../identity/test/test-certificate.ts'
import { ALLOW, type Config, type Guard, type Postern, postern } from '../src/index.ts'

const folder = mkdtempSync(join(tmpdir(), 'postern-methods-'))
const { publicKey, privateKey } = generateKeyPairSync('ed25519')
const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
const seconds = (): number => Math.floor(Date.now() / 1_000)

/** A token of the issuer below. */
function token(claims: object = {}): string {
  const payload = {
    iss: 'https://id.example',
    aud: 'orders',
    sub: 'alice',
    iat: seconds(),
    exp: seconds() + 60,
  }
  const signed = `${part({ alg: 'EdDSA', typ: 'JWT', kid: 'k' })}.${part({ ...payload, ...claims })}`
  return `${signed}.${sign(null, Buffer.from(signed), privateKey).toString('base64url')}`
}

const owner = testCertificate('alice.internal')
const cnf = { 'x5t#S256': owner.thumbprint }

/** What the services around an application answer; counts what each was asked. */
const asked = new Map<string, number>()
function answerOf(request: IncomingMessage, body: string): unknown {
  const [path = ''] = (request.url ?? '').split('?')
  asked.set(path, (asked.get(path) ?? 0) + 1)
  if (path === '/jwks') return { keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'k', alg: 'EdDSA' }] }
  if (path === '/introspect')
    return body.includes('token=opaque-1')
      ? { active: true, aud: 'orders', sub: 'robot', client_id: 'robot' }
      : { active: body.includes('token=bound-1'), aud: 'orders', sub: 'dora', cnf }
  if (path === '/me')
    return request.headers.cookie === 'sid=s1' ? { user: { id: 'bob', company: 'acme' } } : { user: null }
  if (path === '/customers/alice') return { plan: 'gold', roles: ['editor'] }
  return {}
}
const services = createServer((request, response) => {
  let body = ''
  request.on('data', chunk => {
    body += String(chunk)
  })
  request.on('end', () => response.end(JSON.stringify(answerOf(request, body))))
})
let base = ''

before(async () => {
  services.listen(0, '127.0.0.1')
  await new Promise<void>(resolve => services.once('listening', () => resolve()))
  base = `http://127.0.0.1:${(services.address() as AddressInfo).port}`
})
after(() => {
  services.closeAllConnections()
  services.close()
  rmSync(folder, { recursive: true, force: true })
})

interface Seen {
  readonly kind: string
  readonly id: string
  readonly tenant?: string
  readonly plan?: string
  readonly roles?: readonly string[]
  /** `X-Forwarded-User` as the handler gets it. */
  readonly forwardedUser?: string
}
type Ask = (headers: Headers | Readonly<Record<string, string>>, path?: string) => Promise<Seen>

/** A layer from a file of that name, and who its handler sees. */
async function fromFile(
  name: string,
  config: object,
  work: (ask: Ask, layer: Postern) => Promise<void>,
): Promise<void> {
  const path = join(folder, name)
  writeFileSync(path, name.endsWith('.json') ? JSON.stringify(config) : stringify(config))
  let seen: Seen = { kind: 'nobody', id: '' }
  const see: Guard = {
    name: 'see',
    failure: 'closed',
    decide: ({ principal }) => {
      seen = principal
      return ALLOW
    },
  }
  const layer = await postern({ file: path, folder, guards: [see], log: 'none' })
  const handle = layer.fetch(
    request => {
      const forwardedUser = request.headers.get('x-forwarded-user')
      if (forwardedUser !== null) seen = { ...seen, forwardedUser }
      return new Response('ok')
    },
    { peer: () => '127.0.0.1' },
  )
  try {
    await work(async (headers, path = '/') => {
      const answer = await handle(new Request(`http://orders.example${path}`, { headers }))
      await answer.arrayBuffer()
      assert.equal(answer.status, 200)
      return seen
    }, layer)
  } finally {
    await layer.close()
  }
}

describe('identify as data', () => {
  test('a list of methods in YAML: the first whose credential is there decides, a route accepts some', async () => {
    const config = {
      dataDirectory: './yaml',
      identify: [
        { jwt: { issuer: 'https://id.example', audience: 'orders', jwks: `${base}/jwks` } },
        {
          introspection: {
            url: `${base}/introspect`,
            clientId: 'orders',
            clientSecret: 'a secret',
            audience: 'orders',
          },
        },
        {
          name: 'shop',
          sessionUrl: { cookie: 'sid', url: `${base}/me`, claims: { id: 'user.id', tenant: 'user.company' } },
        },
        { proxy: { from: ['127.0.0.1'], user: 'x-user', groups: 'x-groups' } },
      ],
      routes: { '/admin/**': { identify: ['proxy'] } },
    }
    await fromFile('postern.config.yaml', config, async ask => {
      assert.equal((await ask({ authorization: `Bearer ${token()}` })).id, 'alice')
      assert.deepEqual(await ask({ authorization: 'Bearer opaque-1' }), { kind: 'service', id: 'robot' })
      assert.deepEqual(await ask({ cookie: 'sid=s1' }), { kind: 'user', id: 'bob', tenant: 'acme' })
      assert.deepEqual(await ask({ 'x-user': 'carol', 'x-groups': 'a, b' }), {
        kind: 'user',
        id: 'carol',
        roles: ['a', 'b'],
      })
      assert.equal((await ask({})).kind, 'anonymous')
      assert.equal(
        (await ask({ authorization: `Bearer ${token({ aud: 'other' })}`, cookie: 'sid=s1' })).kind,
        'anonymous',
      )
      assert.equal((await ask({ cookie: 'sid=s1' }, '/admin/x')).kind, 'anonymous')
      assert.equal((await ask({ 'x-user': 'carol' }, '/admin/x')).id, 'carol')
    })
  })

  test('a secret verifies HS256 and nothing else', async () => {
    const secret = 'a secret of the application, which is long enough'
    const signed = (alg: string, hash: string, key = secret): string => {
      const payload = { iss: 'https://id.example', aud: 'orders', sub: 'alice', exp: seconds() + 60 }
      const head = `${part({ alg, typ: 'JWT' })}.${part(payload)}`
      return `Bearer ${head}.${createHmac(hash, key).update(head).digest('base64url')}`
    }
    const jwt = { issuer: 'https://id.example', audience: 'orders', secret }
    // Inspection refuses a token without a signature before anything identifies.
    const config = { dataDirectory: './secret', inspect: false, identify: [{ jwt }] }
    await fromFile('secret.yaml', config, async ask => {
      assert.equal((await ask({ authorization: signed('HS256', 'sha256') })).id, 'alice')
      for (const wrong of [
        signed('HS256', 'sha256', `${secret}.`),
        signed('HS512', 'sha512'),
        signed('none', 'sha256'),
        signed('none', 'sha256').replace(/[^.]*$/, ''),
        signed('RS256', 'sha256'),
        `Bearer ${token()}`,
      ])
        assert.equal((await ask({ authorization: wrong })).kind, 'anonymous', wrong)
    })
  })

  test('people of two issuers are two, though both issuers name them alike', async () => {
    const jwt = { audience: 'orders', jwks: `${base}/jwks` }
    const config = {
      dataDirectory: './prefix',
      identify: [
        {
          name: 'partners',
          prefix: 'partners:',
          jwt: { ...jwt, issuer: 'https://partners.example', cookie: 'partner' },
        },
        { jwt: { ...jwt, issuer: 'https://id.example' } },
      ],
    }
    await fromFile('prefix.config.yaml', config, async (ask, layer) => {
      const partner = { cookie: `partner=${token({ iss: 'https://partners.example', iat: seconds() - 5 })}` }
      assert.equal((await ask(partner)).id, 'partners:alice')
      await layer.revocations?.revokePrincipal('alice')
      assert.equal((await ask(partner)).id, 'partners:alice')
      await layer.revocations?.revokePrincipal('partners:alice')
      assert.equal((await ask(partner)).kind, 'anonymous')
    })
  })

  test('a token bound to a certificate holds with the one that a trusted proxy passes on, named once for all methods', async () => {
    const jwt = { issuer: 'https://id.example', audience: 'orders', jwks: `${base}/jwks` }
    const introspection = {
      url: `${base}/introspect`,
      clientId: 'o',
      clientSecret: 'a secret',
      audience: 'orders',
    }
    const identify = [{ jwt }, { introspection }, { mtls: { header: 'X-Client-Cert' } }]
    const credentials = [
      ['alice', `Bearer ${token({ cnf })}`],
      ['dora', 'Bearer bound-1'],
    ] as const
    const thief = testCertificate('thief.internal')
    const trusted = { dataDirectory: './bound', trustProxies: ['loopback'], identify }
    await fromFile('bound.config.yaml', trusted, async ask => {
      for (const [id, authorization] of credentials) {
        const passed = (text: string) => ask({ authorization, 'x-client-cert': text })
        assert.equal((await passed(owner.escaped)).id, id)
        for (const text of [thief.escaped, '', `${owner.escaped}, ${thief.escaped}`])
          assert.equal((await passed(text)).kind, 'anonymous', text)
        // A `Headers` object joins both.
        const twice = new Headers({ authorization, 'x-client-cert': owner.escaped })
        twice.append('x-client-cert', thief.escaped)
        assert.equal((await ask(twice)).kind, 'anonymous')
      }
      // It identifies by itself only where no token came along.
      assert.equal((await ask({ 'x-client-cert': owner.escaped })).id, 'alice.internal')
    })
    await fromFile('untrusted.config.yaml', { ...trusted, trustProxies: ['10.0.0.0/8'] }, async ask => {
      for (const [, authorization] of credentials)
        assert.equal((await ask({ authorization, 'x-client-cert': owner.escaped })).kind, 'anonymous')
      assert.equal((await ask({ 'x-client-cert': owner.escaped })).kind, 'anonymous')
    })
  })

  test('in JSON, with a look-up by HTTP that is asked once', async () => {
    const config = {
      dataDirectory: './json',
      identify: {
        by: [{ jwt: { issuer: 'https://id.example', audience: ['orders'], jwks: `${base}/jwks` } }],
        lookUp: { url: `${base}/customers/{id}` },
        deadline: '5s',
      },
    }
    await fromFile('postern.config.json', config, async ask => {
      for (let i = 0; i < 3; i++)
        assert.deepEqual(await ask({ authorization: `Bearer ${token()}` }), {
          kind: 'user',
          id: 'alice',
          plan: 'gold',
          roles: ['editor'],
        })
      assert.equal(asked.get('/customers/alice'), 1)
    })
  })

  test("with a look-up in the application's PostgreSQL", async t => {
    const url = await freshDatabase(t)
    const database = connectPostgres({ url })
    await database.query(
      "CREATE TABLE customers AS SELECT 'alice' AS id, 'silver' AS plan, 'acme' AS company",
      [],
    )
    await database.close()
    const config = {
      dataDirectory: './postgres',
      // It would refuse the subject below before anybody looks it up.
      routes: { '/**': { inspect: false } },
      identify: {
        by: [{ jwt: { issuer: 'https://id.example', audience: 'orders', jwks: `${base}/jwks` } }],
        lookUp: { postgres: url, query: 'SELECT plan, company AS tenant FROM customers WHERE id = $1' },
        deadline: '5s',
      },
    }
    await fromFile('look-up.config.yaml', config, async ask => {
      const { plan, tenant } = await ask({ authorization: `Bearer ${token()}` })
      assert.deepEqual([plan, tenant], ['silver', 'acme'])
      assert.equal((await ask({ authorization: `Bearer ${token({ sub: "x' OR '1'='1" })}` })).plan, undefined)
    })
  })

  test('what was revoked is a stranger, and a token that was issued later is not', async () => {
    const config = {
      dataDirectory: './revoked',
      identify: [{ jwt: { issuer: 'https://id.example', audience: 'orders', jwks: `${base}/jwks` } }],
    }
    await fromFile('revoked.config.yaml', config, async (ask, layer) => {
      const old = { authorization: `Bearer ${token({ iat: seconds() - 5 })}` }
      assert.equal((await ask(old)).id, 'alice')
      await layer.revocations?.revokePrincipal('alice')
      assert.equal((await ask(old)).kind, 'anonymous')
      assert.equal((await ask({ authorization: `Bearer ${token({ iat: seconds() + 2 })}` })).id, 'alice')
      assert.equal(
        (await ask({ authorization: `Bearer ${token({ iat: seconds() + 2, auth_time: seconds() - 60 })}` }))
          .kind,
        'anonymous',
      )
    })
  })

  test('sessions, keys and tokens of built-in identity are methods too, for a route or everywhere', async () => {
    const config = {
      dataDirectory: './built-in',
      identity: { origin: 'http://orders.example:80', signUp: 'closed' },
      identify: [
        'session',
        { jwt: { issuer: 'https://id.example', audience: 'orders', jwks: `${base}/jwks` } },
        { oauth2Proxy: { from: ['10.0.0.0/8'] } },
      ],
      routes: { '/keys/**': { identify: ['apiKey'] } },
    }
    await fromFile(
      'built-in.config.yaml',
      { ...config, identity: { origin: 'http://localhost:3000' } },
      async (ask, layer) => {
        const email = await layer.identity?.accounts.create({
          email: 'a@b.example' as never,
          emailVerified: 'yes',
        })
        const session = await layer.identity?.sessions.begin({
          accountId: email?.id ?? '',
          amr: ['pwd'],
          address: '192.0.2.1',
          agent: 'x',
        })
        const key = await layer.identity?.apiKeys.create(
          { kind: 'user', id: email?.id ?? '' },
          { name: 'k', scopes: [] },
        )
        const cookie = { cookie: `postern-session=${session?.token}` }
        const bearer = { authorization: `Bearer ${key?.text}` }
        assert.equal((await ask(cookie)).kind, 'user')
        assert.equal((await ask(cookie, '/keys/x')).kind, 'anonymous')
        assert.equal((await ask(bearer, '/keys/x')).kind, 'apiKey')
        // Not among the methods that hold everywhere.
        assert.equal((await ask(bearer)).kind, 'anonymous')
        assert.equal((await ask({ authorization: `Bearer ${token()}` })).id, 'alice')
        // Who is known by a session cannot bring the header of a proxy along.
        const forged = { 'x-forwarded-user': 'admin' }
        assert.equal((await ask({ ...cookie, ...forged })).forwardedUser, undefined)
        assert.equal((await ask({ ...bearer, ...forged }, '/keys/x')).forwardedUser, undefined)
      },
    )
  })

  test('every preset is accepted as data', async () => {
    const from = ['10.0.0.0/8']
    const identify: Config['identify'] = [
      { auth0: { domain: 'example.eu.auth0.com', audience: 'https://api.example' } },
      { clerk: { frontendApi: 'https://clerk.example', origins: ['https://app.example'] } },
      { cognito: { region: 'eu-central-1', pool: 'eu-central-1_aB', client: 'c' } },
      { keycloak: { realm: 'https://id.example/realms/shop', audience: 'orders' } },
      { entra: { directory: '11111111-2222-3333-4444-555555555555', audience: 'x' } },
      { cloudflareAccess: { team: 'https://example.cloudflareaccess.com', audience: 'x' } },
      { betterAuth: { url: 'http://127.0.0.1:3000/api/auth' } },
      { authJs: { secret: 'a secret of Auth.js' } },
      { mtls: { header: 'x-client-cert' } },
      { oauth2Proxy: { from } },
      { tailscale: { from } },
    ]
    await assert.doesNotReject(async () => {
      const layer = await postern({ folder, config: { dataDirectory: false, identify } })
      await layer.close()
    })
  })

  test('what cannot be is refused with a place and a hint', async () => {
    const refused = async (config: object, pattern: RegExp): Promise<void> =>
      assert.rejects(postern({ folder, config: { dataDirectory: false, ...config } }), pattern)
    const jwt = { issuer: 'https://id.example', audience: 'orders', jwks: 'https://id.example/jwks' }
    await refused({ identify: [{ jwt, mtls: {} }] }, /identify.*exactly one kind/s)
    await refused({ identify: [{}] }, /exactly one kind/)
    await refused({ identify: [{ jwt }, { jwt }] }, /two methods have the name "jwt"/)
    await refused({ identify: [{ jwt: { ...jwt, jwks: 'http://id.example/jwks' } }] }, /not HTTPS/)
    await refused({ identify: ['session'] }, /built-in identity, which is off/)
    await refused(
      { identify: [{ jwt }], routes: { '/x': { identify: ['jwtt'] } } },
      /routes.*did you mean "jwt"/s,
    )
    await refused({ identify: { by: [{ jwt }], lookUp: {} } }, /either url or query/)
    await refused({ identify: { by: [{ jwt }], lookUp: { query: 'SELECT 1' } } }, /needs a database/)
  })
})
