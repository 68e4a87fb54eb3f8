import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { VirtualClock } from '@postern/core'
import { introspectionMethod, jwtMethod } from '../src/index.ts'
import { credentialOf } from '../src/verify/credential.ts'
import { thumbprintOf } from '../src/verify/dpop.ts'
import { SeenProofs } from '../src/verify/seen-proofs.ts'
import { dpopProofs, localKeySet } from '../src/verify-entry.ts'
import { athOf, clock, dpopProof, type ExchangeOptions, exchangeOf, signer, token } from './verify-harness.ts'

describe('proof of possession (DPoP)', () => {
  test('the example of RFC 9449 section 7.1 holds, once', () => {
    const proof =
      'eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0RscEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2In19' +
      '.eyJqdGkiOiJlMWozVl9iS2ljOC1MQUVCIiwiaHRtIjoiR0VUIiwiaHR1IjoiaHR0cHM6Ly9yZXNvdXJjZS5leGFtcGxlLm9yZy9wcm90ZWN0ZWRyZXNvdXJjZSIsImlhdCI6MTU2MjI2MjYxOCwiYXRoIjoiZlVIeU8ycjJaM0RaNTNFc05yV0JiMHhXWG9hTnk1OUlpS0NBcWtzbVFFbyJ9' +
      '.2oW9RP35yRqzhrtNP86L-Ey71EOptxRimPPToA1plemAgR6pxHF8y6-yqyVnmcw6Fy1dqd-jfxSYoMxhAJpLjA'
    const at = new VirtualClock(1_562_262_618_000)
    const proofs = dpopProofs({ clock: at })
    const request = {
      method: 'GET',
      url: 'https://resource.example.org/protectedresource?x=1#y',
      token: 'Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU',
      key: '0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I',
    }
    assert.equal(proofs.holds(proof, { ...request, key: 'another' }), false)
    assert.equal(proofs.holds(proof, request), true)
    assert.equal(proofs.holds(proof, request), false)
  })

  test('the thumbprint of RFC 7638 section 3.1 and of RFC 8037 appendix A.3', () => {
    const rsa = {
      kty: 'RSA',
      n: '0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw',
      e: 'AQAB',
      alg: 'RS256',
      kid: '2011-04-29',
    }
    assert.equal(thumbprintOf(rsa), 'NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs')
    const okp = { kty: 'OKP', crv: 'Ed25519', x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo' }
    assert.equal(thumbprintOf(okp), 'kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k')
  })

  const client = signer('client')
  const thumbprint = thumbprintOf(client.jwk) ?? ''
  const seconds = (): number => Math.floor(clock.now() / 1_000)
  const request = { method: 'POST', url: 'https://shop.example/pay', token: 'access', key: thumbprint }
  const good = (more: object = {}): object => ({
    jti: `${Math.random()}`,
    htm: 'POST',
    htu: 'https://shop.example/pay',
    iat: seconds(),
    ath: athOf('access'),
    ...more,
  })

  test('is for one request, one token, one moment', () => {
    const proofs = dpopProofs({ clock })
    assert.equal(proofs.holds(dpopProof(client, good()), request), true)
    const wrong = [
      { htm: 'GET' },
      { htm: 'post' },
      { htu: 'https://shop.example/pay2' },
      { htu: 'https://evil.example/pay' },
      { htu: 'http://shop.example/pay' },
      { htu: 'not a url' },
      { iat: seconds() - 61 },
      { iat: seconds() + 61 },
      { iat: String(seconds()) },
      { ath: athOf('another') },
      { ath: undefined },
      { jti: '' },
      { jti: 7 },
      { jti: 'x'.repeat(300) },
    ]
    for (const more of wrong)
      assert.equal(proofs.holds(dpopProof(client, good(more)), request), false, JSON.stringify(more))
    for (const header of [
      { typ: 'JWT' },
      { typ: undefined },
      { alg: 'none' },
      { alg: 'HS256' },
      { jwk: undefined },
      { jwk: { ...client.jwk, d: 'AAAA' } },
      { jwk: { kty: 'oct', k: 'AAAA' } },
      { crit: ['exp'] },
    ])
      assert.equal(proofs.holds(dpopProof(client, good(), header), request), false, JSON.stringify(header))
  })

  test('two of the same at once: one holds', () => {
    const proofs = dpopProofs({ clock })
    const proof = dpopProof(client, good())
    const said = [proofs.holds(proof, request), proofs.holds(proof, request)]
    assert.deepEqual(said, [true, false])
  })

  test('a proof is remembered to the last moment at which it would hold, also one from a fast clock', () => {
    const at = new VirtualClock(1_700_000_000_000)
    const proofs = dpopProofs({ clock: at })
    const proof = dpopProof(client, good({ iat: 1_700_000_060 }))
    assert.equal(proofs.holds(proof, request), true)
    for (const step of [59_000, 1_000, 60_000]) {
      at.advance(step)
      assert.equal(proofs.holds(proof, request), false, `after ${step} more`)
    }
  })

  test('attack: one key fills the memory of used proofs, and no other key is refused for it', () => {
    const seen = new SeenProofs(60_000)
    const now = 1_700_000_000_000
    let taken = 0
    for (let i = 0; i < 25_000; i++) if (seen.isFirst('attacker', `${i}`, now + 60_000, now)) taken++
    assert.equal(taken, 20_000)
    assert.equal(seen.isFirst('honest', '0', now + 60_000, now), true)
    assert.equal(seen.isFirst('honest', '0', now + 60_000, now + 60_000), false)
    assert.equal(seen.isFirst('attacker', '25000', now + 200_000, now + 180_000), true)
  })

  const issuer = signer('k1')
  const method = jwtMethod({
    issuer: 'https://id.example',
    audience: 'shop',
    keys: localKeySet({ keys: [issuer.jwk] }),
    clock,
  })
  const bound = (cnf: unknown): string =>
    token(issuer, { iss: 'https://id.example', aud: 'shop', sub: 'alice', exp: seconds() + 60, cnf })
  const kindOf = async (options: ExchangeOptions): Promise<string> =>
    (await method.identify(exchangeOf(options))).kind

  test('a bound token is nothing without its proof, with another key, or as a bearer token', async () => {
    const access = bound({ jkt: thumbprint })
    const proof = (by = client, more: object = {}): string =>
      dpopProof(by, {
        jti: `${Math.random()}`,
        htm: 'GET',
        htu: 'https://shop.example/api/orders',
        iat: seconds(),
        ath: athOf(access),
        ...more,
      })
    assert.equal(await kindOf({ headers: ['authorization', `DPoP ${access}`, 'dpop', proof()] }), 'known')
    assert.equal(await kindOf({ headers: ['authorization', `DPoP ${access}`] }), 'refused')
    assert.equal(await kindOf({ headers: ['authorization', `Bearer ${access}`, 'dpop', proof()] }), 'refused')
    assert.equal(
      await kindOf({ headers: ['authorization', `DPoP ${access}`, 'dpop', proof(signer('thief'))] }),
      'refused',
    )
    assert.equal(
      await kindOf({ headers: ['authorization', `DPoP ${access}`, 'dpop', proof(), 'dpop', proof()] }),
      'refused',
    )
    const unbound = bound(undefined)
    assert.equal(await kindOf({ headers: ['authorization', `DPoP ${unbound}`, 'dpop', proof()] }), 'refused')
  })

  test('a binding that is not understood is not ignored', async () => {
    for (const cnf of [{}, null, 'x', { jwk: {} }, { jkt: thumbprint, new: 1 }, { jkt: 7 }])
      assert.equal(
        await kindOf({ headers: ['authorization', `Bearer ${bound(cnf)}`] }),
        'refused',
        JSON.stringify(cnf),
      )
  })

  describe('of a token that its issuer is asked about', () => {
    const answer: { cnf: unknown; active: boolean } = { cnf: undefined, active: true }
    const asked = (origins?: readonly string[]) =>
      introspectionMethod({
        ...{ url: 'https://id.example/introspect', clientId: 'shop', clientSecret: 'x', audience: 'shop' },
        ...{ clock, origins, cache: '0s' },
        fetch: async () => Response.json({ ...answer, sub: 'alice', aud: 'shop' }),
      })
    const opaque = 'opaque'
    const proof = (by = client, more: object = {}): string =>
      dpopProof(by, {
        ...good({ htm: 'GET', htu: 'https://shop.example/api/orders', ath: athOf(opaque) }),
        ...more,
      })
    const askWith = async (
      headers: readonly string[],
      cnf: unknown = { jkt: thumbprint },
      by = asked(),
    ): Promise<string> => {
      Object.assign(answer, { cnf, active: true })
      return (await by.identify(exchangeOf({ headers: [...headers] }))).kind
    }

    test('holds once, for this token, this request and the key that the answer names', async () => {
      const method = asked()
      const one = ['authorization', `DPoP ${opaque}`, 'dpop', proof()]
      assert.equal(await askWith(one, undefined, method), 'known')
      assert.equal(await askWith(one, undefined, method), 'refused')
      for (const headers of [
        ['authorization', `DPoP ${opaque}`],
        ['authorization', `Bearer ${opaque}`],
        ['authorization', `Bearer ${opaque}`, 'dpop', proof()],
        ['authorization', `DPoP ${opaque}`, 'dpop', proof(signer('thief'))],
        ['authorization', `DPoP ${opaque}`, 'dpop', proof(), 'dpop', proof()],
        ['authorization', `DPoP ${opaque}`, 'dpop', proof(client, { ath: athOf('another') })],
        ['authorization', `DPoP ${opaque}`, 'dpop', proof(client, { htm: 'POST' })],
      ])
        assert.equal(await askWith(headers, undefined, method), 'refused', headers.join(' '))
      const fresh = (): string[] => ['authorization', `DPoP ${opaque}`, 'dpop', proof()]
      for (const cnf of [
        {},
        { jkt: thumbprint, new: 1 },
        { jkt: 7 },
        { 'x5t#S256': thumbprint, jkt: thumbprint },
      ])
        assert.equal(await askWith(fresh(), cnf, method), 'refused', JSON.stringify(cnf))
      Object.assign(answer, { cnf: undefined })
      assert.equal((await method.identify(exchangeOf({ headers: fresh() }))).kind, 'refused')
    })

    test('is for the origins that are configured, whatever host a request names', async () => {
      const method = asked(['https://api.shop.example'])
      const at = (htu: string): string[] => [
        'authorization',
        `DPoP ${opaque}`,
        'dpop',
        proof(client, { htu }),
      ]
      assert.equal(await askWith(at('https://shop.example/api/orders'), undefined, method), 'refused')
      assert.equal(await askWith(at('https://api.shop.example/api/orders'), undefined, method), 'known')
    })

    test('what is open holds on without another proof, until the issuer ends the token', async () => {
      const method = asked()
      Object.assign(answer, { cnf: { jkt: thumbprint }, active: true })
      const said = await method.identify(
        exchangeOf({ headers: ['authorization', `DPoP ${opaque}`, 'dpop', proof()] }),
      )
      assert.ok(said.kind === 'known')
      const again = credentialOf(said.principal)?.again
      assert.equal(await again?.(), true)
      Object.assign(answer, { active: false })
      assert.equal(await again?.(), false)
    })
  })
})
