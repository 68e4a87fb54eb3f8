import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { CidrSet, type Exchange } from '@postern/core'
import { csrfGuard } from '../src/headers-entry.ts'
import { cloudflareAccess, type IdentifyMethod, identifyBy, jwtMethod, oauth2Proxy } from '../src/index.ts'
import { dropCredential } from '../src/verify/credential.ts'
import { localKeySet } from '../src/verify-entry.ts'
import { clock, exchangeOf, signer, token } from './verify-harness.ts'

const key = signer('k1')
const issuer = 'https://id.example'
const trustedProxies = CidrSet.parse(['10.0.0.0/8'])
const behind = (header: string): IdentifyMethod =>
  jwtMethod({
    ...{ issuer, audience: 'app', header, trustedProxies, clock },
    keys: localKeySet({ keys: [key.jwk] }),
  })
const claims = {
  ...{ iss: issuer, aud: 'app', sub: 'accounts.google.com:7', email: 'ada@shop.example', groups: ['a', 'b'] },
  exp: Math.floor(clock.now() / 1_000) + 60,
}

/** By header of the token: what its proxy writes beside it, first what the token says too. */
const WRITTEN: Readonly<Record<string, readonly (readonly [name: string, value: string])[]>> = {
  'cf-access-jwt-assertion': [
    ['Cf-Access-Authenticated-User-Email', 'ada@shop.example'],
    ['Cf-Access-Client-Id', 'x'],
  ],
  'x-goog-iap-jwt-assertion': [
    ['X-Goog-Authenticated-User-Email', 'accounts.google.com:ada@shop.example'],
    ['X-Goog-Authenticated-User-Id', 'accounts.google.com:7'],
    ['X-Goog-IAP-Other', 'x'],
  ],
  'x-amzn-oidc-data': [
    ['X-Amzn-Oidc-Identity', 'accounts.google.com:7'],
    ['X-Amzn-Oidc-Accesstoken', 'x'],
  ],
  'x-pomerium-jwt-assertion': [
    ['X-Pomerium-Claim-Email', 'ada@shop.example'],
    ['X-Pomerium-Claim-Groups', 'a,b'],
    ['X-Pomerium-Other', 'x'],
  ],
}

/** What a handler sees of these headers. */
async function seen(method: IdentifyMethod, exchange: Exchange): Promise<Record<string, string>> {
  await identifyBy([method])(exchange)
  const left: Record<string, string> = {}
  for (let i = 0; i < exchange.headers.length; i += 2) {
    const name = exchange.headers[i]?.toLowerCase() ?? ''
    if (name === 'host') continue
    const changes = exchange.requestChanges
    if (changes?.get(name) !== undefined || changes?.has(name) !== true)
      left[name] = exchange.header(name) ?? ''
  }
  return left
}

for (const [header, written] of Object.entries(WRITTEN))
  describe(`headers beside ${header}`, () => {
    const method = behind(header)
    const headers = written.flat()
    const own = Object.fromEntries(written.map(([name, value]) => [name.toLowerCase(), value]))
    const backed = Object.fromEntries(Object.entries(own).filter(([, value]) => value !== 'x'))
    const good = [header, token(key, claims)]
    const forged = [header, token(signer('k1'), claims)]

    test('attack: written by a client, without a token or beside one that does not hold', async () => {
      for (const peer of ['192.0.2.1', '10.1.2.3']) {
        assert.deepEqual(await seen(method, exchangeOf({ peer, headers: [...headers, 'X-Other', '1'] })), {
          'x-other': '1',
        })
        assert.deepEqual(
          Object.keys(await seen(method, exchangeOf({ peer, headers: [...headers, ...forged] }))),
          [header],
        )
      }
    })

    test('attack: the name of somebody else beside a token of my own, also twice or with underscores', async () => {
      for (const peer of ['192.0.2.1', '10.1.2.3'])
        for (const more of [
          written.flatMap(([name, value]) => [name, value === 'x' ? value : `${value}m`]),
          written.flatMap(([name, value]) => [
            name,
            value === 'x' ? value : 'root@shop.example',
            name,
            value,
          ]),
          headers.map((text, at) => (at % 2 === 0 ? text.replaceAll('-', '_') : text)),
        ]) {
          const left = await seen(method, exchangeOf({ peer, headers: [...more, ...good] }))
          for (const [name, value] of Object.entries(left))
            if (name !== header) assert.deepEqual([name, value], [name, 'x'])
          for (const name of Object.keys(backed)) assert.equal(left[name], undefined, name)
          assert.ok(!Object.keys(left).some(name => name.includes('_')))
        }
    })

    test('stay beside the token: what it says too from anybody, the others from a trusted proxy', async () => {
      const { [header]: _, ...outside } = await seen(method, exchangeOf({ headers: [...headers, ...good] }))
      assert.deepEqual(outside, backed)
      const peer = '10.1.2.3'
      const { [header]: __, ...inside } = await seen(
        method,
        exchangeOf({ peer, headers: [...headers, ...good] }),
      )
      assert.deepEqual(inside, own)
    })

    test('attack: another site makes a browser, which the proxy knows by its own cookie, send a request', async () => {
      const exchange = exchangeOf({
        method: 'POST',
        headers: [...good, 'sec-fetch-site', 'cross-site', 'user-agent', 'Mozilla/5.0'],
      })
      const principal = await identifyBy([method])(exchange)
      assert.ok(principal !== undefined)
      exchange.setPrincipal(principal)
      const decision = await csrfGuard().decide(exchange)
      assert.equal(decision.effect, 'deny')
    })

    test('are dropped with the credential', async () => {
      const exchange = exchangeOf({ headers: [...headers, ...good] })
      const principal = await identifyBy([method])(exchange)
      assert.ok(principal !== undefined)
      dropCredential(exchange, principal)
      for (const name of [header, ...Object.keys(own)])
        assert.ok(exchange.requestChanges?.has(name) && exchange.requestChanges.get(name) === undefined, name)
    })
  })

test('attack: Cloudflare Access: an address of my choice from a client that did not come through it', async () => {
  const method = cloudflareAccess('https://shop.cloudflareaccess.com', 'tag', { clock })
  const exchange = exchangeOf({ headers: ['Cf-Access-Authenticated-User-Email', 'root@shop.example'] })
  assert.deepEqual(await seen(method, exchange), {})
})

test('attack: a header of a proxy spelt with underscores is taken away too', async () => {
  const exchange = exchangeOf({
    peer: '192.0.2.1',
    headers: ['X_Forwarded_User', 'root', 'X-Forwarded_Groups', 'admin', 'X_Auth_Request_Email', 'a@b.c'],
  })
  assert.deepEqual(await seen(oauth2Proxy(trustedProxies), exchange), {})
})
