import assert from 'node:assert/strict'
import { createServer, request as httpRequest } from 'node:http'
import {
  createServer as createHttp2Server,
  type Http2ServerRequest,
  type Http2ServerResponse,
  connect as http2Connect,
} from 'node:http2'
import { type AddressInfo, connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { ALLOW, Engine, type Event, type Guard, type Refusal } from '@postern/core'
import express5 from 'express'
import { express, node } from '../../src/index.ts'
import { text } from '../applications/streams.ts'
import { echo, listening, raw } from '../node/node-client.ts'

/** Counts who is inside, as a limit of so many at once does. */
function counting(): { guard: Guard; inside: () => number; most: () => number } {
  let inside = 0
  let most = 0
  const guard: Guard = {
    name: 'counting',
    failure: 'closed',
    decide() {
      most = Math.max(most, ++inside)
      return ALLOW
    },
    settle() {
      inside--
    },
  }
  return { guard, inside: () => inside, most: () => most }
}

describe('the layer on a node server', { timeout: 60_000 }, () => {
  test('two layers see the head of one answer, the inner first, and all answers share the functions for it', async () => {
    const seen: string[] = []
    const watching = (name: string): Engine =>
      new Engine({
        guards: [
          {
            name,
            failure: 'open',
            decide: () => ALLOW,
            onAnswer: (_exchange, head) => void seen.push(`${name} ${head.status} ${head.get('x-own')}`),
          },
        ],
      })
    const functions = new Set<unknown>()
    const inner = node(watching('inner'), (_request, response) => {
      functions.add(response.writeHead)
      response.writeHead(201, { 'X-Own': 'yes' }).end('hello')
    })
    const server = createServer(node(watching('outer'), inner))
    server.listen(0, '127.0.0.1')
    await new Promise(resolve => server.once('listening', resolve))
    const { port } = server.address() as AddressInfo
    try {
      for (let i = 0; i < 3; i++)
        assert.equal(await (await fetch(`http://127.0.0.1:${port}/`)).text(), 'hello')
    } finally {
      server.closeAllConnections()
      await new Promise(resolve => server.close(resolve))
    }
    assert.deepEqual(seen, Array.from({ length: 3 }, () => ['inner 201 yes', 'outer 201 yes']).flat())
    // A function of its own on each answer kept the answer before it alive.
    assert.equal(functions.size, 1)
  })

  test('an exchange has ended before the next request of a client that waits for its answer is decided', async () => {
    const counter = counting()
    const server = createServer(
      node(new Engine({ guards: [counter.guard] }), (_request, response) => response.end('hello')),
    )
    server.listen(0, '127.0.0.1')
    await new Promise(resolve => server.once('listening', resolve))
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
    try {
      let answers = 0
      await new Promise<void>((resolve, reject) => {
        const send = (): unknown => socket.write('GET / HTTP/1.1\r\nhost: a\r\n\r\n')
        socket.on('error', reject)
        socket.on('data', () => (++answers < 300 ? send() : resolve()))
        send()
      })
      assert.equal(counter.most(), 1)
    } finally {
      socket.destroy()
      await new Promise(resolve => server.close(resolve))
    }
    assert.equal(counter.inside(), 0)
  })

  test('requests that came in one packet end each once, in their order', async () => {
    const counter = counting()
    const engine = new Engine({ guards: [counter.guard] })
    const paths: (string | undefined)[] = []
    const all = new Promise<void>(resolve => {
      engine.listen(event => {
        paths.push(event.request?.path)
        if (paths.length === 20) resolve()
      })
    })
    const server = createServer(node(engine, (_request, response) => response.end('hello')))
    server.listen(0, '127.0.0.1')
    await new Promise(resolve => server.once('listening', resolve))
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
    try {
      socket.resume()
      socket.write(Array.from({ length: 20 }, (_, i) => `GET /${i} HTTP/1.1\r\nhost: a\r\n\r\n`).join(''))
      await all
      assert.deepEqual(
        paths,
        Array.from({ length: 20 }, (_, i) => `/${i}`),
      )
      assert.equal(counter.inside(), 0)
    } finally {
      socket.destroy()
      await new Promise(resolve => server.close(resolve))
    }
  })

  test('works over HTTP/2, without headers that belong to a connection', async () => {
    const denied: Refusal = {
      effect: 'deny',
      guard: 'test',
      status: 403,
      close: true,
      reasons: [{ rule: 'test', message: 'No.' }],
    }
    const guard: Guard = {
      name: 'test',
      failure: 'closed',
      async decide(exchange) {
        const { bytes } = await exchange.readBody()
        return Buffer.from(bytes).includes('evil') ? denied : ALLOW
      },
    }
    const engine = new Engine({ guards: [guard] })
    const settled: Event[] = []
    engine.listen(event => settled.push(event))
    const server = createHttp2Server(
      node(engine, (request: Http2ServerRequest, response: Http2ServerResponse) => {
        void text(request).then(body => response.end(body))
      }),
    )
    server.listen(0, '127.0.0.1')
    await new Promise(resolve => server.once('listening', resolve))
    const client = http2Connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
    const send = async (body: string): Promise<{ status: unknown; headers: object; body: string }> => {
      const stream = client.request(
        { ':method': body === '' ? 'GET' : 'POST', ':path': '/x' },
        { endStream: body === '' },
      )
      const headers = new Promise<Record<string, unknown>>(resolve => stream.once('response', resolve))
      if (body !== '') stream.end(body)
      return { status: (await headers)[':status'], headers: await headers, body: await text(stream) }
    }
    try {
      assert.equal((await send('')).body, '')
      assert.equal((await send('hello')).body, 'hello')
      assert.equal((await send('x'.repeat(300_000))).body.length, 300_000)
      const refused = await send('evil')
      assert.equal(refused.status, 403)
      assert.ok(!('connection' in refused.headers))
      assert.deepEqual(
        settled.map(event => [event.outcome?.status, event.outcome?.aborted, event.request?.host !== '']),
        [
          [200, false, true],
          [200, false, true],
          [200, false, true],
          [403, false, true],
        ],
      )
    } finally {
      client.close()
      await new Promise(resolve => server.close(resolve))
    }
  })

  test('decides on the target as it was sent, however deep it is mounted', async () => {
    const seen: string[] = []
    const guard: Guard = {
      name: 'test',
      failure: 'closed',
      decide(exchange) {
        seen.push(exchange.path.raw)
        return ALLOW
      },
    }
    const engine = new Engine({ guards: [guard] })
    const app = express5()
    app.use((request, _response, next) => {
      request.url = '/rewritten'
      next()
    })
    app.use('/rewritten', express(engine), (_request, response) => void response.send('ok'))
    await listening(createServer(app), async port => {
      await fetch(`http://127.0.0.1:${port}/admin/delete`)
      assert.deepEqual(seen, ['/admin/delete'])
    })
  })

  test('decides once when it is mounted twice', async () => {
    let asked = 0
    const guard: Guard = {
      name: 'test',
      failure: 'closed',
      decide() {
        asked++
        return ALLOW
      },
    }
    const engine = new Engine({ guards: [guard] })
    const app = express5()
    app.use(express(engine), express(engine), (_request, response) => void response.send('ok'))
    await listening(createServer(app), async port => {
      await (await fetch(`http://127.0.0.1:${port}/`)).text()
      assert.equal(asked, 1)
    })
  })

  test('settles each of two engines on one request', async () => {
    const settled: string[] = []
    const engineNamed = (name: string): Engine => {
      const engine = new Engine()
      engine.listen(() => settled.push(name))
      return engine
    }
    const app = express5()
    app.use(express(engineNamed('outer')), express(engineNamed('inner')))
    app.use((_request, response) => void response.send('ok'))
    await listening(createServer(app), async port => {
      await (await fetch(`http://127.0.0.1:${port}/`)).text()
      assert.deepEqual(settled.sort(), ['inner', 'outer'])
    })
  })

  test('keeps the connection of a refused request that sent its body', async () => {
    const denied: Refusal = {
      effect: 'deny',
      guard: 'test',
      status: 403,
      reasons: [{ rule: 'test', message: 'No.' }],
    }
    const engine = new Engine({ guards: [{ name: 'test', failure: 'closed', decide: () => denied }] })
    await listening(createServer(node(engine, echo)), async port => {
      const post = 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n'
      const answer = await raw(port, `${post}\r\nhello`, `${post}Connection: close\r\n\r\nhello`)
      assert.equal(answer.match(/HTTP\/1\.1 403/g)?.length, 2)
    })
  })

  test('takes a peer on a Unix socket for this machine', async () => {
    const engine = new Engine()
    const events: Event[] = []
    engine.listen(event => events.push(event))
    const server = createServer(node(engine, (_request, response) => response.end()))
    const path = join(tmpdir(), `postern-http-${process.pid}.sock`)
    await new Promise<void>(resolve => server.listen(path, resolve))
    await new Promise(resolve =>
      httpRequest({ socketPath: path }, response => response.resume().on('end', resolve)).end(),
    )
    await new Promise(resolve => server.close(resolve))
    assert.equal(events[0]?.actor.address, '127.0.0.1')
  })

  test('changes headers of an HTTP/2 request, and shows the head of its answer, with a body and without one', async () => {
    const heads: number[] = []
    const guard: Guard = {
      name: 'test',
      failure: 'closed',
      decide(exchange) {
        exchange.setRequestHeader('x-added', 'by-guard')
        return ALLOW
      },
      onAnswer(_exchange, head) {
        heads.push(head.status)
        head.set('X-Guarded', 'yes')
      },
    }
    const server = createHttp2Server(
      node(new Engine({ guards: [guard] }), (request: Http2ServerRequest, response: Http2ServerResponse) => {
        const { rawHeaders } = request
        const raw = rawHeaders[rawHeaders.indexOf('x-added') + 1]
        if (request.url === '/empty') response.writeHead(204).end()
        else if (request.url === '/nothing') response.end()
        else response.end(`${request.headers['x-added']} ${raw}`)
      }),
    )
    server.listen(0, '127.0.0.1')
    await new Promise(resolve => server.once('listening', resolve))
    const client = http2Connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
    try {
      for (const [path, status, body] of [
        ['/empty', 204, ''],
        ['/nothing', 200, ''],
        ['/seen', 200, 'by-guard by-guard'],
      ] as const) {
        const stream = client.request({ ':path': path })
        const headers = await new Promise<Record<string, unknown>>(resolve =>
          stream.once('response', resolve),
        )
        assert.equal(headers[':status'], status)
        assert.equal(headers['x-guarded'], 'yes')
        assert.equal(await text(stream), body)
      }
      assert.deepEqual(heads, [204, 200, 200])
    } finally {
      client.close()
      await new Promise(resolve => server.close(resolve))
    }
  })
})
