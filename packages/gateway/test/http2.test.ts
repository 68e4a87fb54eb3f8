import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { constants } from 'node:http2'
import { describe, test } from 'node:test'
import { connect as connectTls } from 'node:tls'
import { Engine } from '@postern/core'
import { WebSocket, WebSocketServer } from 'ws'
import { until } from '../../../test/until.ts'
import type { GatewayOptions } from '../src/index.ts'
import { deferred, start, startBackend } from './harness.ts'
import { certificate, fields, frame, http2Request, http2Session, PREFACE, rawHttp2 } from './tls.ts'

const secure = (): Pick<GatewayOptions, 'listen'> => ({ listen: { port: 0, tls: certificate() } })

describe('TLS and HTTP/2 at the front', { timeout: 60_000 }, () => {
  test('reach an HTTP/1.1 backend: host, cookies, body, scheme, trailers', async t => {
    const backend = await startBackend(t, (request, response) => {
      response.writeHead(200, { Trailer: 'X-Sum', 'X-Answer': ['a', 'b'] })
      request.pipe(response, { end: false })
      request.on('end', () => {
        response.addTrailers({ 'X-Sum': '1' })
        response.end()
      })
    })
    const { port } = await start(t, backend.url, secure())
    const session = http2Session(port)
    const answer = await http2Request(
      session,
      {
        ':path': '/p?q=1',
        ':method': 'PUT',
        cookie: ['a=1', 'b=2'],
        'x-postern-identity': 'forged',
        te: 'trailers',
      },
      'some bytes',
    )
    assert.equal(answer.status, 200)
    assert.equal(answer.body, 'some bytes')
    assert.equal(answer.headers['x-answer'], 'a, b')
    assert.equal(answer.trailers['x-sum'], '1')
    const seen = backend.seen[0]
    assert.equal(seen?.method, 'PUT')
    assert.equal(seen?.url, '/p?q=1')
    assert.equal(seen?.headers.host, `localhost:${port}`)
    assert.equal(seen?.headers.cookie, 'a=1; b=2')
    assert.equal(seen?.headers['x-forwarded-proto'], 'https')
    assert.equal(seen?.headers['x-postern-identity'], undefined)
    assert.equal(seen?.headers['te'], undefined)
    session.destroy()
  })

  test('carry many streams at once, large ones too', async t => {
    const backend = await startBackend(t, (request, response) => request.pipe(response))
    const { port } = await start(t, backend.url, secure())
    const session = http2Session(port)
    const hash = (bytes: Uint8Array | string): string => createHash('sha256').update(bytes).digest('hex')
    await Promise.all(
      Array.from({ length: 20 }, async (_, i) => {
        const text = randomBytes(50_000 * (i + 1)).toString('hex')
        const answer = await http2Request(session, { ':path': `/${i}`, ':method': 'POST' }, text)
        assert.equal(hash(answer.body), hash(text))
      }),
    )
    session.destroy()
  })

  test('answer HEAD, 204 and refusals', async t => {
    const backend = await startBackend(t, (request, response) => {
      if (request.url === '/204') response.writeHead(204).end()
      else
        response.writeHead(200, { 'Content-Length': 5 }).end(request.method === 'HEAD' ? undefined : 'hello')
    })
    const engine = new Engine({
      guards: [
        {
          name: 'door',
          failure: 'closed',
          decide: exchange =>
            exchange.path.raw === '/no'
              ? {
                  effect: 'throttle',
                  guard: 'door',
                  status: 429,
                  retryAfter: 7,
                  reasons: [{ rule: 'door/no', message: 'Slow.' }],
                }
              : { effect: 'allow' },
        },
      ],
    })
    const { port } = await start(t, backend.url, { ...secure(), engine })
    const session = http2Session(port)
    const headAnswer = await http2Request(session, { ':path': '/', ':method': 'HEAD' })
    assert.deepEqual(
      [headAnswer.status, headAnswer.headers['content-length'], headAnswer.body],
      [200, '5', ''],
    )
    assert.equal((await http2Request(session, { ':path': '/204' })).status, 204)
    const refused = await http2Request(session, { ':path': '/no' })
    assert.equal(refused.status, 429)
    assert.equal(refused.headers['retry-after'], '7')
    assert.match(refused.body, /"status":429/)
    session.destroy()
  })

  test('a stream that the client cancels ends its request to the backend', async t => {
    let hasEnded = false
    const arrived = deferred()
    const backend = await startBackend(t, (_request, response) => {
      response.on('close', () => {
        hasEnded = true
      })
      arrived.resolve()
    })
    const { port } = await start(t, backend.url, secure())
    const session = http2Session(port)
    const stream = session.request({ ':path': '/' })
    stream.on('error', () => undefined)
    await arrived.promise
    assert.equal(hasEnded, false)
    stream.close(constants.NGHTTP2_CANCEL)
    await until(() => hasEnded)
    session.destroy()
  })

  test('an answer that breaks off at the backend resets the stream, not the connection', async t => {
    const backend = await startBackend(t, (request, response) => {
      if (request.url === '/fine') response.end('fine')
      else {
        response.writeHead(200, { 'Content-Length': 100 })
        response.write('part', () => response.destroy())
      }
    })
    const { port } = await start(t, backend.url, secure())
    const session = http2Session(port)
    await assert.rejects(http2Request(session, { ':path': '/' }))
    assert.equal((await http2Request(session, { ':path': '/fine' })).body, 'fine')
    session.destroy()
  })

  test('a connection that opens and cancels streams all the time receives ENHANCE_YOUR_CALM and is closed', async t => {
    const backend = await startBackend(t, () => undefined)
    const { port } = await start(t, backend.url, { ...secure(), limits: { resets: 20 } })
    const socket = rawHttp2(port)
    await once(socket, 'secureConnect')
    socket.write(Buffer.concat([Buffer.from(PREFACE), frame(4, 0, 0, Buffer.alloc(0))]))
    const head = fields([':method', 'GET'], [':scheme', 'https'], [':authority', 'localhost'], [':path', '/'])
    const cancel = Buffer.from([0, 0, 0, constants.NGHTTP2_CANCEL])
    let opened = 0
    let received = Buffer.alloc(0)
    socket.on('data', (chunk: Buffer) => {
      received = Buffer.concat([received, chunk])
    })
    const attack = (): void => {
      if (!socket.writable || opened > 2_000) return
      const stream = 1 + 2 * opened++
      socket.write(Buffer.concat([frame(1, 5, stream, head), frame(3, 0, stream, cancel)]), () =>
        setImmediate(attack),
      )
    }
    attack()
    await once(socket, 'close')
    assert.ok(opened < 2_000)
    const goaways = [...received.toString('latin1').matchAll(/\0\0\x08\x07\0\0\0\0\0[\s\S]{4}([\s\S]{4})/g)]
    const codes = goaways.map(([, code = '']) => Buffer.from(code, 'latin1').readUInt32BE())
    assert.ok(codes.includes(constants.NGHTTP2_ENHANCE_YOUR_CALM), `goaway codes: ${codes}`)
  })

  test('a client without HTTP/2 speaks HTTP/1.1, WebSocket included', async t => {
    const backend = await startBackend(t, (_request, response) => response.end('one'))
    const sockets = new WebSocketServer({ server: backend.server })
    sockets.on('connection', socket => socket.on('message', data => socket.send(`echo ${data}`)))
    const { port } = await start(t, backend.url, secure())
    const plain = connectTls({
      port,
      host: '127.0.0.1',
      servername: 'localhost',
      ca: certificate().cert,
      ALPNProtocols: ['http/1.1'],
    })
    plain.write('GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n')
    plain.setEncoding('latin1')
    const text = (await plain.toArray()).join('')
    assert.match(text, /^HTTP\/1\.1 200 OK[\s\S]*one$/)
    assert.equal(backend.seen[0]?.headers['x-forwarded-proto'], 'https')
    const socket = new WebSocket(`wss://localhost:${port}/`, { ca: certificate().cert })
    await once(socket, 'open')
    socket.send('hello')
    assert.equal(String((await once(socket, 'message'))[0]), 'echo hello')
    socket.close()
    await once(socket, 'close')
  })

  test('malformed HTTP/1 inside TLS is refused like outside', async t => {
    const backend = await startBackend(t, (_request, response) => response.end())
    const { port } = await start(t, backend.url, secure())
    const plain = connectTls({ port, host: '127.0.0.1', servername: 'localhost', ca: certificate().cert })
    plain.write(
      'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    )
    plain.setEncoding('latin1')
    assert.match((await plain.toArray()).join(''), /^HTTP\/1\.1 400 /)
    assert.equal(backend.seen.length, 0)
  })

  test('connections receive GOAWAY when the gateway stops, and streams under way finish', async t => {
    const answer = deferred<() => void>()
    const backend = await startBackend(t, (_request, response) => answer.resolve(() => response.end('done')))
    const { port, gateway } = await start(t, backend.url, secure())
    const session = http2Session(port)
    const pending = http2Request(session, { ':path': '/' })
    const finish = await answer.promise
    const goaway = once(session, 'goaway')
    const closed = gateway.close({ grace: '10s' })
    await goaway
    finish()
    assert.equal((await pending).body, 'done')
    await closed
    session.destroy()
  })
})
