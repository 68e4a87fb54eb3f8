import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { type Config, type Postern, postern } from '../src/index.ts'

async function withLayer(config: Config, work: (layer: Postern) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'postern-override-'))
  const layer = await postern({ folder, config: { audit: false, ...config } })
  try {
    await work(layer)
  } finally {
    await layer.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

type Form = 'X-HTTP-Method-Override' | 'X-Method-Override' | 'X-HTTP-Method' | 'query' | 'form' | 'multipart'
const FORMS: readonly Form[] = [
  'X-HTTP-Method-Override',
  'X-Method-Override',
  'X-HTTP-Method',
  'query',
  'form',
  'multipart',
]

/** A POST that asks to be treated as one of another method, in one of the ways that frameworks obey. */
function asking(form: Form, method: string, path: string): Request {
  const url = `http://shop.example${path}${form === 'query' ? `?_method=${method}` : ''}`
  const part = `--b\r\nContent-Disposition: form-data; name="_method"\r\n\r\n${method}\r\n--b--\r\n`
  const [type, body] =
    form === 'form'
      ? ['application/x-www-form-urlencoded', `title=x&_method=${method}`]
      : form === 'multipart'
        ? ['multipart/form-data; boundary=b', part]
        : ['application/json', '{"title":"x"}']
  const headers: Record<string, string> = { host: 'shop.example', 'content-type': type }
  if (form.startsWith('X-')) headers[form] = method
  return new Request(url, { method: 'POST', body, headers })
}

async function statusOf(layer: Postern, request: Request): Promise<number> {
  const response = await layer.fetch(async asked => new Response(await asked.text()))(request)
  await response.text()
  return response.status
}

for (const form of FORMS) {
  test(`${form}: passes by default where the method asked for would pass`, () =>
    withLayer({}, async layer => {
      for (const method of ['PUT', 'put', 'PATCH', 'DELETE'])
        assert.equal(await statusOf(layer, asking(form, method, '/wp-json/wp/v2/pages/21')), 200, method)
    }))

  test(`${form}: is refused where the route does not answer the method asked for, or not the POST itself`, () =>
    withLayer(
      {
        routes: { '/notes/**': { methods: ['GET', 'POST', 'PUT'] }, '/read/**': { methods: ['GET', 'PUT'] } },
      },
      async layer => {
        assert.equal(await statusOf(layer, asking(form, 'PUT', '/notes/1')), 200)
        assert.equal(await statusOf(layer, asking(form, 'DELETE', '/notes/1')), 405)
        assert.equal(await statusOf(layer, asking(form, 'PUT', '/read/1')), 405)
      },
    ))

  test(`${form}: a route says which methods may be asked for`, () =>
    withLayer(
      { routes: { '/notes/**': { methodOverride: ['PUT'] }, '/never/**': { methodOverride: false } } },
      async layer => {
        assert.equal(await statusOf(layer, asking(form, 'PUT', '/notes/1')), 200)
        assert.equal(await statusOf(layer, asking(form, 'DELETE', '/notes/1')), 400)
        assert.equal(await statusOf(layer, asking(form, 'PUT', '/never/1')), 400)
        assert.equal(await statusOf(layer, asking(form, 'PUT', '/elsewhere')), 200)
      },
    ))

  test(`${form}: counts against the limits of both methods`, () =>
    withLayer(
      {
        limits: { deletes: { limit: '1/1m', routes: ['DELETE /notes/:id'] } },
        routes: { 'POST /posts/**': { throttle: '1/1m' } },
      },
      async layer => {
        assert.equal(await statusOf(layer, asking(form, 'DELETE', '/notes/1')), 200)
        assert.equal(await statusOf(layer, asking(form, 'DELETE', '/notes/2')), 429)
        assert.equal(await statusOf(layer, asking(form, 'PUT', '/posts/1')), 200)
        assert.equal(await statusOf(layer, asking(form, 'PUT', '/posts/1')), 429)
      },
    ))

  test(`${form}: does not borrow an exemption of the other method`, () =>
    withLayer({ routes: { 'PUT /notes/**': { inspect: false } } }, async layer => {
      const request = asking(form, 'PUT', '/notes/1')
      const attack = new Request(request, {
        headers: {
          ...Object.fromEntries(request.headers),
          'x-note': "1' UNION SELECT password FROM users--",
        },
      })
      assert.equal(await statusOf(layer, attack), 403)
    }))

  test(`${form}: TRACE and CONNECT are never asked for`, () =>
    withLayer({ protocol: { methodOverride: ['TRACE'] } }, async layer => {
      assert.notEqual(await statusOf(layer, asking(form, 'TRACE', '/')), 200)
    }))
}

test('two wishes that differ are refused, for nobody knows which the backend obeys', () =>
  withLayer({}, async layer => {
    const request = asking('query', 'PUT', '/notes/1')
    assert.equal(
      await statusOf(
        layer,
        new Request(request, {
          headers: { ...Object.fromEntries(request.headers), 'x-http-method-override': 'DELETE' },
        }),
      ),
      400,
    )
  }))

test('a parameter that names no method is a parameter', () =>
  withLayer({ routes: { '/pay': { methods: ['GET', 'POST'] } } }, async layer => {
    for (const value of ['card', 'invoice', 'post', ''])
      assert.equal(await statusOf(layer, asking('form', value, '/pay')), 200, value)
  }))

test('a name that is spelt with escapes is found too', () =>
  withLayer({ routes: { '/notes/**': { methods: ['POST'] } } }, async layer => {
    const request = new Request('http://shop.example/notes/1?%5Fmetho%64=DELET%45', {
      method: 'POST',
      headers: { host: 'shop.example' },
    })
    assert.equal(await statusOf(layer, request), 405)
  }))
