import assert from 'node:assert/strict'
import { isIPv4 } from 'node:net'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { addressBytes, formatBytes, isLoopback, parseAddress } from '../../src/index.ts'

describe('an address', () => {
  for (const [text, canonical] of [
    // RFC 5952 sections 1, 2 and 4
    ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['2001:0db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['2001:db8::1:0:0:1', '2001:db8::1:0:0:1'],
    ['2001:db8::0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['2001:0db8::1:0:0:1', '2001:db8::1:0:0:1'],
    ['2001:db8:0:0:1::1', '2001:db8::1:0:0:1'],
    ['2001:DB8:0:0:1::1', '2001:db8::1:0:0:1'],
    ['2001:db8:aaaa:bbbb:cccc:dddd:eeee:0001', '2001:db8:aaaa:bbbb:cccc:dddd:eeee:1'],
    ['2001:db8::aaaa:0:0:1', '2001:db8::aaaa:0:0:1'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['2001:0:0:1:0:0:0:1', '2001:0:0:1::1'],
    ['2001:db8:0:0:0:0:2:1', '2001:db8::2:1'],
    ['0:0:0:0:0:0:0:0', '::'],
    ['0:0:0:0:0:0:0:1', '::1'],
    ['fe80:0:0:0:0:0:0:0', 'fe80::'],
    // One address, whatever it is wrapped in
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['::FFFF:c000:0201', '192.0.2.1'],
    ['0:0:0:0:0:ffff:192.0.2.1', '192.0.2.1'],
    ['fe80::1%eth0', 'fe80::1'],
    ['64:ff9b::192.0.2.33', '64:ff9b::c000:221'],
    ['127.0.0.1', '127.0.0.1'],
  ] as const) {
    test(`${text} is written ${canonical}`, () => {
      assert.equal(parseAddress(text), canonical)
      assert.equal(parseAddress(text), canonical, 'and the same from the cache')
    })
  }

  for (const text of [
    '',
    'unknown',
    '1.2.3',
    '1.2.3.4.5',
    '01.2.3.4',
    '1.2.3.256',
    '0x7f.1',
    '2130706433',
    '::g',
    ':::',
    '1::2::3',
    '[::1]',
    '1.2.3.4:80',
    ' 1.2.3.4',
    '1.2.3.4\n',
    '::1%',
    `::1%${'e'.repeat(100)}`,
  ]) {
    test(`${JSON.stringify(text.slice(0, 20))} is not an address`, () => {
      assert.equal(parseAddress(text), undefined)
    })
  }

  test('survives bytes and back, canonical at every step', () => {
    const any = fc.oneof(
      fc.uint8Array({ minLength: 4, maxLength: 4 }),
      fc.uint8Array({ minLength: 16, maxLength: 16 }),
    )
    fc.assert(
      fc.property(any, bytes => {
        const text = formatBytes(bytes)
        const parsed = parseAddress(text)
        assert.ok(parsed !== undefined)
        assert.equal(parseAddress(parsed), parsed)
        assert.deepEqual(addressBytes(parsed), addressBytes(text))
        if (parsed === text) assert.deepEqual(addressBytes(text), bytes)
      }),
    )
  })

  test('is one whatever the spelling', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 0xffff }), { minLength: 8, maxLength: 8 }), groups => {
        const long = groups.map(group => group.toString(16).padStart(4, '0')).join(':')
        const upper = groups.map(group => group.toString(16).toUpperCase()).join(':')
        assert.equal(parseAddress(long), parseAddress(upper))
      }),
    )
  })

  test('is IPv4 exactly where node says so', () => {
    const part = fc.oneof(
      fc.integer({ min: 0, max: 300 }).map(String),
      fc.constantFrom('', '00', '01', '256', '-1', '1e1', ' 1', '٣', '0x1'),
    )
    fc.assert(
      fc.property(fc.array(part, { minLength: 3, maxLength: 5 }), parts => {
        const text = parts.join('.')
        assert.equal(parseAddress(text) === text, isIPv4(text), text)
      }),
      { numRuns: 2_000 },
    )
  })

  test('is mapped IPv4 only with zeros in front (RFC 4291 section 2.5.5.2)', () => {
    assert.equal(parseAddress('::ffff:c000:201'), '192.0.2.1')
    for (const text of ['2001:db8::ffff:c000:201', '1::ffff:c000:201', '0:0:0:0:1:ffff:c000:201'])
      assert.match(parseAddress(text) ?? '', /:ffff:c000:201$/, text)
  })

  test('is not a text with the character after the digits', () => {
    for (const text of ['1.2.3.:', '1.2.:.4', '10.0.0.1:', ':.0.0.1'])
      assert.equal(parseAddress(text), undefined, text)
  })

  test('never throws, whatever text it is asked about', () => {
    fc.assert(fc.property(fc.string(), text => void parseAddress(text)))
  })

  test('knows this machine', () => {
    for (const [text, isLocal] of [
      ['127.0.0.1', true],
      ['127.8.9.1', true],
      ['::1', true],
      ['::ffff:127.0.0.1', true],
      ['128.0.0.1', false],
      ['::2', false],
    ] as const) {
      const address = parseAddress(text)
      assert.ok(address !== undefined)
      assert.equal(isLoopback(address), isLocal, text)
    }
  })
})
