import assert from 'node:assert/strict'
import { createHmac, hkdfSync } from 'node:crypto'
import { describe, test } from 'node:test'
import { CidrSet, type Exchange, type Identify, StoreError } from '@postern/core'
import { EncryptJWT } from 'jose'
import {
  auth0,
  authJs,
  betterAuth,
  certificateMethod,
  clerk,
  cloudflareAccess,
  cognito,
  enriched,
  entra,
  expressSession,
  fastifySession,
  type IdentifyMethod,
  identifyBy,
  introspectionMethod,
  jwtMethod,
  keycloak,
  oauth2Proxy,
  proxyMethod,
  Revocations,
  sessionMethod,
  tailscale,
} from '../src/index.ts'
import {
  dropCredential,
  httpLookUp,
  type JwtMethodOptions,
  known,
  localKeySet,
  prefixed,
} from '../src/verify-entry.ts'
import { clock, type ExchangeOptions, exchangeOf, signer, token } from './verify-harness.ts'

const key = signer('k1')
const now = (): number => Math.floor(clock.now() / 1_000)
const ISSUER = 'https://id.example'
const claims = (more: object = {}): object => ({
  iss: ISSUER,
  aud: 'shop',
  sub: 'alice',
  exp: now() + 300,
  iat: now(),
  ...more,
})
const ours = (more: Partial<JwtMethodOptions> = {}): IdentifyMethod =>
  jwtMethod({ issuer: ISSUER, audience: 'shop', keys: localKeySet({ keys: [key.jwk] }), clock, ...more })
const bearer = (text: string): readonly string[] => ['authorization', `Bearer ${text}`]
const ask = async (method: IdentifyMethod, options: ExchangeOptions): Promise<string> => {
  const said = await method.identify(exchangeOf(options))
  return said.kind === 'known' ? `${said.principal.kind} ${said.principal.id}` : said.kind
}

describe('identifying by a JWT', () => {
  test('reads one bearer token, and leaves other credentials to other methods', async () => {
    const good = token(key, claims())
    assert.equal(await ask(ours(), { headers: bearer(good) }), 'user alice')
    assert.equal(await ask(ours(), {}), 'absent')
    assert.equal(await ask(ours(), { headers: ['authorization', 'Basic YTpi'] }), 'absent')
    assert.equal(await ask(ours(), { headers: bearer('sk_live_opaque') }), 'absent')
  })

  test('bug class: malformed header that fails open: what is not exactly one token is refused, not overlooked', async () => {
    const good = token(key, claims())
    for (const headers of [
      [...bearer(good), ...bearer(good)],
      ['authorization', 'Bearer'],
      ['authorization', `Bearer ${good} ${good}`],
      ['authorization', `Bearer ${good},x`],
      bearer('a.b.c'),
      bearer(token(key, claims({ exp: now() - 100 }))),
      bearer(token(key, claims({ sub: '' }))),
      bearer(token(key, claims({ sub: { id: 'alice' } }))),
    ])
      assert.equal(await ask(ours(), { headers }), 'refused', String(headers[1]).slice(0, 20))
  })

  test('a name that no store, log or budget could hold is nobody', async () => {
    for (const sub of ['a'.repeat(257), 'a\u0000b', 'alice\nbob', '\u0085', 'alice\ud800'])
      assert.equal(
        await ask(ours(), { headers: bearer(token(key, claims({ sub }))) }),
        'refused',
        sub.slice(0, 9),
      )
    assert.equal(
      await ask(ours(), { headers: bearer(token(key, claims({ sub: 'a'.repeat(256) }))) }),
      `user ${'a'.repeat(256)}`,
    )
  })

  test('a tenant that cannot be read does not make a principal without one', async () => {
    const by = ours({ claims: { tenant: 'org' } })
    const tenantOf = async (org: unknown): Promise<unknown> => {
      const said = await by.identify(exchangeOf({ headers: bearer(token(key, claims({ org }))) }))
      return said.kind === 'known' ? said.principal.tenant : said.kind
    }
    assert.equal(await tenantOf(42), '42')
    assert.equal(await tenantOf('acme'), 'acme')
    for (const org of [null, '', undefined]) assert.equal(await tenantOf(org), undefined)
    for (const org of [['acme'], { id: 'acme' }, true, 1.5, 'a'.repeat(257), 'a\nb'])
      assert.equal(await tenantOf(org), 'refused', JSON.stringify(org).slice(0, 20))
  })

  test('who acts for a person is known to, also when it has another name than `sub`', async () => {
    const actorOf = async (act: unknown): Promise<unknown> => {
      const said = await ours().identify(exchangeOf({ headers: bearer(token(key, claims({ act }))) }))
      return said.kind === 'known' ? said.principal.actor : said.kind
    }
    assert.equal(await actorOf({ sub: 'support' }), 'support')
    assert.equal(await actorOf({ client_id: 'crm' }), 'service:crm')
    assert.equal(await actorOf({ iss: 'https://other.example' }), 'service:unnamed')
    assert.equal(await actorOf({ sub: 7 }), 'service:unnamed')
    assert.equal(await actorOf({}), 'service:unnamed')
    assert.equal(await actorOf(undefined), undefined)
  })

  test('tells services from people, and reads roles, scopes, tenant and the time of authentication', async () => {
    const said = await ours({ claims: { tenant: 'org.id', roles: 'realm_access.roles' } }).identify(
      exchangeOf({
        headers: bearer(
          token(
            key,
            claims({
              org: { id: 't1' },
              realm_access: { roles: ['admin'] },
              scope: 'read write',
              auth_time: now(),
              amr: ['hwk'],
              act: { sub: 'support' },
            }),
          ),
        ),
      }),
    )
    assert.deepEqual(
      said,
      known({
        kind: 'user',
        id: 'alice',
        tenant: 't1',
        roles: ['admin'],
        scopes: ['read', 'write'],
        amr: ['hwk'],
        authenticatedAt: now() * 1_000,
        actor: 'support',
      }),
    )
    assert.equal(
      await ask(ours(), { headers: bearer(token(key, claims({ sub: 'job', client_id: 'job' }))) }),
      'service job',
    )
  })

  test('a token of a cookie, of one cookie only', async () => {
    const good = token(key, claims())
    const method = ours({ cookie: '__session' })
    assert.equal(await ask(method, { headers: ['cookie', `a=b; __session=${good}`] }), 'user alice')
    assert.equal(
      await ask(method, { headers: ['cookie', `__session=${good}; __session=${good}x`] }),
      'refused',
    )
    assert.equal(await ask(method, { headers: ['cookie', 'a=b'] }), 'absent')
  })

  test('a revoked session or principal is refused on the next request, a later sign-in is not', async () => {
    const revocations = new Revocations({ clock })
    const method = ours({ revocations })
    const one = bearer(token(key, claims({ sid: 's1' })))
    const two = bearer(token(key, claims({ sid: 's2' })))
    await revocations.revokeSession('s1')
    assert.deepEqual(
      [await ask(method, { headers: one }), await ask(method, { headers: two })],
      ['refused', 'user alice'],
    )
    await revocations.revokePrincipal('alice')
    assert.equal(await ask(method, { headers: two }), 'refused')
    clock.advance(2_000)
    assert.equal(await ask(method, { headers: bearer(token(key, claims({ sid: 's3' }))) }), 'user alice')
  })
})

describe('presets, with metadata and tokens of the shape that the providers publish', () => {
  const fetcher =
    (wanted: string) =>
    async (url: string): Promise<Response> => {
      assert.equal(url, wanted)
      return Response.json({ keys: [{ ...key.jwk }] })
    }
  const environment = (url: string) => ({ clock, fetch: fetcher(url) })
  const time = (): object => ({ iat: now(), exp: now() + 60 })

  test('Clerk', async () => {
    const method = jwtMethod(
      clerk(
        'https://clerk.shop.example',
        'https://shop.example',
        environment('https://clerk.shop.example/.well-known/jwks.json'),
      ),
    )
    const session = {
      ...time(),
      iss: 'https://clerk.shop.example',
      azp: 'https://shop.example',
      sub: 'user_2a',
      sid: 'sess_1',
      nbf: now() - 5,
      org_id: 'org_1',
    }
    assert.equal(
      await ask(method, { headers: ['cookie', `__session=${token(key, session)}`] }),
      'user user_2a',
    )
    assert.equal(
      await ask(method, { headers: bearer(token(key, { ...session, azp: 'https://evil.example' })) }),
      'refused',
    )
  })

  test('Auth0', async () => {
    const method = jwtMethod(
      auth0(
        'shop.eu.auth0.com',
        'https://api.shop.example',
        environment('https://shop.eu.auth0.com/.well-known/jwks.json'),
      ),
    )
    const access = {
      ...time(),
      iss: 'https://shop.eu.auth0.com/',
      sub: 'auth0|1',
      aud: ['https://api.shop.example', 'https://shop.eu.auth0.com/userinfo'],
      azp: 'client',
      scope: 'openid',
      permissions: ['read:orders'],
    }
    assert.equal(
      await ask(method, { headers: bearer(token(key, access, { typ: 'at+jwt' })) }),
      'user auth0|1',
    )
    assert.equal(
      await ask(method, {
        headers: bearer(token(key, { ...access, sub: 'client@clients', gty: 'client-credentials' })),
      }),
      'service client@clients',
    )
  })

  test('Cognito', async () => {
    const url = 'https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_AbC/.well-known/jwks.json'
    const method = jwtMethod(cognito('eu-central-1', 'eu-central-1_AbC', 'client1', environment(url)))
    const access = {
      ...time(),
      iss: 'https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_AbC',
      sub: 'uuid',
      client_id: 'client1',
      token_use: 'access',
      'cognito:groups': ['staff'],
    }
    assert.equal(await ask(method, { headers: bearer(token(key, access, { typ: undefined })) }), 'user uuid')
    const id = { ...access, token_use: 'id', aud: 'client1' }
    assert.equal(await ask(method, { headers: bearer(token(key, id, { typ: undefined })) }), 'refused')
  })

  test('Keycloak', async () => {
    const method = jwtMethod(
      keycloak(
        'https://id.shop.example/realms/shop',
        'orders',
        environment('https://id.shop.example/realms/shop/protocol/openid-connect/certs'),
      ),
    )
    const access = {
      ...time(),
      iss: 'https://id.shop.example/realms/shop',
      sub: 'uuid',
      aud: ['orders', 'account'],
      typ: 'Bearer',
      azp: 'web',
      realm_access: { roles: ['admin'] },
    }
    assert.equal(await ask(method, { headers: bearer(token(key, access)) }), 'user uuid')
    assert.equal(await ask(method, { headers: bearer(token(key, { ...access, typ: 'ID' })) }), 'refused')
  })

  test('Entra ID, of one directory', async () => {
    const directory = '11111111-2222-3333-4444-555555555555'
    const method = jwtMethod(
      entra(
        directory,
        'app',
        environment(`https://login.microsoftonline.com/${directory}/discovery/v2.0/keys`),
      ),
    )
    const access = {
      ...time(),
      iss: `https://login.microsoftonline.com/${directory}/v2.0`,
      sub: 'pairwise',
      oid: 'person',
      tid: directory,
      ver: '2.0',
      aud: 'app',
      scp: 'orders.read',
    }
    assert.equal(await ask(method, { headers: bearer(token(key, access)) }), 'user person')
    assert.throws(() => entra('common', 'app'), { code: 'POSTERN_CONFIG' })
  })

  test('Cloudflare Access', async () => {
    const method = cloudflareAccess(
      'https://shop.cloudflareaccess.com',
      'aud-tag',
      environment('https://shop.cloudflareaccess.com/cdn-cgi/access/certs'),
    )
    const access = {
      ...time(),
      iss: 'https://shop.cloudflareaccess.com',
      aud: ['aud-tag'],
      email: 'ada@shop.example',
      sub: 'uuid',
      type: 'app',
    }
    const header = token(key, access)
    assert.equal(await ask(method, { headers: ['cf-access-jwt-assertion', header] }), 'user ada@shop.example')
    assert.equal(
      await ask(method, { headers: ['cf-access-jwt-assertion', header, 'cf-access-jwt-assertion', header] }),
      'refused',
    )
    assert.equal(
      await ask(method, { headers: ['cf-access-authenticated-user-email', 'ada@shop.example'] }),
      'absent',
    )
  })
})

describe('introspection', () => {
  const method = (answer: object, seen: RequestInit[] = []): IdentifyMethod =>
    introspectionMethod({
      url: 'https://id.example/introspect',
      clientId: 'shop:1',
      clientSecret: 'se cret',
      audience: 'shop',
      clock,
      fetch: async (_, init) => {
        seen.push(init)
        return Response.json(answer)
      },
    })
  const active = { active: true, sub: 'alice', aud: 'shop', client_id: 'app', scope: 'read' }

  test('asks the server once in ten seconds, with credentials form-encoded', async () => {
    const seen: RequestInit[] = []
    const one = method(active, seen)
    assert.deepEqual(
      await Promise.all(Array.from({ length: 20 }, () => ask(one, { headers: bearer('opaque') }))),
      Array(20).fill('user alice'),
    )
    assert.equal(seen.length, 1)
    const { authorization } = (seen[0]?.headers ?? {}) as Record<string, string>
    assert.equal(Buffer.from(authorization?.slice(6) ?? '', 'base64').toString(), 'shop%3A1:se+cret')
    clock.advance(11_000)
    await ask(one, { headers: bearer('opaque') })
    assert.equal(seen.length, 2)
  })

  test('refuses what is inactive, of another audience, ended, or bound to a key', async () => {
    for (const answer of [
      {},
      { active: 'true', sub: 'a' },
      { ...active, active: false },
      { ...active, aud: 'other' },
      { ...active, aud: undefined },
      { ...active, exp: now() - 1 },
      { ...active, cnf: { jkt: 'x' } },
    ])
      assert.equal(
        await ask(method(answer), { headers: bearer('opaque') }),
        'refused',
        JSON.stringify(answer),
      )
  })

  test('a server that does not answer is an error, not an answer, and is asked again', async () => {
    let fetches = 0
    const broken = introspectionMethod({
      url: 'https://id.example/i',
      clientId: 'c',
      clientSecret: 's',
      audience: 'shop',
      clock,
      fetch: async () => {
        fetches++
        return new Response('', { status: 500 })
      },
    })
    for (let i = 0; i < 2; i++)
      await assert.rejects(async () => broken.identify(exchangeOf({ headers: bearer('x') })), StoreError)
    assert.equal(fetches, 2)
  })
})

describe('sessions of the application', () => {
  const sign = (value: string, secret = 'keyboard cat'): string =>
    `${value}.${createHmac('sha256', secret).update(value).digest('base64').replace(/=+$/, '')}`
  const store = (sessions: Record<string, unknown>) => ({
    get: (id: string, done: (error: unknown, session?: unknown) => void) => done(null, sessions[id]),
  })

  test('express-session and Passport', async () => {
    const adapter = expressSession({
      store: store({ abc: { passport: { user: 7 } }, def: { cookie: {} } }),
      secret: 'keyboard cat',
    })
    const method = sessionMethod({ ...adapter, clock })
    const cookie = (value: string): ExchangeOptions => ({
      headers: ['cookie', `connect.sid=${encodeURIComponent(value)}`],
    })
    assert.equal(await ask(method, cookie(`s:${sign('abc')}`)), 'user 7')
    assert.equal(await ask(method, cookie(`s:${sign('def')}`)), 'refused')
    assert.equal(await ask(method, cookie(`s:${sign('abc', 'other secret')}`)), 'refused')
    assert.equal(await ask(method, cookie('s:abc')), 'refused')
    assert.equal(await ask(method, cookie('%')), 'refused')
    assert.equal(
      await ask(method, {
        headers: ['cookie', `connect.sid=s:${sign('abc')}; connect.sid=s:${sign('def')}`],
      }),
      'refused',
    )
    assert.equal(await ask(method, {}), 'absent')
    assert.throws(() => expressSession({ store: store({}), secret: '' }), { code: 'POSTERN_CONFIG' })
  })

  test('@fastify/session', async () => {
    const adapter = fastifySession({ store: store({ abc: { user: { id: 'u1' } } }), secret: 'keyboard cat' })
    assert.equal(
      await ask(sessionMethod({ ...adapter, clock }), {
        headers: ['cookie', `sessionId=${encodeURIComponent(sign('abc'))}`],
      }),
      'user u1',
    )
  })

  test('better-auth, by its get-session endpoint', async () => {
    const adapter = betterAuth({
      url: 'http://127.0.0.1:3000/api/auth',
      fetch: async (url, init) => {
        assert.equal(url, 'http://127.0.0.1:3000/api/auth/get-session')
        const { cookie } = init.headers as Record<string, string>
        return Response.json(
          cookie?.includes('good')
            ? { session: { activeOrganizationId: 'o1' }, user: { id: 'u1', role: 'admin' } }
            : null,
        )
      },
    })
    const method = sessionMethod({ ...adapter, clock })
    const said = await method.identify(
      exchangeOf({ headers: ['cookie', '__Secure-better-auth.session_token=good'] }),
    )
    assert.deepEqual(said, known({ kind: 'user', id: 'u1', roles: ['admin'], tenant: 'o1' }))
    assert.equal(await ask(method, { headers: ['cookie', 'better-auth.session_token=bad'] }), 'refused')
  })

  test('better-auth says when a session began, so that whoever is revoked can sign in again', async () => {
    const revocations = await new Revocations({ clock }).start()
    const began = new Map([
      ['old', clock.now() - 60_000],
      ['new', clock.now() + 60_000],
    ])
    const adapter = betterAuth({
      url: 'http://127.0.0.1:3000/api/auth',
      fetch: async (_url, init) => {
        const { cookie = '' } = init.headers as Record<string, string>
        const at = began.get(/session_token=(\w+)/.exec(cookie)?.[1] ?? '') ?? 0
        return Response.json({ session: { createdAt: new Date(at).toISOString() }, user: { id: 'u1' } })
      },
    })
    const method = sessionMethod({ ...adapter, clock, revocations })
    const sent = (session: string) => ({ headers: ['cookie', `better-auth.session_token=${session}`] })
    assert.notEqual(await ask(method, sent('old')), 'refused')
    await revocations.revokePrincipal('u1')
    assert.equal(await ask(method, sent('old')), 'refused')
    assert.notEqual(await ask(method, sent('new')), 'refused')
  })

  test('Auth.js, kept in an encrypted cookie', async () => {
    const name = '__Secure-authjs.session-token'
    const secret = 'a secret of auth.js'
    const encryption = new Uint8Array(
      hkdfSync('sha256', secret, name, `Auth.js Generated Encryption Key (${name})`, 64),
    )
    const jwe = await new EncryptJWT({ sub: 'u1', name: 'Ada' })
      .setProtectedHeader({ alg: 'dir', enc: 'A256CBC-HS512' })
      .setIssuedAt(now())
      .setExpirationTime(now() + 60)
      .encrypt(encryption)
    const method = sessionMethod({ ...authJs({ secret, clock }), clock })
    assert.equal(await ask(method, { headers: ['cookie', `${name}=${jwe}`] }), 'user u1')
    assert.equal(
      await ask(sessionMethod({ ...authJs({ secret: 'another secret', clock }), clock }), {
        headers: ['cookie', `${name}=${jwe}`],
      }),
      'refused',
    )
  })

  test('NextAuth 4, whose key comes from the secret alone', async () => {
    const secret = 'a secret of next-auth'
    const encryption = new Uint8Array(
      hkdfSync('sha256', secret, '', 'NextAuth.js Generated Encryption Key', 32),
    )
    const jwe = await new EncryptJWT({ sub: 'u1' })
      .setProtectedHeader({ alg: 'dir', enc: 'A256GCM' })
      .setExpirationTime(now() + 60)
      .encrypt(encryption)
    const method = sessionMethod({ ...authJs({ secret, clock }), clock })
    for (const name of ['next-auth.session-token', '__Secure-next-auth.session-token'])
      assert.equal(await ask(method, { headers: ['cookie', `${name}=${jwe}`] }), 'user u1')
  })

  test('a session that is too long for one cookie is put together from its pieces', async () => {
    const method = sessionMethod({
      cookie: ['sid', '__Secure-sid'],
      pieces: true,
      find: value => (value === 'abcdef' ? { principal: { kind: 'user', id: 'u1' } } : undefined),
      clock,
    })
    const sent: Readonly<Record<string, string>> = {
      'sid=abcdef': 'user u1',
      'sid.0=abc; sid.1=def': 'user u1',
      'sid.1=def; other=1; sid.0=abc': 'user u1',
      '__Secure-sid.0=ab; __Secure-sid.1=cd; __Secure-sid.2=ef': 'user u1',
      'sid.0=abc; sid.2=def': 'refused',
      'sid.1=abcdef': 'absent',
      // Which of two the application reads is unknown.
      'sid=abcdef; sid.0=planted': 'refused',
      'sid.0=abc; sid.1=def; sid.1=planted': 'refused',
      'sid.0=planted; sid.0=abc; sid.1=def': 'refused',
      'sid.0=abc; sid.1=def; __Secure-sid.0=planted': 'refused',
    }
    for (const [cookie, said] of Object.entries(sent))
      assert.equal(await ask(method, { headers: ['cookie', cookie] }), said, cookie)
    const whole = sessionMethod({ cookie: 'sid', find: () => undefined, clock })
    assert.equal(await ask(whole, { headers: ['cookie', 'sid.0=abc; sid.1=def'] }), 'absent')
  })

  test('the backend gets no piece of a session that was revoked', async () => {
    const method = sessionMethod({
      cookie: 'sid',
      pieces: true,
      find: () => ({ principal: { kind: 'user', id: 'u1' } }),
      clock,
    })
    const exchange = exchangeOf({ headers: ['cookie', 'sid.0=abc; theme=dark; sid.1=def'] })
    const said = await method.identify(exchange)
    assert.ok(said.kind === 'known')
    dropCredential(exchange, said.principal)
    assert.equal(exchange.requestChanges?.get('cookie'), 'theme=dark')
  })

  test('attack: the role in one organisation does not count in another that a cookie chooses', async () => {
    const roles: Readonly<Record<string, string>> = { mine: 'admin', theirs: 'guest' }
    const looks: string[] = []
    const method = sessionMethod({
      cookie: 'sid',
      clock,
      find: async (value, exchange) => {
        const org = /org=(\w+)/.exec(exchange.header('cookie') ?? '')?.[1] ?? ''
        looks.push(org)
        return value === 'good' ? { principal: { kind: 'user', id: roles[org] ?? 'nobody' } } : undefined
      },
    })
    const send = (cookie: string) => ask(method, { headers: ['cookie', cookie] })
    assert.equal(await send('sid=good; org=mine'), 'user admin')
    assert.equal(await send('sid=good; org=theirs'), 'user guest')
    assert.equal(await send('org=mine; sid=good'), 'user admin')
    assert.deepEqual(await Promise.all([send('sid=good; org=theirs'), send('sid=good; org=mine')]), [
      'user guest',
      'user admin',
    ])
    // The same cookies are asked about once.
    const before = looks.length
    for (let i = 0; i < 3; i++) assert.equal(await send('sid=good; org=mine'), 'user admin')
    assert.equal(looks.length, before)
    assert.equal(await send('sid=bad; org=mine'), 'refused')
  })
})

describe('identity headers of a proxy', () => {
  const from = CidrSet.parse(['10.0.0.0/8'])

  test('bug class: X-Forwarded-* trusted from anyone: accepted from the proxy only, and taken away from everybody else', async () => {
    const method = oauth2Proxy(from)
    const headers = ['x-forwarded-user', 'alice', 'x-forwarded-groups', 'a, b', 'x-forwarded-email', 'a@b.c']
    assert.equal(await ask(method, { peer: '10.1.2.3', headers }), 'user alice')
    const outside = exchangeOf({ peer: '192.0.2.1', headers })
    assert.equal(await identifyBy([method])(outside), undefined)
    assert.deepEqual([...(outside.requestChanges ?? [])].sort(), [
      ['x-forwarded-email', undefined],
      ['x-forwarded-groups', undefined],
      ['x-forwarded-user', undefined],
    ])
  })

  test('attack: every header that oauth2-proxy and Tailscale write is taken away from everybody else', async () => {
    const written = [
      ...['User', 'Email', 'Groups', 'Preferred-Username', 'Access-Token'].flatMap(part => [
        `X-Auth-Request-${part}`,
        `X-Forwarded-${part}`,
      ]),
      ...['User-Login', 'User-Name', 'User-Profile-Pic', 'Headers-Info', 'App-Capabilities'].map(
        part => `Tailscale-${part}`,
      ),
    ]
    const headers = written.flatMap(name => [name, 'admin'])
    const identify = identifyBy([oauth2Proxy(from), tailscale(from)])
    const outside = exchangeOf({ peer: '192.0.2.1', headers: [...headers, 'X-Authority', 'kept'] })
    assert.equal(await identify(outside), undefined)
    assert.deepEqual(
      [...(outside.requestChanges?.keys() ?? [])].sort(),
      written.map(name => name.toLowerCase()).sort(),
    )
    const inside = exchangeOf({ peer: '10.1.2.3', headers })
    assert.equal((await identify(inside))?.id, 'admin')
    assert.equal(inside.requestChanges, undefined)
  })

  test('bug class: an internal header honoured from outside: not even when the client is the proxy by its own claim', async () => {
    const method = tailscale(from)
    const exchange = exchangeOf({
      peer: '192.0.2.1',
      headers: ['x-forwarded-for', '10.0.0.1', 'tailscale-user-login', 'root@example.com'],
      trusted: ['192.0.2.1'],
    })
    assert.equal(await identifyBy([method])(exchange), undefined)
    assert.deepEqual([...(exchange.requestChanges ?? [])], [['tailscale-user-login', undefined]])
    assert.equal(
      await ask(method, {
        peer: '10.0.0.1',
        headers: ['tailscale-user-login', 'a', 'tailscale-user-login', 'b'],
      }),
      'refused',
    )
    assert.throws(() => proxyMethod({ from: CidrSet.parse([]), user: 'x-user' }), { code: 'POSTERN_CONFIG' })
  })
})

describe('several methods', () => {
  const method = (name: string, said: 'absent' | 'refused' | string): IdentifyMethod => ({
    name,
    identify: () =>
      said === 'absent' || said === 'refused' ? { kind: said } : known({ kind: 'user', id: said }),
  })

  test('attack: headers of a proxy beside a credential of my own, which decides first, do not reach the backend', async () => {
    const from = CidrSet.parse(['10.0.0.0/8'])
    const proxies = [
      enriched(oauth2Proxy(from), async () => ({})),
      prefixed(proxyMethod({ from, user: 'X-Corp-User', groups: 'X-Corp-Groups' }), 'corp:'),
      certificateMethod({ header: 'X-Client-Cert', trustedProxies: from }),
    ]
    const routesOf = (identify: readonly string[] | undefined): NonNullable<ExchangeOptions['routes']> =>
      identify === undefined ? {} : { '/**': { identify } }
    const headers = ['x-forwarded-user', 'admin', 'x-corp-groups', 'admins', 'x-client-cert', 'a']
    for (const first of ['mallory', 'refused'] as const)
      for (const names of [undefined, [], ['own']]) {
        const exchange = exchangeOf({ peer: '192.0.2.1', headers, routes: routesOf(names) })
        await identifyBy([method('own', first), ...proxies])(exchange)
        assert.deepEqual(
          [...(exchange.requestChanges ?? [])].map(([name, value]) => `${name} ${value}`).sort(),
          ['x-client-cert undefined', 'x-corp-groups undefined', 'x-forwarded-user undefined'],
        )
        const inside = exchangeOf({ peer: '10.0.0.1', headers, routes: routesOf(names) })
        await identifyBy([method('own', first), ...proxies])(inside)
        assert.equal(inside.requestChanges, undefined)
      }
  })
  const later = (inner: IdentifyMethod): IdentifyMethod => ({
    name: inner.name,
    identify: async exchange => inner.identify(exchange),
  })
  const who = async (identify: Identify, exchange: Exchange = exchangeOf()): Promise<string | undefined> =>
    (await identify(exchange))?.id

  test('the first whose credential is there decides; a wrong one makes nobody of the request', async () => {
    for (const wrap of [(m: IdentifyMethod) => m, later]) {
      const [absent, refused, alice, bob] = [
        method('a', 'absent'),
        method('b', 'refused'),
        method('c', 'alice'),
        method('d', 'bob'),
      ].map(wrap) as [IdentifyMethod, IdentifyMethod, IdentifyMethod, IdentifyMethod]
      assert.equal(await who(identifyBy([absent, alice, bob])), 'alice')
      assert.equal(await who(identifyBy([absent, refused, alice])), undefined)
      assert.equal(await who(identifyBy([absent])), undefined)
    }
  })

  test('a route may accept some of them only', async () => {
    const identify = identifyBy([method('session', 'alice'), method('apiKey', 'robot')])
    assert.equal(
      await who(identify, exchangeOf({ routes: { '/api/**': { identify: ['apiKey'] } } })),
      'robot',
    )
    assert.equal(await who(identify, exchangeOf({ routes: { '/api/**': { identify: [] } } })), undefined)
  })

  test('plan and tenant are looked up once in a while, and not guessed when that fails', async () => {
    let asked = 0
    const lookUp = httpLookUp('http://127.0.0.1:3000/plans/{id}', async url => {
      asked++
      assert.equal(url, 'http://127.0.0.1:3000/plans/a%2Fb')
      return Response.json({ plan: 'pro', tenant: 't1', secret: 1 })
    })
    const withPlan = enriched(method('session', 'a/b'), lookUp, { clock })
    for (let i = 0; i < 5; i++)
      assert.deepEqual(
        await withPlan.identify(exchangeOf()),
        known({ kind: 'user', id: 'a/b', plan: 'pro', tenant: 't1' }),
      )
    assert.equal(asked, 1)
    for (const id of ['.', '..'])
      assert.deepEqual(
        await enriched(method('session', id), lookUp, { clock }).identify(exchangeOf()),
        known({ kind: 'user', id }),
      )
    const numbered = httpLookUp('http://127.0.0.1:3000/plans/{id}', async () => Response.json({ tenant: 7 }))
    assert.deepEqual(
      await enriched(method('session', 'a'), numbered, { clock }).identify(exchangeOf()),
      known({ kind: 'user', id: 'a', tenant: '7' }),
    )
    assert.equal(asked, 1)
    const broken = enriched(method('session', 'a'), async () => Promise.reject(new Error('down')), { clock })
    await assert.rejects(async () => broken.identify(exchangeOf()))
  })
})

describe('several issuers in one list', () => {
  const theirs = signer('t1')
  const THEIRS = 'https://partners.example'
  const partners = (name = 'partners'): IdentifyMethod =>
    prefixed(
      jwtMethod({ name, issuer: THEIRS, audience: 'shop', keys: localKeySet({ keys: [theirs.jwk] }), clock }),
      'partners:',
    )
  const cookie: IdentifyMethod = {
    name: 'session',
    identify: () => known({ kind: 'user', id: 'from-the-cookie' }),
  }
  const who = async (methods: readonly IdentifyMethod[], text: string): Promise<string | undefined> =>
    (await identifyBy(methods)(exchangeOf({ headers: bearer(text) })))?.id

  for (const methods of [
    [ours(), partners()],
    [partners(), ours()],
    [ours(), partners(), cookie],
    [partners(), ours(), cookie],
  ])
    test(`each verify the tokens that name them: ${methods.map(({ name }) => name).join(', ')}`, async () => {
      assert.equal(await who(methods, token(key, claims())), 'alice')
      assert.equal(await who(methods, token(theirs, claims({ iss: THEIRS }))), 'partners:alice')
    })

  test('take no token signed by the keys of another, of an unknown issuer or of none, whatever else is there', async () => {
    for (const methods of [
      [ours(), partners(), cookie],
      [partners(), ours(), cookie],
    ])
      for (const text of [
        token(theirs, claims()),
        token(key, claims({ iss: THEIRS })),
        token(key, claims({ iss: 'https://evil.example' })),
        token(key, claims({ iss: undefined })),
        token(key, claims({ iss: [THEIRS, ISSUER] })),
        'a.b.c',
      ])
        assert.equal(await who(methods, text), undefined)
  })

  test('of two tokens in two places that disagree, neither is taken', async () => {
    const header = 'x-partner-token'
    const elsewhere = jwtMethod({
      ...{ name: 'elsewhere', issuer: THEIRS, audience: 'shop', header, clock },
      keys: localKeySet({ keys: [theirs.jwk] }),
    })
    const identify = identifyBy([ours(), elsewhere])
    const own = token(theirs, claims({ iss: THEIRS }))
    const both = [...bearer(token(key, claims({ iss: 'https://evil.example' }))), header, own]
    assert.equal(await identify(exchangeOf({ headers: both })), undefined)
    assert.equal((await identify(exchangeOf({ headers: [header, own] })))?.id, 'alice')
  })

  test('are asked in order behind a method whose credential is absent, also when it answers later', async () => {
    const absent: IdentifyMethod = { name: 'key', identify: async () => ({ kind: 'absent' }) }
    const methods = [absent, ours(), partners()]
    assert.equal(await who(methods, token(theirs, claims({ iss: THEIRS }))), 'partners:alice')
    assert.equal(await who(methods, token(key, claims({ iss: THEIRS }))), undefined)
  })
})
