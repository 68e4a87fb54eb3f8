import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { deflateSync, gzipSync } from 'node:zlib'
import { decodeBase64 } from '../src/canonicalise/base64.ts'
import { type InspectedRequest, inspect } from '../src/index.ts'

const ATTACK = "1' union select name,password from users -- "
/** More than is unpacked of one value. */
const PADDING = 'padding that says nothing, '.repeat(5_000)

const base64 = (bytes: Buffer): string => bytes.toString('base64')

function placesOf(value: string): readonly InspectedRequest[] {
  const coded = encodeURIComponent(value)
  const post = (type: string, body: string): InspectedRequest => ({
    method: 'POST',
    target: '/s',
    headers: ['content-type', type],
    body: Buffer.from(body),
  })
  return [
    { method: 'GET', target: `/s?q=${coded}`, headers: [] },
    { method: 'GET', target: '/s', headers: ['cookie', `a=b; q=${coded}`] },
    post('application/x-www-form-urlencoded', `a=1&q=${coded}`),
    post('application/json', JSON.stringify({ a: 1, q: value })),
  ]
}

const PACKED: Readonly<Record<string, (text: string) => Buffer>> = {
  gzip: text => gzipSync(text),
  'zlib, as PHP and pako pack': text => deflateSync(text),
  'zlib, its fastest': text => deflateSync(text, { level: 1 }),
  'zlib, its best': text => deflateSync(text, { level: 9 }),
}

for (const [kind, packed] of Object.entries(PACKED))
  describe(`a value in base64 of ${kind}`, () => {
    test('is read for what it unpacks to', () => {
      for (const text of [ATTACK, `${ATTACK}${PADDING}`, `${ATTACK}${' '.repeat(200_000)}`])
        for (const request of placesOf(base64(packed(text))))
          assert.notEqual(
            inspect(request).verdict,
            'pass',
            `${request.target} ${request.body ?? ''}`.slice(0, 99),
          )
    })

    test('passes when it unpacks to what people send', () => {
      const state = JSON.stringify({ view: 'list', columns: ['name', 'price'], search: "O'Brien & sons" })
      for (const text of [state, `${state}${PADDING}`, 'Hello, this is a text of some length.'])
        for (const request of placesOf(base64(packed(text))))
          assert.equal(
            inspect(request).verdict,
            'pass',
            `${request.target} ${request.body ?? ''}`.slice(0, 99),
          )
    })
  })

test('what only begins like zlib is a token like others', () => {
  for (const token of [
    'eJxTc0zKTFFIzs8rTq0oAQAXRgQR',
    'eNoAAAAAAAAAAAAAAAAAAAAA',
    'eAFtUMtKw0AU0H5OXRf1hJqKoFaW',
    'eJyLVsoBAC4A',
  ])
    for (const request of placesOf(token)) assert.equal(inspect(request).verdict, 'pass', token)
})

test('a cookie whose signature was left out is refused, plain and in base64', () => {
  const session = '{"saml_data":{"username_attribute":"Admin"},"sessionid":"","sign":""}'
  for (const value of [encodeURIComponent(session), encodeURIComponent(base64(Buffer.from(session)))]) {
    const { matches } = inspect({ method: 'GET', target: '/', headers: ['cookie', `zbx_session=${value}`] })
    assert.deepEqual(
      matches.map(({ rule }) => rule),
      ['session/empty-signature'],
    )
  }
  const signed = encodeURIComponent(session.replace('"sign":""', '"sign":"4b1f"'))
  assert.equal(inspect({ method: 'GET', target: '/', headers: ['cookie', `s=${signed}`] }).verdict, 'pass')
})

describe('parts of a value that unpack to much', () => {
  const part = (text: string): string => base64(gzipSync(text)).replace(/=+$/, '')
  const parts = Array.from({ length: 80 }, (_, i) => part(`${i} ${'words '.repeat(12_000)}`))

  test('hide none behind them', () => {
    for (const request of placesOf([...parts.slice(0, 20), part(ATTACK)].join('!')))
      assert.equal(inspect(request).verdict, 'block')
  })

  test('attack: come to no more than the length of the value allows, however many they are', () => {
    const value = parts.join('!')
    assert.ok(value.length < 16_384)
    assert.ok((decodeBase64(value)?.length ?? 0) < 600_000)
  })
})

describe('a value of many parts that unpack to much', () => {
  const part = (text: string): string => base64(gzipSync(text)).replace(/=+$/, '')
  const fillers = (count: number): string =>
    Array.from({ length: count }, (_, i) => part(`${i} ${"it's ".repeat(2_000)}`)).join('.')

  test('comes to a bounded text', () => {
    const value = fillers(400).slice(0, 16_384)
    assert.ok(value.split('.').length > 150)
    assert.ok((decodeBase64(value)?.length ?? 0) < 500_000)
  })

  test('hides no attack behind them, and each part is read once', () => {
    const value = `${fillers(60)}.${part(ATTACK)}`
    assert.ok(decodeBase64(value)?.endsWith(ATTACK))
    for (const request of placesOf(value).slice(2)) assert.notEqual(inspect(request).verdict, 'pass')
    const twice = `${part(ATTACK)}.${part(`other ${ATTACK}`)}.${part(ATTACK)}`
    assert.equal(decodeBase64(twice), `${ATTACK}\nother ${ATTACK}`)
  })
})
