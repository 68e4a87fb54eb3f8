import assert from 'node:assert/strict'
import { once } from 'node:events'
import { describe, test } from 'node:test'
import { ALLOW, Engine, type Guard } from '@postern/core'
import { WebSocket, WebSocketServer } from 'ws'
import { start, startBackend } from '../harness.ts'
import { certificate, http2Request, http2Session } from '../tls.ts'

/** Seals the backend's cookies, opens them again on the way in, and serves a page of its own. */
function sessions(heads: number[] = []): Guard {
  return {
    name: 'sessions',
    failure: 'closed',
    decide(exchange) {
      if (exchange.path.canonical === '/.postern/sign-in') {
        exchange.reply('X-Replied', 'yes')
        const headers = ['Content-Type', 'text/plain', 'Set-Cookie', 'a=1', 'Set-Cookie', 'b=2']
        return { effect: 'allow', answer: { status: 200, headers, body: Buffer.from('please sign in') } }
      }
      const cookie = exchange.header('cookie')
      if (cookie !== undefined) exchange.setRequestHeader('cookie', cookie.replaceAll('sealed-', ''))
      exchange.setRequestHeader('x-secret', undefined)
      return ALLOW
    },
    onAnswer(_exchange, head) {
      heads.push(head.status)
      const cookies = head.getAll('set-cookie')
      if (cookies.length > 0)
        head.set(
          'Set-Cookie',
          cookies.map(value => `sealed-${value}`),
        )
      head.remove('server')
    },
  }
}

describe('a guard behind the gateway', { timeout: 30_000 }, () => {
  test('serves its own page over HTTP/1 and HTTP/2, which the backend never sees', async t => {
    const backend = await startBackend(t, (_request, response) => response.end('backend'))
    const heads: number[] = []
    const plain = await start(t, backend.url, { engine: new Engine({ guards: [sessions(heads)] }) })
    const reply = await fetch(`${plain.gateway.url}/.postern/sign-in`, { method: 'POST', body: 'name=ada' })
    assert.equal(await reply.text(), 'please sign in')
    assert.deepEqual(reply.headers.getSetCookie(), ['a=1', 'b=2'])
    assert.equal(reply.headers.get('x-replied'), 'yes')
    const event = await plain.event(({ type }) => type === 'http')
    assert.equal(event.decision, 'allow')
    assert.deepEqual([event.outcome?.status, event.outcome?.bytes], [200, 14])
    assert.equal(reply.headers.get('x-request-id'), event.request?.id)
    const head = await fetch(`${plain.gateway.url}/.postern/sign-in`, { method: 'HEAD' })
    assert.equal(head.headers.get('content-length'), '14')

    const secure = await start(t, backend.url, {
      engine: new Engine({ guards: [sessions(heads)] }),
      listen: { port: 0, tls: certificate() },
    })
    const session = http2Session(secure.port)
    const answer = await http2Request(session, { ':path': '/.postern/sign-in' })
    session.destroy()
    assert.equal(answer.body, 'please sign in')
    assert.deepEqual(answer.headers['set-cookie'], ['a=1', 'b=2'])
    assert.equal(backend.seen.length, 0)
    assert.deepEqual(heads, [])
  })

  test('changes what the backend sees and what it answers, over HTTP/1 and HTTP/2', async t => {
    const backend = await startBackend(t, (_request, response) => {
      response.writeHead(201, { 'Set-Cookie': ['inner=1', 'theme=dark'], Server: 'secret/1.0' })
      response.end('made')
    })
    const heads: number[] = []
    const engine = (): Engine => new Engine({ guards: [sessions(heads)] })
    const plain = await start(t, backend.url, { engine: engine() })
    const sent = { cookie: 'sealed-inner=1; other=2', 'x-secret': 'out', 'x-kept': 'in' }
    const reply = await fetch(`${plain.gateway.url}/`, { headers: sent })
    assert.deepEqual(reply.headers.getSetCookie(), ['sealed-inner=1', 'sealed-theme=dark'])
    assert.equal(reply.headers.get('server'), null)
    assert.equal(await reply.text(), 'made')

    const secure = await start(t, backend.url, {
      engine: engine(),
      listen: { port: 0, tls: certificate() },
    })
    const session = http2Session(secure.port)
    const answer = await http2Request(session, { ':path': '/', ...sent })
    session.destroy()
    assert.deepEqual(answer.headers['set-cookie'], ['sealed-inner=1', 'sealed-theme=dark'])
    assert.equal(answer.headers['server'], undefined)
    for (const { headers } of backend.seen) {
      assert.equal(headers.cookie, 'inner=1; other=2')
      assert.equal(headers['x-secret'], undefined)
      assert.equal(headers['x-kept'], 'in')
    }
    assert.equal(backend.seen.length, 2)
    assert.deepEqual(heads, [201, 201])
  })

  test('sees the head of a completed WebSocket handshake, and changes the one that is sent on', async t => {
    const backend = await startBackend(t, (_request, response) => response.end())
    const seen: (string | undefined)[] = []
    new WebSocketServer({ server: backend.server }).on('connection', (_socket, request) =>
      seen.push(request.headers.cookie),
    )
    const heads: number[] = []
    const { port } = await start(t, backend.url, { engine: new Engine({ guards: [sessions(heads)] }) })
    const socket = new WebSocket(`ws://127.0.0.1:${port}/`, { headers: { cookie: 'sealed-inner=1' } })
    await once(socket, 'open')
    socket.terminate()
    assert.deepEqual(heads, [101])
    assert.deepEqual(seen, ['inner=1'])
  })

  test('is not shown an answer that the gateway makes because the backend failed', async t => {
    const heads: number[] = []
    const { gateway } = await start(t, 'http://127.0.0.1:1', {
      engine: new Engine({ guards: [sessions(heads)] }),
    })
    assert.equal((await fetch(gateway.url)).status, 502)
    assert.deepEqual(heads, [])
  })

  test('keeps the start of an answer that it watches', async t => {
    const backend = await startBackend(t, (_request, response) => {
      response.write('first ')
      response.end('second')
    })
    const { promise, resolve } = Promise.withResolvers<string>()
    const guard: Guard = {
      name: 'watching',
      failure: 'closed',
      decide(exchange) {
        exchange.watchAnswer(9)
        return ALLOW
      },
      settle(exchange) {
        resolve(Buffer.from(exchange.answerWatch?.bytes ?? []).toString())
      },
    }
    const { gateway } = await start(t, backend.url, { engine: new Engine({ guards: [guard] }) })
    assert.equal(await (await fetch(gateway.url)).text(), 'first second')
    assert.equal(await promise, 'first sec')
  })
})
