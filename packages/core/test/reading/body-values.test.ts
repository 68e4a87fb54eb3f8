import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import * as zlib from 'node:zlib'
import {
  bodyValues,
  type Exchange,
  formMethodOverrides,
  mayOverrideInForm,
  queryValues,
} from '../../src/index.ts'
import { exchangeOf } from '../exchanges.ts'

function posted(
  type: string | undefined,
  body: string | Uint8Array,
  more: 'whole' | 'longer' = 'whole',
): Exchange {
  const bytes = typeof body === 'string' ? new TextEncoder().encode(body) : body
  return exchangeOf({
    method: 'POST',
    headers: type === undefined ? [] : ['Content-Type', type],
    body: { read: async () => ({ bytes, complete: more === 'whole' }) },
  })
}

async function fieldsOf(type: string, body: string): Promise<unknown> {
  const values = await bodyValues(posted(type, body))
  if (values.kind !== 'fields') return values
  // One value stands for itself here.
  return Object.fromEntries([...values.fields].map(([name, all]) => [name, all.length === 1 ? all[0] : all]))
}

const JSON_TYPE = 'application/json'
const FORM = 'application/x-www-form-urlencoded'

describe('the fields of a body', () => {
  test('are those of a form, with names and values decoded, all of each name', async () => {
    assert.deepEqual(await fieldsOf(FORM, 'a=1&b=two+words&c%20d=%C3%A9&a=9&empty=&bare&&bad=%zz'), {
      a: ['1', '9'],
      b: 'two words',
      'c d': 'é',
      empty: '',
      bare: '',
      bad: '%zz',
    })
  })

  test('are those of JSON, inner ones named by their path', async () => {
    assert.deepEqual(await fieldsOf(JSON_TYPE, '{"a":1,"b":{"c":true,"d":{"e":null}},"f":"x"}'), {
      a: 1,
      'b.c': true,
      'b.d.e': null,
      f: 'x',
    })
  })

  test('include lists, and what objects in lists hold', async () => {
    assert.deepEqual(
      await fieldsOf(JSON_TYPE, '{"tags":["a","b"],"items":[{"id":1},{"id":2,"n":{"m":3}}]}'),
      {
        tags: ['a', 'b'],
        items: [{ id: 1 }, { id: 2, n: { m: 3 } }],
        'items[].id': [1, 2],
        'items[].n.m': 3,
      },
    )
    assert.deepEqual(await fieldsOf(JSON_TYPE, '[{"id":1}]'), { '[].id': 1 })
    const long = await fieldsOf(JSON_TYPE, JSON.stringify(Array.from({ length: 5_000 }, (_, id) => ({ id }))))
    assert.equal((long as Record<string, unknown[]>)['[].id']?.[4_999], 4_999)
  })

  test('are taken apart four levels deep; what is below stays one value', async () => {
    assert.deepEqual(await fieldsOf(JSON_TYPE, '{"a":{"b":{"c":{"d":{"e":1}}}}}'), { 'a.b.c.d': { e: 1 } })
  })

  test('do not exist in a value that is not an object', async () => {
    for (const body of ['1', '"text"', 'null', 'true']) assert.deepEqual(await fieldsOf(JSON_TYPE, body), {})
  })

  test('are read from JSON of any name, and in any letter case', async () => {
    for (const type of [
      'application/problem+json',
      'application/vnd.api+json; charset=utf-8',
      'APPLICATION/JSON',
      'json',
      ' JSON; charset=utf-8',
    ])
      assert.deepEqual(await fieldsOf(type, '{"a":1}'), { a: 1 }, type)
  })

  test('are those of JSON under every label: many handlers never look at it', async () => {
    for (const type of [
      'text/plain',
      'image/png',
      'multipart/form-data; boundary=x',
      FORM,
      'application/xml',
    ])
      assert.deepEqual(await fieldsOf(type, ' {"a":1}'), { a: 1 }, type)
    const unlabelled = await bodyValues(posted(undefined, '\uFEFF{"a":1}'))
    assert.deepEqual(unlabelled, { kind: 'fields', fields: new Map([['a', [1]]]), complete: true })
    assert.deepEqual(await fieldsOf(FORM, '{=1&b=2'), { '{': '1', b: '2' })
  })

  test('are those of a multipart form, without its files; of a long one, those at its beginning', async () => {
    const type = 'multipart/form-data; boundary=x'
    const part = (disposition: string, text: string): string =>
      `--x\r\nContent-Disposition: form-data; ${disposition}\r\n\r\n${text}\r\n`
    const body = `${part('name="a"', '1')}${part('name="f"; filename="a.txt"', 'text')}${part('name="a"', '2')}--x--\r\n`
    assert.deepEqual(await fieldsOf(type, body), { a: ['1', '2'] })
    const long = await bodyValues(posted(type, body, 'longer'))
    assert.ok(long.kind === 'fields' && !long.complete)
  })

  test('attack: a field is hidden behind many parts, or is said to be a file only to a careless reader', async () => {
    const type = 'multipart/form-data; boundary=x'
    const part = (disposition: string): string =>
      `--x\r\nContent-Disposition: form-data; ${disposition}\r\n\r\n1\r\n`
    const hidden = `${part('name="a"').repeat(10_000)}${part('name="role"')}--x--`
    assert.deepEqual(await fieldsOf(type, hidden), { kind: 'unreadable', why: 'too-many' })
    const cut = `${part(`name="role"; x="${'A'.repeat(1_100)}; filename=a; b"`)}--x--`
    assert.deepEqual(await fieldsOf(type, cut), { role: '1' })
  })

  test('do not exist in text or in a picture, and where nothing was sent', async () => {
    const none = { kind: 'none' }
    for (const type of ['text/plain', 'application/jsonp', 'application/xml'])
      assert.deepEqual(await bodyValues(posted(type, '<a>1</a>')), none, type)
    assert.deepEqual(await bodyValues(posted('text/plain', '{ a smile }')), none)
    assert.deepEqual(await bodyValues(posted('image/png', '\u0089PNG', 'longer')), none)
    assert.deepEqual(await bodyValues(posted(JSON_TYPE, '')), none)
    assert.deepEqual(await bodyValues(exchangeOf({ headers: ['Content-Type', JSON_TYPE] })), none)
  })

  test('are unreadable in what is longer than may be read, and the start is not taken for the whole', async () => {
    assert.deepEqual(await bodyValues(posted(JSON_TYPE, '{"a":1}', 'longer')), {
      kind: 'unreadable',
      why: 'too-large',
    })
  })

  test('are unreadable in what is not JSON, or not UTF-8', async () => {
    const malformed = { kind: 'unreadable', why: 'malformed' }
    assert.deepEqual(await bodyValues(posted(JSON_TYPE, '{"a":1')), malformed)
    assert.deepEqual(await bodyValues(posted('json', '{"a":1')), malformed)
    assert.deepEqual(await bodyValues(posted(JSON_TYPE, Uint8Array.of(0x22, 0xff, 0x22))), malformed)
    assert.deepEqual(await bodyValues(posted(FORM, Uint8Array.of(0x61, 0x3d, 0xff))), malformed)
    for (const type of [JSON_TYPE, 'text/plain'])
      assert.deepEqual(await bodyValues(posted(type, Buffer.from('{"a":1}', 'utf16le'))), malformed, type)
  })

  test('attack: a field is named twice, so that we take one and the backend the other', async () => {
    const malformed = { kind: 'unreadable', why: 'malformed' }
    for (const text of [
      '{"a":1,"a":2}',
      '{"a":1,"\\u0061":2}',
      '[{"b":{"a":[],"c":"}","a":0}}]',
      '{"\\"":1,"x":"\\\\","\\"":2}',
    ])
      assert.deepEqual(await bodyValues(posted(JSON_TYPE, text)), malformed, text)
    for (const text of ['{"a":1,"A":2}', '{"a":{"a":{"a":1}}}', '[{"a":1},{"a":"a"}]', '{"a":"b","b":"a"}'])
      assert.notDeepEqual(await bodyValues(posted(JSON_TYPE, text)), malformed, text)
  })

  test('are 1,000 at most: an attack behind them is not overlooked, the body is unreadable', async () => {
    const form = (count: number): string => Array.from({ length: count }, (_, i) => `f${i}=1`).join('&')
    const json = (count: number): string =>
      JSON.stringify(Object.fromEntries(Array.from({ length: count }, (_, i) => [`f${i}`, 1])))
    for (const [type, body] of [
      [FORM, form],
      [JSON_TYPE, json],
    ] as const) {
      assert.equal(Object.keys((await fieldsOf(type, body(1_000))) as object).length, 1_000, type)
      assert.deepEqual(await fieldsOf(type, body(1_001)), { kind: 'unreadable', why: 'too-many' }, type)
    }
  })

  test('have names of 100 characters at most', async () => {
    const [name] = Object.keys((await fieldsOf(JSON_TYPE, `{"${'n'.repeat(200)}":1}`)) as object)
    assert.equal(name?.length, 100)
  })
})

test('a query without fields is complete', () => {
  assert.deepEqual(queryValues(''), { fields: new Map(), complete: true })
})

describe('the method that a posted form asks for', () => {
  const MULTIPART = 'multipart/form-data; boundary=x'
  const part = (name: string, value: string): string =>
    `--x\r\nContent-Disposition: form-data; name=${name}\r\n\r\n${value}\r\n--x--\r\n`

  const gzipped = (text: string, coding: string, compress: (bytes: Buffer) => Buffer): Exchange =>
    exchangeOf({
      method: 'POST',
      headers: ['Content-Type', FORM, 'Content-Encoding', coding],
      body: { read: () => Promise.resolve({ bytes: compress(Buffer.from(text)), complete: true }) },
    })
  const methods = async (exchange: Exchange): Promise<readonly string[] | undefined> =>
    (await formMethodOverrides(exchange))?.map(({ method, location }) => `${location} ${method}`)

  test('attack: a coding carries the field beside the body, for a backend that does not undo codings', async () => {
    // RFC 1952 section 2.3: the flag FNAME, and a name that ends in a zero byte.
    const named = (bytes: Buffer): Buffer => {
      const plain = zlib.gzipSync(bytes)
      const name = Buffer.from('&_method=DELETE&email=victim\0')
      return Buffer.concat([
        plain.subarray(0, 3),
        Buffer.of(8),
        plain.subarray(4, 10),
        name,
        plain.subarray(10),
      ])
    }
    const exchange = gzipped('a=1&email=other', 'gzip', named)
    assert.deepEqual(await methods(exchange), ['body._method DELETE'])
    const values = await bodyValues(gzipped('a=1&email=other', 'gzip', named))
    assert.ok(values.kind === 'fields')
    const [decoded, asSent] = values.fields.get('email') ?? []
    assert.equal(decoded, 'other')
    assert.match(String(asSent), /^victim/)
    assert.deepEqual(await methods(gzipped('a=1', 'gzip', zlib.gzipSync)), [])
  })

  test('is that of its field _method', async () => {
    for (const [type, body] of [
      [FORM, 'title=x&_method=delete'],
      [MULTIPART, part('"_method"', 'DELETE')],
      [MULTIPART, part('_method', 'delete')],
      [JSON_TYPE, '{"title":"x","_method":"DELETE"}'],
      [JSON_TYPE, '{"\\u005fmethod":"DELETE"}'],
      ['json', '{"_method":"DELETE"}'],
    ] as const)
      assert.deepEqual(await methods(posted(type, body)), ['body._method DELETE'], body)
  })

  test('is found however a framework lets it be spelled', async () => {
    const padding = 'a=1&'.repeat(2_000)
    for (const body of [
      `${padding}_method=DELETE`,
      'a=1;_method=DELETE',
      '_METHOD=DELETE',
      '%5fmethod=%44ELETE',
      '.method=DELETE',
      '+_method=DELETE',
      '%20[method=DELETE',
      '_method%00=DELETE',
      '_method%00%ff=DELETE',
      // Rack, and qs for the first.
      '[_method]=DELETE',
      ']_method=DELETE',
      '_method]=DELETE',
      '[[_method]]=DELETE',
      'a=1&%5B_method%5D=DELETE',
      '_m%u0065thod=DELETE',
      '_method=+delete%20',
    ])
      assert.deepEqual(await methods(posted(FORM, body)), ['body._method DELETE'], body.slice(-40))
    assert.deepEqual(await methods(posted(FORM, 'X-HTTP-Method-Override=PUT')), [
      'body.x-http-method-override PUT',
    ])
    const headers = 'X-A: b\r\n'.repeat(20)
    for (const body of [
      `--x\r\nContent-Disposition: form-data; name="_method"\r\n${headers}\r\nDELETE\r\n--x--\r\n`,
      '--x\ncontent-disposition:form-data;name=_method\n\nDELETE\n--x--',
      part('"_meth\\od"', 'DELETE'),
      part("_method; name*=utf-8''note", 'DELETE'),
      part('"note"; name="_method"', ' delete '),
      part(".method; filename='name=x'", 'DELETE'),
    ])
      assert.deepEqual(await methods(posted(MULTIPART, body)), ['body._method DELETE'], body)
  })

  test('attack: the field stands where some parser finds it and a simpler reader does not', async () => {
    const field = part('"_method"', 'DELETE')
    const other = '--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n'
    for (const body of [
      field.replace('; name', ';\r\n name'),
      field.replace(': form-data', ':\r\n\tform-data'),
      part(`"a"; x="${'A'.repeat(20_000)}"; name="_method"`, 'DELETE'),
      field.replace('\r\n\r\n', `\r\nX-A: ${'A'.repeat(20_000)}\r\n\r\n`),
      `Content-Disposition: form-data; name="a"\r\n${field}`,
      `${other.repeat(9_000)}${field}`,
    ])
      assert.deepEqual(await methods(posted(MULTIPART, body)), ['body._method DELETE'], body.slice(0, 80))
    for (const body of [
      `${other.repeat(10_000)}${field}`,
      `${'Content-Disposition: a; name=a\r\n'.repeat(16)}${field}`,
    ])
      assert.equal(await methods(posted(MULTIPART, body)), undefined, body.slice(0, 80))
  })

  test('is every one that is there, for frameworks differ in which they take', async () => {
    assert.deepEqual(await methods(posted(FORM, '_method=POST&_method=PUT&_method=DELETE')), [
      'body._method PUT',
      'body._method DELETE',
    ])
    const body = part('_method', 'POST').replace('--x--', part('_method', 'DELETE'))
    assert.deepEqual(await methods(posted(MULTIPART, body)), ['body._method DELETE'])
    assert.equal((await methods(posted(FORM, '_method=PUT&'.repeat(1_000))))?.length, 16)
  })

  test('is read through the coding of the form; one that cannot be undone is not a form', async () => {
    const form = '_method=DELETE'
    assert.deepEqual(await methods(gzipped(form, 'gzip', zlib.gzipSync)), ['body._method DELETE'])
    assert.deepEqual(await methods(gzipped(form, 'BR', zlib.brotliCompressSync)), ['body._method DELETE'])
    assert.equal(await methods(gzipped(form, 'gzip', bytes => bytes)), undefined)
    assert.equal(await methods(gzipped(form, 'compress', bytes => bytes)), undefined)
    assert.equal(await methods(gzipped('a'.repeat(5 * 1_048_576), 'gzip', zlib.gzipSync)), undefined)
  })

  test('is not its own method, a word that is not a method, or another field', async () => {
    for (const body of ['_method=POST', '_method=remove', 'method=DELETE', 'a_method=PUT', ''])
      assert.deepEqual(await methods(posted(FORM, body)), [], body)
    assert.deepEqual(await methods(posted(MULTIPART, part('"my_method"', 'DELETE'))), [])
    assert.deepEqual(await methods(posted(MULTIPART, part('"file"; filename="name=_method"', 'DELETE'))), [])
    for (const body of [
      '{"a":{"_method":"PUT"}}',
      '["_method"]',
      '{"_method":',
      '{"_method":1}',
      '"_method"',
    ])
      assert.deepEqual(await methods(posted(JSON_TYPE, body)), [], body)
  })

  test('is looked for in forms that are posted, and nowhere else', () => {
    assert.equal(mayOverrideInForm(posted(FORM, '')), true)
    assert.equal(mayOverrideInForm(posted(MULTIPART, '')), true)
    assert.equal(mayOverrideInForm(posted(JSON_TYPE, '')), true)
    assert.equal(mayOverrideInForm(posted('text/plain', '')), false)
    assert.equal(mayOverrideInForm(posted(undefined, '')), false)
    assert.equal(mayOverrideInForm(exchangeOf({ method: 'POST', headers: ['Content-Type', FORM] })), false)
    const put = exchangeOf({
      method: 'PUT',
      headers: ['Content-Type', FORM],
      body: { read: () => assert.fail() },
    })
    assert.equal(mayOverrideInForm(put), false)
  })
})
