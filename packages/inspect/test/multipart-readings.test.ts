import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { deflateRawSync, deflateSync, gzipSync } from 'node:zlib'
import { visitMultipart } from '../src/body/multipart.ts'
import { isUnreadRestHarmless } from '../src/guard/unread-rest.ts'
import { inspect } from '../src/inspect.ts'
import type { ValueVisitor } from '../src/value/value-visitor.ts'

const ATTACK = "1' UNION SELECT username,password FROM users-- -"
const TYPE = 'multipart/form-data; boundary=x'

function verdict(body: string, type = TYPE): string {
  const bytes = Buffer.from(body, 'latin1')
  return inspect({ method: 'POST', target: '/', headers: ['content-type', type], body: bytes }).verdict
}

function part(headers: string, content: string, boundary = 'x'): string {
  return `--${boundary}\r\n${headers}\r\n\r\n${content}\r\n--${boundary}--\r\n`
}

test('attack: a head of many parameters is not read in 2^n ways', () => {
  const head = `Content-Disposition: form-data; name="a"${'; b="c"'.repeat(200)}; !`
  // In all these ways it would never end, and the runner would end the file.
  assert.equal(verdict(part(head, ATTACK)), 'block')
})

const FIELD = 'Content-Disposition: form-data; name="id"'
const FILE = 'Content-Disposition: form-data; name="f"; filename="a.txt"'

describe('a multipart body that parsers read in different ways', () => {
  for (const type of [
    'multipart/form-data; boundary=x; boundary=y',
    'multipart/form-data; boundary=y; boundary=x',
    'multipart/form-data; boundary="x"; Boundary=y',
    'multipart/form-data; xboundary=x; boundary=y',
    'multipart/form-data; a="boundary=x"; boundary=y',
    "multipart/form-data; boundary*=utf-8''y; boundary=x",
    'multipart/form-data; boundary*0=y; boundary=x',
  ])
    test(`is read with every boundary: ${type}`, () => {
      assert.equal(verdict(part(FILE, part(FIELD, ATTACK, 'y')), type), 'block')
      assert.equal(verdict(part(FILE, part(FIELD, '7', 'y')), type), 'pass')
    })

  test('is read behind its last delimiter, of which the end itself is not a value', () => {
    const read = (behind: string): readonly string[] => {
      const values: string[] = []
      const visitor: ValueVisitor = {
        isPaused: false,
        value: text => values.push(text) > 0,
        tooBig: () => {},
        work: () => {},
      }
      const body = `--x\r\n${FIELD}\r\n\r\n7\r\n--x${behind}`
      for (const _ of visitMultipart(Buffer.from(body), 'x', visitor));
      return values
    }
    for (const end of ['--', '--\r\n', '--\n'])
      assert.ok(!read(end).some(value => value.startsWith('--')), JSON.stringify(end))
    for (const [behind, value] of [
      [`--${ATTACK}`, ATTACK],
      [`--\r\n${ATTACK}`, ATTACK],
      [`--\r\n--x--${ATTACK}`, ATTACK],
      [`--\r\n--x\r\n${FIELD}\r\n\r\n${ATTACK}`, ATTACK],
    ] as const)
      assert.ok(
        read(behind).some(text => text.includes(value)),
        behind,
      )
  })

  test('is read with its boundary as it stands and with its escapes undone', () => {
    const type = 'multipart/form-data; boundary="x\\y"'
    assert.equal(verdict(part(FILE, part(FIELD, ATTACK, 'xy'), 'x\\y'), type), 'block')
    assert.equal(verdict(part(FIELD, ATTACK, 'x\\y'), type), 'block')
  })

  for (const type of [
    'text/plain, multipart/form-data; boundary=x',
    'application/octet-stream; multipart/form-data; boundary=x',
    'image/png; boundary=x',
    'multi part/form-data; boundary=x',
  ])
    test(`is read by parsers that look for its type anywhere: ${type}`, () => {
      for (const headers of [FIELD, FILE])
        assert.equal(verdict(part(headers, ATTACK), type), 'block', headers)
      assert.equal(verdict(part(FIELD, '7'), type), 'pass')
      assert.equal(isUnreadRestHarmless(Buffer.from(`--x\r\n${FILE}\r\n\r\nabc`), type), false)
    })

  for (const type of [
    'multipart/form-data; boundary=x,y',
    'multipart/form-data; boundary=x y',
    "multipart/form-data; boundary*=utf-8''x",
    'multipart/form-data; boundary ="x"',
    'multipart/form-data; boundary=x; boundary',
    'multipart/form-data, boundary=x',
  ])
    test(`has no files where a parser may read another boundary, or none: ${type}`, () => {
      assert.equal(verdict(part(FILE, ATTACK), type), 'block')
      const field = `&id=${encodeURIComponent(ATTACK)}&`
      assert.equal(verdict(part(`${FILE}\r\nContent-Type: image/png`, field), type), 'block')
      assert.equal(verdict(part(FILE, 'a text'), type), 'pass')
    })

  test('has no files behind a part that parsers read in different ways', () => {
    const file = part(`${FILE}\r\nContent-Type: image/png`, ATTACK)
    const before = (headers: string): string => `--x\r\n${headers}\r\n\r\n7\r\n${file}`
    assert.equal(verdict(before(FIELD)), 'pass')
    for (const headers of [`${FIELD}\n`, `${FIELD}\r\nno colon`, 'Content-Disposition: form-data; NAME="id"'])
      assert.equal(verdict(before(headers)), 'block', headers)
  })

  test('is a field to Rack where its file name is in capitals', () => {
    const capitals = FILE.replace('filename', 'FileName')
    assert.equal(verdict(part(`${capitals}\r\nContent-Type: image/png`, ATTACK)), 'block')
    assert.equal(verdict(part(`${FILE.toLowerCase()}\r\nContent-Type: image/png`, ATTACK)), 'pass')
  })

  test('has no more readings than a few', () => {
    const many = Array.from({ length: 9 }, (_, i) => `boundary=b${i}`)
    const body = many.map((_, i) => part(FIELD, '7', `b${i}`)).join('')
    assert.equal(verdict(body, `multipart/form-data; ${many.join('; ')}`), 'too-big')
  })

  for (const [what, headers] of [
    ['whose file name is empty, a field to Go', `${FIELD}; filename=""`],
    ['with a second disposition', `${FILE}\r\n${FIELD}`],
    ['with a file name in another header', `${FIELD}\r\nX: ; filename="a.txt"`],
    ['with nothing but an extended file name, a field to PHP', `${FIELD}; filename*="a.txt"`],
    ['with a file name inside its name', 'Content-Disposition: form-data; name="id;filename=a.txt"'],
    ['with a folded file name', `${FIELD};\r\n filename="a.txt"`],
    ['with a folded name', 'Content-Disposition: form-data;\r\n name="id"'],
  ] as const)
    test(`is inspected in a part ${what}`, () => {
      assert.equal(verdict(part(headers, ATTACK)), 'block')
      assert.equal(verdict(part(headers, 'hello')), 'pass')
    })

  test('is inspected behind its end, as PHP reads on', () => {
    assert.equal(verdict(`--x--\r\n${part(FIELD, ATTACK)}`), 'block')
  })

  test('is not cut in pieces at what no parser takes for a delimiter', () => {
    const words = ["1' UNION", 'SELECT', 'username,password', 'FROM users-- -']
    assert.equal(verdict(part(FIELD, words.join('/*--x*/'))), 'block')
    assert.equal(verdict(part(FIELD, words.join('\r\n--xy\r\n'))), 'block')
  })

  test('is inspected in a file behind what some parser may take for a delimiter', () => {
    for (const delimiter of ['a\r\n--xy', 'a--x'])
      assert.equal(verdict(part(FILE, `${delimiter}\r\n${FIELD}\r\n\r\n${ATTACK}`)), 'block', delimiter)
  })

  test('is inspected before the first delimiter, behind one inside a line, and without any', () => {
    const field = `${FIELD}\r\n\r\n${ATTACK}\r\n`
    for (const body of [
      `${field}--x--\r\n`,
      `a-x\r\n${field}--x`,
      `--xz\r${field.replaceAll('\r\n', '\r')}`,
      `--x\n\rX\n\r${field.replaceAll('\r\n', '\n\r')}--x--`,
      part(`Content-Disposition: form-data; name=id;; filename="a.txt"`, ATTACK),
      part(`Content-Disposition: form-data; name="id"; filename`, ATTACK),
      part(`Content-Disposition: form-data; name="id" filename="a.txt"`, ATTACK),
      part(`Content-Disposition: form-data; name="f"; filename="a.txt";;filename=x.php`, 'x'),
    ])
      assert.equal(verdict(body), 'block', body)
    assert.equal(verdict(`a=1&id=${encodeURIComponent(ATTACK)}`, 'multipart/form-data; boundary*=x'), 'block')
  })

  test('is decoded where a part says so', () => {
    const coded = ATTACK.replaceAll("'", '=27').replaceAll(' ', '=20')
    const headers = `${FIELD}\r\nContent-Transfer-Encoding: quoted-printable`
    assert.equal(verdict(part(headers, coded.replace('SELECT', 'SEL=\r\nECT'))), 'block')
  })

  for (const [what, body, type] of [
    ['of the whole body', part(FIELD, '+AGEAYg-'), `${TYPE}; charset=utf-7`],
    [
      'of a field for it',
      `${part('Content-Disposition: form-data; name="_charset_"', 'utf-7')}${part(FIELD, '+AGEAYg-')}`,
      TYPE,
    ],
    [
      'as an extended parameter',
      part(`${FIELD}\r\nContent-Type: text/plain; charset*=utf-8''utf-7`, '+AGEAYg-'),
      TYPE,
    ],
  ] as const)
    test(`has no charset that is not read, by the label ${what}`, () => {
      assert.equal(verdict(body, type), 'too-big')
      assert.equal(verdict(body.replace('utf-7', 'utf-8'), type.replace('utf-7', 'utf-8')), 'pass')
    })

  test('is unpacked where a part says so, to a bound', () => {
    const coded = (coding: string, bytes: Buffer): string =>
      verdict(part(`${FIELD}\r\nContent-Encoding: ${coding}`, bytes.toString('latin1')))
    for (const text of [ATTACK, 'a fine lamp'])
      for (const [coding, bytes] of [
        ['gzip', gzipSync(text)],
        ['deflate', deflateSync(text)],
        ['deflate', deflateRawSync(text)],
      ] as const)
        assert.equal(coded(coding, bytes), text === ATTACK ? 'block' : 'pass', `${coding} ${text}`)
    assert.equal(coded('gzip', gzipSync(' '.repeat(400_000))), 'too-big')
  })

  test('is not taken for the rest of an upload where its last part may be a field', () => {
    const cut = (headers: string, type = TYPE): boolean =>
      isUnreadRestHarmless(Buffer.from(`--x\r\n${headers}\r\n\r\nabc`), type)
    assert.equal(cut(FILE), true)
    for (const headers of [`${FIELD}; filename=""`, `${FIELD}\r\nX: ; filename="a"`, `${FILE}\r\n${FIELD}`])
      assert.equal(cut(headers), false, headers)
    assert.equal(cut(FILE, `${TYPE}; boundary=y`), false)
  })
})

test('a mailbox and a long text of heads pass as files, and take no longer for it', () => {
  const mails = 'Content-Disposition: inline; filename="a.txt"\r\n\r\nhello\r\n'.repeat(2_000)
  assert.equal(verdict(part(`${FILE}\r\nContent-Type: message/rfc822`, mails)), 'pass')
  assert.equal(verdict(part(FILE, 'content-disposition:;name=a\n'.repeat(2_000))), 'too-big')
})

test('what browsers and clients send passes: files of any text, and no file at all', () => {
  for (const [headers, content] of [
    [FILE, `notes: ${ATTACK}`],
    ['Content-Disposition: form-data; name="f"; filename=""', ''],
    [`${FILE}; filename*=utf-8''a.txt`, ATTACK],
    ['Content-Disposition: form-data; name="f"; filename="a \\"b\\" c.txt"', ATTACK],
    [
      FILE,
      `From: a@b.example\r\nContent-Type: multipart/mixed; boundary=z\r\n\r\n--z\r\n\r\n${ATTACK}\r\n--z--`,
    ],
  ] as const)
    assert.equal(verdict(part(`${headers}\r\nContent-Type: text/plain`, content)), 'pass', headers)
})

test('a part that is JSON by its type is read, for Spring and Jersey make an object of it, file or not', () => {
  for (const type of ['application/json', 'Application/JSON; charset=utf-8', 'application/vnd.api+json'])
    for (const name of ['blob', 'a.json']) {
      const file = `Content-Disposition: form-data; name="f"; filename="${name}"\r\nContent-Type: ${type}`
      assert.equal(verdict(part(file, JSON.stringify({ a: { id: ATTACK } }))), 'block', `${type} ${name}`)
      assert.equal(
        verdict(part(file, '{"name":"app","scripts":{"test":"tap -Rspec && rm -rf dist"}}')),
        'pass',
      )
    }
})

test('a value that only some parsers find is read to its end', () => {
  for (const count of [0, 4_000, 5_000, 9_000, 40_000]) {
    const inner = `${FIELD}\r\n\r\n${'lamp '.repeat(count / 5)}${ATTACK}`
    assert.equal(verdict(part(FILE, `--y\r\n${inner}`)), 'block', `behind ${count} characters`)
  }
})
