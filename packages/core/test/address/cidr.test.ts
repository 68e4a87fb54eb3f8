import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { type Address, CidrSet, ConfigError, formatBytes, networkOf, parseAddress } from '../../src/index.ts'

function address(text: string): Address {
  const parsed = parseAddress(text)
  assert.ok(parsed !== undefined)
  return parsed
}

describe('a set of address ranges', () => {
  for (const [range, inside, outside] of [
    [
      '192.168.1.0/24',
      ['192.168.1.0', '192.168.1.255', '::ffff:192.168.1.7'],
      ['192.168.0.255', '192.168.2.0', '::'],
    ],
    ['10.0.0.0/8', ['10.255.255.255'], ['11.0.0.0', '9.255.255.255']],
    ['::ffff:10.0.0.0/104', ['10.255.255.255', '::ffff:10.1.1.1'], ['11.0.0.0', '::1']],
    ['::ffff:0:0/96', ['1.2.3.4'], ['::1']],
    ['::ffff:192.0.2.7/128', ['192.0.2.7'], ['192.0.2.6']],
    ['192.0.2.128/25', ['192.0.2.128', '192.0.2.255'], ['192.0.2.127']],
    ['192.0.2.7', ['192.0.2.7'], ['192.0.2.6', '192.0.2.8']],
    ['0.0.0.0/0', ['1.2.3.4', '255.255.255.255'], ['::1']],
    ['::/0', ['::1', '2001:db8::1'], ['1.2.3.4']],
    ['2001:db8::/32', ['2001:db8:ffff::1'], ['2001:db9::', '2001:db7:ffff::']],
    [
      '2001:db8:0:ff00::/56',
      ['2001:db8:0:ff00::1', '2001:db8:0:ffff::1'],
      ['2001:db8:0:fe00::1', '2001:db8:1::'],
    ],
    ['loopback', ['127.0.0.1', '127.9.9.9', '::1'], ['128.0.0.1', '::2']],
    [
      'private',
      ['10.1.1.1', '172.16.0.1', '172.31.255.255', '192.168.0.1', 'fd00::1'],
      ['172.32.0.0', '8.8.8.8', 'fe00::'],
    ],
    ['linklocal', ['169.254.1.1', 'fe80::1', 'febf::1'], ['169.253.1.1', 'fec0::1']],
  ] as const) {
    test(`${range} holds what lies in it and nothing else`, () => {
      const set = CidrSet.parse([range])
      for (const text of inside) assert.ok(set.has(address(text)), text)
      for (const text of outside) assert.ok(!set.has(address(text)), text)
    })
  }

  test('holds nothing when it is empty', () => {
    const set = CidrSet.parse([])
    assert.ok(set.isEmpty)
    assert.ok(!set.has(address('127.0.0.1')))
  })

  test('says which network was meant when bits stand beyond the prefix', () => {
    assert.throws(() => CidrSet.parse(['192.168.1.7/24'], 'trustProxies'), {
      name: 'ConfigError',
      message:
        /^trustProxies: "192\.168\.1\.7\/24" has bits beyond its prefix; did you mean 192\.168\.1\.0\/24\?/,
    })
    assert.throws(() => CidrSet.parse(['2001:db8::1/32']), /did you mean 2001:db8::\/32\?/)
  })

  test('names every invalid entry', () => {
    const wrong = [
      '10.0.0.0/33',
      'example.com',
      '10.0.0.0/',
      '10.0.0.0/8/9',
      '::/129',
      '10.0.0.0/104',
      '::ffff:10.0.0.0/95',
      '::ffff:10.0.0.0/129',
      '::ffff:10.0.0.1/104',
      '10.0.0.0/-1',
      '10.0.0.0/0x8',
      '',
    ]
    assert.throws(
      () => CidrSet.parse(['10.0.0.0/8', ...wrong]),
      error => error instanceof ConfigError && error.issues.length === wrong.length,
    )
  })

  test('answers for the address at hand, whichever was asked about before', () => {
    const set = CidrSet.parse(['10.0.0.0/8'])
    const inside = address('10.1.2.3')
    const outside = address('11.1.2.3')
    const asked = [inside, inside, outside, outside, inside, 'nonsense' as Address, inside]
    assert.deepEqual(
      asked.map(one => set.has(one)),
      [true, true, false, false, true, false, true],
    )
  })

  test('holds an address exactly when the first bits agree', () => {
    const bytes = fc.uint8Array({ minLength: 16, maxLength: 16 }).filter(([first = 0]) => first > 0)
    fc.assert(
      fc.property(bytes, bytes, fc.integer({ min: 0, max: 128 }), (network, other, bits) => {
        const at = (b: Uint8Array): string =>
          [...b]
            .map(byte => byte.toString(2).padStart(8, '0'))
            .join('')
            .slice(0, bits)
        const set = CidrSet.parse([networkOf(formatBytes(network), { v6: bits })])
        assert.equal(set.has(formatBytes(other)), at(network) === at(other))
        assert.ok(set.has(formatBytes(network)))
      }),
    )
  })
})

describe('the network that an address is held responsible as', () => {
  for (const [text, width, network] of [
    ['192.0.2.1', {}, '192.0.2.1'],
    ['192.0.2.1', { v4: 24 }, '192.0.2.0/24'],
    ['2001:db8:1:2ff:3::4', {}, '2001:db8:1:200::/56'],
    ['2001:db8:1:2ff:3::4', { v6: 64 }, '2001:db8:1:2ff::/64'],
    ['::ffff:192.0.2.1', {}, '192.0.2.1'],
  ] as const) {
    test(`${text} with ${JSON.stringify(width)} is ${network}`, () => {
      assert.equal(networkOf(address(text), width), network)
    })
  }

  test('is the same for every address that one customer can rotate through', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 9, maxLength: 9 }), tail => {
        const bytes = Uint8Array.from([0x20, 1, 0xd, 0xb8, 0, 1, 2, ...tail])
        assert.equal(networkOf(formatBytes(bytes)), '2001:db8:1:200::/56')
      }),
    )
  })
})
