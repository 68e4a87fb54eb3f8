import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import {
  connect,
  createServer as createHttp2Server,
  type Http2ServerRequest,
  type Http2ServerResponse,
} from 'node:http2'
import type { AddressInfo } from 'node:net'
import { describe, test } from 'node:test'
import { ALLOW, Engine, type Guard } from '@postern/core'
import { fetch as fetchAdapter, node } from '../../src/index.ts'

/** Keeps the first bytes of every answer. */
function watching(limit: number): { guard: Guard; seen: Promise<string> } {
  const { promise, resolve } = Promise.withResolvers<string>()
  const guard: Guard = {
    name: 'watching',
    failure: 'closed',
    decide(exchange) {
      exchange.watchAnswer(limit)
      return ALLOW
    },
    settle(exchange) {
      resolve(Buffer.from(exchange.answerWatch?.bytes ?? []).toString())
    },
  }
  return { guard, seen: promise }
}

describe('a guard that watches the body of an answer', { timeout: 30_000 }, () => {
  test('sees what the handler wrote, up to its limit, on a node server', async t => {
    for (const [limit, wanted] of [
      [100, 'one two thrée'],
      [5, 'one t'],
    ] as const) {
      const { guard, seen } = watching(limit)
      const server = createServer(
        node(new Engine({ guards: [guard] }), (_request, response) => {
          response.write('one ')
          response.write(Buffer.from('two ').toString('base64'), 'base64')
          response.end('thrée')
        }),
      ).listen(0, '127.0.0.1')
      t.after(() => server.close())
      await once(server, 'listening')
      const reply = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`)
      assert.equal(await reply.text(), 'one two thrée')
      assert.equal(await seen, wanted)
    }
  })

  test('sees each byte once on HTTP/2', async t => {
    const { guard, seen } = watching(100)
    const handler = node<Http2ServerRequest, Http2ServerResponse>(
      new Engine({ guards: [guard] }),
      (_request, response) => {
        response.write('one ')
        response.end('two')
      },
    )
    const server = createHttp2Server(handler).listen(0, '127.0.0.1')
    t.after(() => server.close())
    await once(server, 'listening')
    const session = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
    const stream = session.request({ ':path': '/' })
    stream.resume()
    await once(stream, 'end')
    session.destroy()
    assert.equal(await seen, 'one two')
  })

  test('sees it in fetch handlers', async () => {
    const { guard, seen } = watching(100)
    const handle = fetchAdapter(new Engine({ guards: [guard] }), () => new Response('hello'))
    const reply = await handle(new Request('http://shop.example/'))
    assert.equal(await reply.text(), 'hello')
    assert.equal(await seen, 'hello')
  })
})
