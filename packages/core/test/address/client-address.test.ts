import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { exchangeOf } from '../exchanges.ts'

const PROXIES = ['10.0.0.0/8', '2001:db8:ffff::/48']

function client(peer: string, headers: readonly string[], proxies: readonly string[] = PROXIES): string {
  return exchangeOf({ peer, headers }, proxies).client
}

describe('the address of the client', () => {
  test('is the peer, whatever an untrusted peer claims', () => {
    const claims = [
      'X-Forwarded-For',
      '203.0.113.9',
      'Forwarded',
      'for=203.0.113.9',
      'X-Real-IP',
      '203.0.113.9',
    ]
    assert.equal(client('198.51.100.1', claims), '198.51.100.1')
    assert.equal(client('198.51.100.1', claims, []), '198.51.100.1')
  })

  for (const [what, header, expected] of [
    ['the one that the trusted proxy saw', '198.51.100.7', '198.51.100.7'],
    ['not what the client put to the left of it', '203.0.113.9, 198.51.100.7', '198.51.100.7'],
    ['found behind several trusted proxies', '203.0.113.9, 198.51.100.7, 10.0.0.3, 10.0.0.4', '198.51.100.7'],
    ['not a trusted address that the client names', '10.9.9.9, 198.51.100.7', '198.51.100.7'],
    ['the furthest when all hops are trusted', '10.0.0.9, 10.0.0.3', '10.0.0.9'],
    ['read with a port', '198.51.100.7:4711', '198.51.100.7'],
    ['read as IPv6', '2001:db8::7', '2001:db8::7'],
    ['read as IPv6 in brackets with a port', '[2001:db8::7]:4711', '2001:db8::7'],
    ['folded from the mapped form', '::ffff:198.51.100.7', '198.51.100.7'],
    ['the last one vouched for when a hop is unknown', 'unknown', '10.0.0.2'],
    ['the last one vouched for when a hop is hidden', '203.0.113.9, _hidden, 10.0.0.3', '10.0.0.3'],
    ['the last one vouched for when a hop is empty', '203.0.113.9,', '10.0.0.2'],
    ['the last one vouched for when a port is invalid', '198.51.100.7:99999999', '10.0.0.2'],
    ['the last one vouched for when a bracket is open', '[2001:db8::7', '10.0.0.2'],
  ] as const) {
    test(`is ${what}: ${header}`, () => {
      assert.equal(client('10.0.0.2', ['X-Forwarded-For', header]), expected)
    })
  }

  test('is found over several header lines, in their order', () => {
    const headers = ['X-Forwarded-For', '203.0.113.9', 'x-forwarded-for', '198.51.100.7']
    assert.equal(client('10.0.0.2', headers), '198.51.100.7')
  })

  for (const [header, expected] of [
    ['for=198.51.100.7', '198.51.100.7'],
    ['For="[2001:db8:cafe::17]:4711"', '2001:db8:cafe::17'],
    ['for=203.0.113.9, for=198.51.100.7;proto=https;by=10.0.0.2', '198.51.100.7'],
    ['for=203.0.113.9,for="198.51.100.7:80" , for=10.0.0.3', '198.51.100.7'],
    ['proto=https; for=198.51.100.7', '198.51.100.7'],
    ['for=203.0.113.9, for=unknown', '10.0.0.2'],
    ['for=203.0.113.9, for=_hidden, for=10.0.0.3', '10.0.0.3'],
    ['for=203.0.113.9, proto=https', '10.0.0.2'],
    ['=;=,;', '10.0.0.2'],
    ['for="203.0.113.9, for=198.51.100.7', '198.51.100.7'],
  ] as const) {
    test(`is read from Forwarded (RFC 7239): ${header}`, () => {
      assert.equal(client('10.0.0.2', ['Forwarded', header]), expected)
    })
  }

  test('is not what a client writes into Forwarded when its proxy writes X-Forwarded-For', () => {
    const headers = ['Forwarded', 'for=203.0.113.9', 'X-Forwarded-For', '198.51.100.7']
    assert.equal(client('10.0.0.2', headers), '198.51.100.7')
  })

  test('cannot be hidden behind the proxy by a header too long to read', () => {
    for (const filler of ['9.9.9.9, '.repeat(5_000), `${'x'.repeat(20_000)}, `, ', '.repeat(9_000)]) {
      assert.equal(client('10.0.0.2', ['X-Forwarded-For', `${filler}198.51.100.7`]), '198.51.100.7')
      assert.equal(client('10.0.0.2', ['Forwarded', `${filler}for=198.51.100.7`]), '198.51.100.7')
    }
  })

  test('is always the peer, or an address that someone trusted wrote down', () => {
    const hop = fc.oneof(
      fc.ipV4(),
      fc.ipV6(),
      fc.constantFrom('unknown', '_hidden', '', '10.0.0.7', '"'),
      fc.string(),
    )
    fc.assert(
      fc.property(fc.array(hop, { maxLength: 6 }), fc.ipV4(), (claims, seen) => {
        const header = [...claims, seen].join(', ')
        const found = client('10.0.0.2', ['X-Forwarded-For', header])
        if (!seen.startsWith('10.')) assert.equal(found, seen)
      }),
    )
  })

  test('is 0.0.0.0 when the carrier cannot know it', () => {
    assert.equal(exchangeOf({ peer: undefined }).client, '0.0.0.0')
    assert.equal(exchangeOf({ peer: 'pipe' }).client, '0.0.0.0')
  })
})

describe('the scheme that the client used', () => {
  for (const [peer, secure, header, scheme] of [
    ['10.0.0.2', false, 'https', 'https'],
    ['10.0.0.2', false, 'http, https', 'https'],
    ['10.0.0.2', true, 'http', 'http'],
    // Traefik says of a WebSocket which scheme it has.
    ['10.0.0.2', false, 'wss', 'https'],
    ['10.0.0.2', true, 'ws', 'http'],
    ['10.0.0.2', true, 'gopher', 'https'],
    ['198.51.100.1', false, 'https', 'http'],
    ['198.51.100.1', true, 'http', 'https'],
  ] as const) {
    test(`is ${scheme} for ${peer}, ${secure ? 'TLS' : 'plain'}, that says ${header}`, () => {
      assert.equal(
        exchangeOf({ peer, secure, headers: ['X-Forwarded-Proto', header] }, PROXIES).scheme,
        scheme,
      )
    })
  }

  for (const [headers, scheme] of [
    [['Forwarded', 'for=203.0.113.9;proto=https'], 'https'],
    [['Forwarded', 'proto=http, For="[2001:db8::1]:1";Proto="HTTPS"'], 'https'],
    [['Forwarded', 'proto=https, for=203.0.113.9'], 'http'],
    [['Forwarded', 'proto=gopher'], 'http'],
    // What a proxy writes counts, not what it passes through.
    [['Forwarded', 'proto=https', 'X-Forwarded-For', '203.0.113.9'], 'http'],
    [['Forwarded', 'proto=https', 'X-Forwarded-Proto', 'http'], 'http'],
  ] as const)
    test(`is ${scheme} behind a proxy that writes ${headers.join(': ')}`, () => {
      assert.equal(exchangeOf({ peer: '10.0.0.2', secure: false, headers }, PROXIES).scheme, scheme)
      assert.equal(exchangeOf({ peer: '198.51.100.1', secure: false, headers }, PROXIES).scheme, 'http')
    })
})
