import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { inspect } from '../src/inspect.ts'
import { findOddAddress, isTunnel, numberOf } from '../src/lex/odd-address.ts'
import { inEachPlace } from './in-each-place.ts'

type Parts = readonly [number, number, number, number]

/** An address of the machine itself, and that of the services of clouds. */
const ADDRESSES: readonly Parts[] = [
  [127, 0, 0, 1],
  [169, 254, 169, 254],
  [10, 0, 0, 1],
]

/** How programs write addresses, so that no list of addresses has them. */
const HOSTS: Readonly<Record<string, (parts: Parts) => string>> = {
  'as one number': parts => String(whole(parts)),
  'as one hexadecimal number': parts => `0x${whole(parts).toString(16)}`,
  'as one octal number': parts => `0${whole(parts).toString(8)}`,
  'in octal parts': parts => parts.map(part => `0${part.toString(8)}`).join('.'),
  'in octal parts with many zeros': parts =>
    parts.map(part => `${'0'.repeat(12)}${part.toString(8)}`).join('.'),
  'in hexadecimal parts': parts => parts.map(part => `0x${part.toString(16)}`).join('.'),
  'in parts of all kinds': ([a, b, c, d]) => `0x${a.toString(16)}.${b}.0${c.toString(8)}.${d}`,
  'in three parts': ([a, b, c, d]) => `${a}.${b}.${c * 256 + d}`,
  'in two parts': ([a, b, c, d]) => `${a}.${b * 65_536 + c * 256 + d}`,
  'with a dot behind it': parts => `${parts.join('.')}.`,
  'in wide digits': parts => wide(parts.join('.')),
  'with wide dots': parts => parts.join('\u3002'),
  'with encoded dots': parts => parts.join('%2e'),
  'mapped into version 6': parts => `[::ffff:${parts.join('.')}]`,
  'mapped in digits': parts => `[::ffff:${groups(parts)}]`,
  'as what is compatible with version 6': parts => `[::${parts.join('.')}]`,
  translated: parts => `[64:ff9b::${groups(parts)}]`,
  'through a relay': parts => `[2002:${groups(parts)}::]`,
  'as a name that says it': parts => `${parts.join('.')}.nip.io`,
}

const URLS: readonly ((host: string) => string)[] = [
  host => `http://${host}/`,
  host => `https://${host}:8443/x?y`,
  host => `http://ann@${host}/`,
  host => `http://${host}#x`,
]

describe('an address that is written so that a check does not know it is refused', () => {
  for (const [how, make] of Object.entries(HOSTS))
    test(how, () => {
      for (const parts of ADDRESSES) for (const url of URLS) refused(url(make(parts)))
    })

  test('with tabs and line ends, which readers of addresses drop', () => {
    for (const value of [
      'go\tpher://127.0.0.1:6379/_x',
      'ht\ntp://10.0.0.1/',
      'fi\nle:///etc/hostname',
      'http://127\t.0.0.1/',
      'http://loc\nalhost/',
    ])
      refused(value)
  })

  test('with a control character before it, one slash, or other slashes', () => {
    for (const value of [
      '\u0001gopher://127.0.0.1/_x',
      'gopher:/127.0.0.1/_x',
      'dict:\\\\127.0.0.1/x',
      'url:gopher://a/x',
    ])
      refused(value)
  })

  test('behind two who ask', () => refused('http://ann@127.0.0.1:80@example.com/'))
})

describe('services that tell a machine its secrets are refused by their names', () => {
  for (const host of [
    '169.254.170.23',
    '169.254.42.42',
    '168.63.129.16',
    'metadata.tencentyun.com',
    'metadata.packet.net',
    'metadata.platformequinix.com',
    'api.metadata.cloud.ibm.com',
    'metadata.goog',
    '[fd20:ce::254]',
    '[fd00:42::42]',
  ])
    test(host, () => refused(`http://${host}/x`))
})

describe('ordinary addresses pass', () => {
  for (const value of [
    'https://a.example/1.2.3/4',
    'http://[2001:db8::7f00:1]/',
    'https://[2a02:1234::1]:8443/',
    'https://shop.example/\nhttps://b.example/',
    'C:/2024/report.pdf',
    '//cdn.example/a.js',
    'version 1.2.3.4.5',
    'https://1.example.com/',
    'note:/5',
    'https://2001:db8:0:85a3:0:0:ac1f:8001/x',
  ])
    test(JSON.stringify(value), () => {
      for (const [place, request] of Object.entries(inEachPlace(value)))
        assert.equal(inspect(request).verdict, 'pass', place)
    })
})

test('numbers are read as programs in C read them', () => {
  for (const [host, number] of [
    ['127.1', 0x7f00_0001],
    ['0177.0.0.01', 0x7f00_0001],
    ['0x7f.256', 0x7f00_0100],
    ['2130706433', 0x7f00_0001],
    ['1.2.3.4.5', undefined],
    ['1.2.x', undefined],
    ['', undefined],
  ] as const)
    assert.equal(numberOf(host), number, host)
})

test('a tunnel is one only where it leads in', () => {
  for (const address of [
    '::ffff:10.0.0.1',
    '64:ff9b:1::7f00:1',
    '2001:0:7f00:1::',
    '0:0:0:0:0:ffff:7f00:1%eth0',
  ])
    assert.ok(isTunnel(address), address)
  for (const address of [
    '::1',
    '::',
    '::ffff:8.8.8.8',
    '2002:808:808::1',
    '2001:db8::1',
    '1:2:3',
    'a::b::c',
    ':::',
  ])
    assert.ok(!isTunnel(address), address)
})

test('of many addresses only the first are looked at', () => {
  const many = 'http://a.example/ '.repeat(200)
  assert.equal(findOddAddress(`${many}http://0x7f.1/`), undefined)
  assert.notEqual(findOddAddress(`${'http://a.example/ '.repeat(20)}http://0x7f.1/`), undefined)
})

function whole([a, b, c, d]: Parts): number {
  return a * 2 ** 24 + b * 65_536 + c * 256 + d
}

function groups([a, b, c, d]: Parts): string {
  return `${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`
}

function wide(text: string): string {
  return text.replace(/[\d.]/g, sign => String.fromCharCode(sign.charCodeAt(0) + 0xfee0))
}

function refused(value: string): void {
  for (const [place, request] of Object.entries(inEachPlace(value)))
    assert.equal(inspect(request).verdict, 'block', `${place}: ${value}`)
}
