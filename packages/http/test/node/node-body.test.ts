import assert from 'node:assert/strict'
import { createServer, type IncomingMessage } from 'node:http'
import { createRequire } from 'node:module'
import { type Socket, connect as tcpConnect } from 'node:net'
import { describe, test } from 'node:test'
import { ALLOW, type BodyPrefix, Engine, type Event, type Guard, type Refusal } from '@postern/core'
import express5 from 'express'
import fc from 'fast-check'
import fastifyApp from 'fastify'
import { express, fastify, node } from '../../src/index.ts'
import { text } from '../applications/streams.ts'
import { echo, listening, raw } from './node-client.ts'

const LIMIT = 64

/** An engine that reads every body ahead and says what it saw. */
function readingEngine(bodyLimit: number = LIMIT): {
  engine: Engine
  prefixes: BodyPrefix[]
  events: Event[]
  errors: unknown[]
} {
  const prefixes: BodyPrefix[] = []
  const errors: unknown[] = []
  const reading: Guard = {
    name: 'reading',
    failure: 'closed',
    async decide(exchange) {
      prefixes.push(await exchange.readBody())
      return ALLOW
    },
  }
  const engine = new Engine({ guards: [reading], bodyLimit, onError: (_part, error) => errors.push(error) })
  const events: Event[] = []
  engine.listen(event => events.push(event))
  return { engine, prefixes, events, errors }
}

const HEAD = 'POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n'

describe('reading the body of a node request ahead', { timeout: 60_000 }, () => {
  test('sees every byte of any body, however it is cut, and so does the handler', async () => {
    const { engine, prefixes } = readingEngine()
    await listening(createServer(node(engine, echo)), async port => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.string({ minLength: 1, maxLength: 50, unit: 'grapheme-ascii' }), { maxLength: 5 }),
          fc.boolean(),
          async (pieces, isChunked) => {
            const body = pieces.join('')
            const wire = isChunked
              ? [
                  `${HEAD}Transfer-Encoding: chunked\r\n\r\n`,
                  ...pieces.map(piece => `${piece.length.toString(16)}\r\n${piece}\r\n`),
                  '0\r\n\r\n',
                ]
              : [`${HEAD}Content-Length: ${body.length}\r\n\r\n`, ...pieces]
            const answer = await raw(port, ...wire)
            const head = answer.indexOf('\r\n\r\n')
            assert.match(answer, /^HTTP\/1\.1 200/)
            assert.ok(body === '' || answer.slice(head).includes(body))
            if (body === '' && !isChunked) return
            const prefix = prefixes.at(-1)
            assert.equal(Buffer.from(prefix?.bytes ?? []).toString(), body.slice(0, LIMIT))
            assert.equal(prefix?.complete, body.length <= LIMIT)
          },
        ),
        { numRuns: 60 },
      )
    })
  })

  test('gives the handler its end in the tick in which it asks, not before', async () => {
    const { engine } = readingEngine()
    const server = createServer(
      node(engine, (request, response) => {
        setImmediate(() => {
          let length = 0
          request.on('data', chunk => {
            length += chunk.length
          })
          request.on('end', () => response.end(String(length)))
        })
      }),
    )
    await listening(server, async port => {
      assert.match(await raw(port, `${HEAD}Content-Length: 5\r\n\r\nhello`), /\r\n\r\n5$/)
      assert.match(await raw(port, `${HEAD}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n`), /\r\n\r\n0$/)
    })
  })

  for (const size of [10, LIMIT, LIMIT + 1, 500_000]) {
    test(`leaves a form of ${size} bytes to multer`, async () => {
      const multer = createRequire(createRequire(import.meta.url).resolve('@nestjs/platform-express'))(
        'multer',
      )
      const { engine } = readingEngine()
      const app = express5()
      app.use(express(engine))
      app.post('/', multer().single('file'), (request, response) => {
        const { file } = request as { file?: { size: number } }
        response.json({ size: file?.size, name: request.body.name })
      })
      await listening(createServer(app), async port => {
        const form = new FormData()
        form.set('name', 'a name')
        form.set('file', new Blob(['x'.repeat(size)]), 'file.txt')
        const response = await fetch(`http://127.0.0.1:${port}/`, { method: 'POST', body: form })
        assert.deepEqual(await response.json(), { size, name: 'a name' })
      })
    })
  }

  test('asks for the body where node itself answers Expect: 100-continue', async () => {
    const { engine } = readingEngine()
    await listening(createServer(node(engine, echo)), async port => {
      const answer = await raw(port, `${HEAD}Expect: 100-continue\r\nContent-Length: 5\r\n\r\n`, 'hello')
      assert.match(answer, /^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 OK[\s\S]*hello$/)
    })
  })

  test('asks for the body itself where the application answers Expect: 100-continue', async () => {
    const { engine } = readingEngine()
    const server = createServer()
    server.on('checkContinue', node(engine, echo))
    await listening(server, async port => {
      const socket = tcpConnect(port, '127.0.0.1')
      socket.write(`${HEAD}Expect: 100-continue\r\nContent-Length: 5\r\n\r\n`)
      await new Promise<void>(resolve =>
        socket.once('data', data => resolve(assert.match(String(data), /^HTTP\/1\.1 100/))),
      )
      socket.write('hello')
      assert.match(await text(socket), /hello$/)
    })
  })

  test('does not ask for a body it refuses without reading', async () => {
    const refusal: Refusal = {
      effect: 'deny',
      guard: 'test',
      status: 403,
      close: true,
      reasons: [{ rule: 'test', message: 'No.' }],
    }
    const engine = new Engine({ guards: [{ name: 'test', failure: 'closed', decide: () => refusal }] })
    const server = createServer()
    server.on('checkContinue', node(engine, echo))
    await listening(server, async port => {
      const answer = await raw(
        port,
        'POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n',
      )
      assert.match(answer, /^HTTP\/1\.1 403 Forbidden\r\n/)
      assert.match(answer, /\r\nConnection: close\r\n/)
    })
  })

  test('shows a guard what a client sent before it left, and that it left', async () => {
    const { engine, prefixes, errors } = readingEngine()
    const settled = Promise.withResolvers<Event>()
    engine.listen(settled.resolve)
    let handled = 0
    await listening(createServer(node(engine, () => handled++)), async port => {
      const socket: Socket = tcpConnect(port, '127.0.0.1')
      socket.write(`${HEAD}Content-Length: 50\r\n\r\nthe start of an attack`, () =>
        setImmediate(() => socket.destroy()),
      )
      const event = await settled.promise
      assert.equal(event.outcome?.status, 0)
      assert.equal(event.outcome?.aborted, true)
      assert.equal(Buffer.from(prefixes[0]?.bytes ?? []).toString(), 'the start of an attack')
      assert.equal(prefixes[0]?.complete, false)
      assert.equal(handled, 0)
      assert.deepEqual(errors, [])
    })
  })

  test('is bounded by the time limits of the server', async () => {
    const { engine, prefixes } = readingEngine()
    const server = createServer(
      { requestTimeout: 100, headersTimeout: 100, connectionsCheckingInterval: 20 },
      node(engine, echo),
    )
    await listening(server, async port => {
      const answer = await raw(port, `${HEAD}Content-Length: 50\r\n\r\nslow`)
      assert.match(answer, /^(HTTP\/1\.1 408|$)/)
      assert.equal(prefixes[0]?.complete, false)
    })
  })

  test('says so when something read the body before', async () => {
    const { engine, errors } = readingEngine()
    const app = express5()
    app.use(express5.json(), express(engine))
    app.post('/', (_request, response) => void response.send('reached'))
    await listening(createServer(app), async port => {
      const response = await fetch(`http://127.0.0.1:${port}/`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: '{}',
      })
      assert.equal(response.status, 503)
      assert.match(String(errors[0]), /mount Postern before body parsers/)
    })
  })

  test('takes the bytes that a body parser kept', async () => {
    const { engine, prefixes } = readingEngine()
    const app = express5()
    const keep = (request: IncomingMessage, _response: unknown, bytes: Buffer): void => {
      Object.assign(request, { rawBody: bytes })
    }
    app.use(express5.json({ verify: keep }), express(engine))
    app.post('/', (request, response) => void response.json(request.body))
    await listening(createServer(app), async port => {
      const response = await fetch(`http://127.0.0.1:${port}/`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: '{"kept":true}',
      })
      assert.deepEqual(await response.json(), { kept: true })
      assert.equal(Buffer.from(prefixes[0]?.bytes ?? []).toString(), '{"kept":true}')
    })
  })

  test('works on a request that fastify injects', async () => {
    const { engine, prefixes } = readingEngine()
    const app = fastifyApp()
    app.register(fastify(engine))
    app.post('/', request => ({ got: request.body }))
    const reply = await app.inject({ method: 'POST', url: '/', payload: { a: 1 } })
    assert.deepEqual(reply.json(), { got: { a: 1 } })
    assert.equal(Buffer.from(prefixes[0]?.bytes ?? []).toString(), '{"a":1}')
    await app.close()
  })
})
