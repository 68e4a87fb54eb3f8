import assert from 'node:assert/strict'
import { createHmac, createPublicKey } from 'node:crypto'
import { describe, test } from 'node:test'
import { CredentialError, StoreError } from '@postern/core'
import fc from 'fast-check'
import { PUBLIC_ALGORITHMS } from '../src/verify/key-set.ts'
import { type JwtVerifierOptions, jwtVerifier, localKeySet, remoteKeySet } from '../src/verify-entry.ts'
import { clock, part, type Signer, signer, token } from './verify-harness.ts'

const ISSUER = 'https://id.example'
const key = signer('k1')
const set = { keys: [key.jwk] }
const now = (): number => Math.floor(clock.now() / 1_000)
const claims = (more: object = {}): object => ({
  iss: ISSUER,
  aud: 'shop',
  sub: 'alice',
  exp: now() + 300,
  iat: now(),
  ...more,
})
const verifier = (more: Partial<JwtVerifierOptions> = {}) =>
  jwtVerifier({ issuer: ISSUER, audience: 'shop', keys: localKeySet(set), clock, ...more })

async function holds(text: string, more: Partial<JwtVerifierOptions> = {}): Promise<boolean> {
  try {
    await verifier(more).verify(text)
    return true
  } catch (error) {
    assert.ok(error instanceof CredentialError, String(error))
    assert.equal(error.message, 'the token is invalid')
    return false
  }
}

describe('a signed token', () => {
  test('holds when everything is right, at once', () => {
    const said = verifier().verify(token(key, claims()))
    assert.ok(!(said instanceof Promise))
    assert.equal(said['sub'], 'alice')
  })

  test('bug class: alg none: no spelling of it is an algorithm', async () => {
    for (const alg of ['none', 'None', 'NONE', 'nOnE', '']) {
      const unsigned = `${part({ alg, typ: 'JWT', kid: 'k1' })}.${part(claims())}.`
      assert.equal(await holds(unsigned), false, alg)
      assert.equal(await holds(`${unsigned}AAAA`), false, alg)
    }
  })

  test('bug class: algorithm confusion: the public key is never an HMAC secret, and an algorithm is pinned to each key', async () => {
    const pem = createPublicKey(key.privateKey).export({ type: 'spki', format: 'pem' })
    for (const secret of [pem, JSON.stringify(key.jwk), '']) {
      const signed = `${part({ alg: 'HS256', typ: 'JWT', kid: 'k1' })}.${part(claims())}`
      const mac = createHmac('sha256', secret).update(signed).digest('base64url')
      assert.equal(await holds(`${signed}.${mac}`), false)
    }
    assert.equal(await holds(token(key, claims(), { alg: 'ES384' })), false)
    assert.equal(
      await holds(token(key, claims()), {
        keys: localKeySet({ keys: [key.jwk, { ...key.jwk, kid: 'k2' }] }),
      }),
      true,
    )
  })

  test('a MAC has one spelling, and its check is not confused by a longer one before it', async () => {
    const secret = Buffer.alloc(64, 5)
    const jwk = { kty: 'oct', k: secret.toString('base64url') }
    const keys = localKeySet({ keys: ['HS256', 'HS512'].map(alg => ({ ...jwk, alg, kid: alg })) }, [
      'HS256',
      'HS512',
    ])
    const mac = (alg: 'HS256' | 'HS512'): string => {
      const signed = `${part({ alg, typ: 'JWT', kid: alg })}.${part(claims())}`
      return `${signed}.${createHmac(alg === 'HS256' ? 'sha256' : 'sha512', secret)
        .update(signed)
        .digest('base64url')}`
    }
    const good = mac('HS256')
    const wrong = `${mac('HS512').slice(0, -2)}AA`
    for (const [text, isGood] of [
      [mac('HS512'), true],
      [good, true],
      [wrong, false],
      [good, true],
      // 43 characters, of which the last has bits that no byte needs.
      [good.slice(0, -1) + String.fromCharCode(good.charCodeAt(good.length - 1) + 1), false],
      [`${good}=`, false],
      [`${good.slice(0, -1)}\u0141`, false],
      // The same low byte as the right character: a decoder that takes only that would be satisfied.
      [
        good.slice(0, -43) + String.fromCharCode(good.charCodeAt(good.length - 43) + 0x100) + good.slice(-42),
        false,
      ],
      [good, true],
    ] as const)
      assert.equal(await holds(text, { keys, cache: 0 }), isGood, text.slice(-90))
  })

  test('a key in the token itself (jwk, jku, x5u) is nobody we know', async () => {
    const own = signer('mine')
    for (const header of [
      { jwk: own.jwk },
      { jku: 'https://evil.example/jwks' },
      { x5u: 'https://evil.example/x5u' },
      { kid: 'k1', jwk: own.jwk },
    ])
      assert.equal(await holds(token(own, claims(), header)), false)
  })

  test('bug class: unknown crit: nothing critical is understood, so nothing critical is accepted', async () => {
    for (const header of [{ crit: ['exp'] }, { crit: [] }, { crit: ['b64'], b64: false }, { b64: true }])
      assert.equal(await holds(token(key, claims(), header)), false, JSON.stringify(header))
  })

  test('bug class: empty secret accepted: a key of no bytes, or of too few, is not a key', () => {
    for (const k of ['', 'AAAA', Buffer.alloc(31).toString('base64url')])
      assert.throws(() => localKeySet({ keys: [{ kty: 'oct', alg: 'HS256', k }] }, ['HS256']), {
        code: 'POSTERN_CONFIG',
      })
  })

  test('a secret that is too short is refused with the length that it needs', () => {
    const short = { kty: 'oct', alg: 'HS256', k: Buffer.from('keyboard cat').toString('base64url') }
    assert.throws(() => localKeySet({ keys: [short] }, ['HS256']), /at least 32 bytes for HS256/)
  })

  test('secret and public keys in one set are not keys', () => {
    const secret = { kty: 'oct', alg: 'HS256', kid: 's', k: Buffer.alloc(32, 1).toString('base64url') }
    assert.throws(() => localKeySet({ keys: [secret, key.jwk] }, [...PUBLIC_ALGORITHMS, 'HS256']), {
      code: 'POSTERN_CONFIG',
    })
  })

  test('claims: issuer, audience, type and time are required and checked, with skew', async () => {
    const cases: readonly (readonly [object, object, boolean])[] = [
      [{ iss: 'https://other.example' }, {}, false],
      [{ iss: undefined }, {}, false],
      [{ aud: 'other' }, {}, false],
      [{ aud: undefined }, {}, false],
      [{ aud: ['other', 'shop'] }, {}, true],
      [{ aud: { shop: true } }, {}, false],
      [{ exp: now() - 29 }, {}, true],
      [{ exp: now() - 31 }, {}, false],
      [{ exp: undefined }, {}, false],
      [{ exp: String(now() + 300) }, {}, false],
      [{ nbf: now() + 29 }, {}, true],
      [{ nbf: now() + 31 }, {}, false],
      [{ iat: now() + 31 }, {}, false],
      [{}, { typ: 'at+jwt' }, true],
      [{}, { typ: 'application/at+JWT' }, true],
      [{}, { typ: 'dpop+jwt' }, false],
      [{}, { typ: undefined }, false],
    ]
    for (const [claim, header, wanted] of cases)
      assert.equal(await holds(token(key, claims(claim), header)), wanted, JSON.stringify([claim, header]))
    assert.equal(await holds(token(key, claims()), { maxAge: '1m' }), true)
    assert.equal(await holds(token(key, claims({ iat: now() - 100 })), { maxAge: '1m' }), false)
    assert.equal(await holds(token(key, claims()), { exactly: { token_use: 'access' } }), false)
  })

  test('an issuer or audience that is not set is a mistake, not "any"', () => {
    for (const more of [{ issuer: '' }, { audience: '' }, { audience: [] }, { audience: ['shop', ''] }])
      assert.throws(() => verifier(more), { code: 'POSTERN_CONFIG' })
  })

  test('holds in one spelling only: whatever is changed, added or padded', async () => {
    const good = token(key, claims())
    for (const bad of [
      `${good}=`,
      `${good} `,
      ` ${good}`,
      `${good}.`,
      good.replace('.', '..'),
      good.replace(/\./g, ','),
      `${good}A`,
      good.slice(0, -1),
    ])
      assert.equal(await holds(bad), false, bad.slice(-5))
    const shared = verifier()
    shared.verify(good)
    fc.assert(
      fc.property(fc.nat(good.length - 1), fc.constantFrom(...'Aa0-_.=+/ \n'), (at, char) => {
        const bad = good.slice(0, at) + char + good.slice(at + 1)
        if (bad === good) return true
        try {
          shared.verify(bad)
          return false
        } catch {
          return true
        }
      }),
      { numRuns: 2_000 },
    )
  })
})

describe('verified tokens are remembered', () => {
  test('bug class: verifier cache collision: the whole token is the key, so one with another signature or payload is another', async () => {
    const shared = verifier()
    const good = token(key, claims())
    await shared.verify(good)
    const [header = '', payload = '', signature = ''] = good.split('.')
    const other = part(claims({ sub: 'mallory' }))
    for (const bad of [
      `${header}.${payload}.${'A'.repeat(86)}`,
      `${header}.${other}.${signature}`,
      `${header}.${payload}.`,
    ])
      assert.throws(() => shared.verify(bad), CredentialError)
  })

  test('bug class: authority from a stale cache: not beyond the end of the token, nor the life of its key', async () => {
    const shared = verifier({ clockSkew: 0 })
    const brief = token(key, claims({ exp: now() + 10 }))
    await shared.verify(brief)
    clock.advance(11_000)
    assert.throws(() => shared.verify(brief), CredentialError)

    const next = signer('k2')
    let served: object = { keys: [key.jwk] }
    const keys = remoteKeySet({
      url: 'https://id.example/jwks',
      clock,
      fetch: async () => Response.json(served),
    })
    const remote = verifier({ keys })
    const old = token(key, claims())
    await remote.verify(old)
    served = { keys: [next.jwk] }
    clock.advance(60_000)
    await remote.verify(token(next, claims()))
    await assert.rejects(async () => remote.verify(old), CredentialError)
  })
})

describe('keys of an issuer elsewhere', () => {
  const remote = (served: () => Promise<Response>): { verify: (by: Signer) => Promise<boolean> } => {
    const keys = remoteKeySet({ url: 'https://id.example/jwks', clock, fetch: served })
    return { verify: by => holds(token(by, claims()), { keys }) }
  }

  test('rotation: a token with a new key id makes the keys be fetched again', async () => {
    const next = signer('k2')
    let keys = [key.jwk]
    const at = remote(async () => Response.json({ keys }))
    assert.equal(await at.verify(key), true)
    keys = [key.jwk, next.jwk]
    clock.advance(31_000)
    assert.equal(await at.verify(next), true)
  })

  test('unknown key ids do not make us fetch more than once in 30 seconds', async () => {
    let fetches = 0
    const at = remote(async () => {
      fetches++
      return Response.json(set)
    })
    await at.verify(key)
    for (let i = 0; i < 100; i++) await at.verify({ ...key, kid: `made-up-${i}` })
    assert.equal(fetches, 1)
    clock.advance(31_000)
    await Promise.all(Array.from({ length: 50 }, (_, i) => at.verify({ ...key, kid: `made-up-${i}` })))
    assert.equal(fetches, 2)
  })

  test('attack: a key is withdrawn, and one token of it is used all the time', async () => {
    let published = [key.jwk]
    const keys = remoteKeySet({
      url: 'https://id.example/jwks',
      clock,
      fetch: async () => Response.json({ keys: published }),
    })
    const shared = verifier({ keys })
    const stolen = token(key, claims({ exp: now() + 86_400 }))
    const isTaken = async (): Promise<boolean> => {
      try {
        await shared.verify(stolen)
        return true
      } catch (error) {
        assert.ok(error instanceof CredentialError)
        return false
      }
    }
    assert.equal(await isTaken(), true)
    published = [signer('k2').jwk]
    const start = clock.now()
    // Four uses a minute. The last is refused.
    while (await isTaken()) {
      clock.advance(15_000)
      await new Promise(resolve => setImmediate(resolve))
      assert.ok(clock.now() - start <= 16 * 60_000)
    }
  })

  test('attack: a key is withdrawn, and a token of it comes after hours without any', async () => {
    let published = [key.jwk]
    const at = remote(async () => Response.json({ keys: published }))
    assert.equal(await at.verify(key), true)
    published = [signer('k2').jwk]
    clock.advance(8 * 3_600_000)
    assert.equal(await at.verify(key), false)
  })

  test('attack: made-up tokens do not multiply what an issuer is asked that fails, or has no key', async () => {
    for (const fail of [
      async () => Promise.reject(new TypeError('fetch failed')),
      async () => Response.json({ keys: [] }),
    ]) {
      let fetches = 0
      const keys = remoteKeySet({
        url: 'https://id.example/jwks',
        clock,
        fetch: async () => {
          fetches++
          return fail()
        },
      })
      const send = async (by: Signer) => verifier({ keys }).verify(token(by, claims()))
      for (let i = 0; i < 100; i++) await assert.rejects(send({ ...key, kid: `made-up-${i}` }), StoreError)
      assert.equal(fetches, 1)
      clock.advance(1_001)
      await assert.rejects(send(key), StoreError)
      assert.equal(fetches, 2)
    }
  })

  test('an issuer that hangs is waited for once, and then asked in the background', async () => {
    let hang = false
    let waits: ((error: Error) => void)[] = []
    const keys = remoteKeySet({
      url: 'https://id.example/jwks',
      clock,
      fetch: async () => {
        if (hang) await new Promise((_, reject) => waits.push(reject))
        return Response.json(set)
      },
    })
    const find = () => keys.find('k1', 'ES256')
    await find()
    hang = true
    clock.advance(3_600_000)
    const first = find()
    assert.ok(first instanceof Promise)
    for (const fail of waits) fail(new Error('timed out'))
    waits = []
    assert.notEqual(await first, undefined)
    clock.advance(60_000)
    assert.ok(!(find() instanceof Promise))
    assert.equal(waits.length, 1)
  })

  test('stale-if-error: an issuer that is down signs nobody out for a day, and then is an error, not a yes', async () => {
    let up = true
    const at = remote(async () => {
      if (!up) throw new TypeError('fetch failed')
      return Response.json(set)
    })
    assert.equal(await at.verify(key), true)
    up = false
    clock.advance(23 * 3_600_000)
    assert.equal(await at.verify(key), true)
    clock.advance(2 * 3_600_000)
    const keys = remoteKeySet({
      url: 'https://id.example/jwks',
      clock,
      fetch: async () => Promise.reject(new Error('down')),
    })
    await assert.rejects(async () => verifier({ keys }).verify(token(key, claims())), StoreError)
  })

  test('bug class: SSRF by provider registration: keys come from HTTPS or loopback only, without redirects, and are bounded', async () => {
    for (const url of [
      'http://id.example/jwks',
      'file:///etc/passwd',
      'ftp://id.example',
      'https://user:pw@id.example/',
      'http://169.254.169.254/',
    ])
      assert.throws(() => remoteKeySet({ url }), { code: 'POSTERN_CONFIG' }, url)
    let init: RequestInit | undefined
    const huge = 'x'.repeat(300_000)
    const keys = remoteKeySet({
      url: 'https://id.example/jwks',
      clock,
      fetch: async (_, given) => {
        init = given
        return new Response(JSON.stringify({ keys: [key.jwk], huge }))
      },
    })
    await assert.rejects(async () => verifier({ keys }).verify(token(key, claims())), StoreError)
    assert.equal(init?.redirect, 'error')
  })
})
