import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { describe, test } from 'node:test'
import { Engine } from '@postern/core'
import { until } from '../../../../test/until.ts'
import { deferred, RawClient, start, startBackend } from '../harness.ts'

describe('when one side goes away', { timeout: 30_000 }, () => {
  test('a client that leaves before the answer has its request to the backend ended', async t => {
    const gone = deferred()
    const arrived = deferred()
    const backend = await startBackend(t, (_request, response) => {
      response.on('close', () => gone.resolve())
      arrived.resolve()
    })
    const { port, event } = await start(t, backend.url)
    const client = new RawClient(port)
    client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
    await arrived.promise
    client.close()
    await gone.promise
    const { outcome } = await event(({ type }) => type === 'http')
    assert.deepEqual([outcome?.status, outcome?.aborted], [0, true])
  })

  test('a client that leaves in the middle of the answer has it ended at the backend', async t => {
    const gone = deferred()
    const backend = await startBackend(t, (_request, response) => {
      response.on('close', () => gone.resolve())
      response.write('begin')
    })
    const { port, event } = await start(t, backend.url)
    const client = new RawClient(port)
    client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
    await client.until('begin')
    client.close()
    await gone.promise
    const { outcome } = await event(({ type }) => type === 'http')
    assert.deepEqual([outcome?.status, outcome?.aborted], [200, true])
  })

  test('a client that leaves in the middle of its upload has it ended at the backend', async t => {
    const gone = deferred()
    const begun = deferred()
    const backend = await startBackend(t, request => {
      request.on('error', () => undefined)
      request.once('data', () => begun.resolve())
      request.on('close', () => gone.resolve())
    })
    const { port, gateway, event } = await start(t, backend.url)
    const client = new RawClient(port)
    client.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\npart')
    await begun.promise
    client.close()
    await gone.promise
    await event(({ type }) => type === 'http')
    assert.equal(gateway.inFlight, 0)
  })

  test('a client that leaves in the middle of an upload that the backend did not take ends no worker', async t => {
    const backend = await startBackend(t, (_request, response) => response.end())
    const { port, gateway } = await start(t, backend.url)
    backend.server.close()
    await once(backend.server, 'close')
    const uncaught: unknown[] = []
    const note = (error: unknown): void => void uncaught.push(error)
    process.on('uncaughtException', note)
    t.after(() => process.off('uncaughtException', note))
    const client = new RawClient(port)
    client.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\npart')
    await client.until('502')
    client.socket.resetAndDestroy()
    await until(() => gateway.connections === 0)
    await new Promise(resolve => setImmediate(resolve))
    assert.deepEqual(uncaught, [])
  })

  test('a client that leaves while a guard decides is settled once, when the guard has decided', async t => {
    const deciding = deferred()
    const decide = deferred()
    const settled: number[] = []
    const backend = await startBackend(t, (_request, response) => response.end())
    const engine = new Engine({
      guards: [
        {
          name: 'slow',
          failure: 'closed',
          decide: async () => {
            deciding.resolve()
            await decide.promise
            return { effect: 'allow' }
          },
          settle: (_exchange, outcome) => settled.push(outcome.status),
        },
      ],
    })
    const { port, gateway, event } = await start(t, backend.url, { engine })
    const client = new RawClient(port)
    client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
    await deciding.promise
    client.close()
    while (gateway.connections > 0) await new Promise(resolve => setImmediate(resolve))
    assert.equal(gateway.inFlight, 1)
    decide.resolve()
    await event(({ type }) => type === 'http')
    assert.deepEqual(settled, [0])
    assert.equal(backend.seen.length, 0)
    assert.equal(gateway.inFlight, 0)
  })
})

describe('what must not take the gateway down with it', { timeout: 30_000 }, () => {
  test('a guard whose answer header cannot be sent costs that exchange alone', async t => {
    const engine = new Engine({
      guards: [
        {
          name: 'careless',
          failure: 'closed',
          decide: exchange => {
            if (exchange.path.raw === '/fine') return { effect: 'allow' }
            exchange.reply('X-Name', 'a\r\nSet-Cookie: injected=1')
            return exchange.path.raw === '/allow'
              ? { effect: 'allow' }
              : {
                  effect: 'deny',
                  guard: 'careless',
                  status: 403,
                  reasons: [{ rule: 'careless/no', message: 'No.' }],
                }
          },
        },
      ],
    })
    const backend = await startBackend(t, (_request, response) => response.end('fine'))
    const { port, gateway } = await start(t, backend.url, { engine })
    for (const path of ['/allow', '/deny']) {
      const client = new RawClient(port)
      client.write(`GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`)
      assert.doesNotMatch(await client.untilClosed(), /injected/)
    }
    assert.equal(await (await fetch(`${gateway.url}/fine`)).text(), 'fine')
    assert.equal(gateway.inFlight, 0)
  })

  test('a client that leaves while its request waits for a connection to the backend frees its place', async t => {
    const first = deferred<() => void>()
    const backend = await startBackend(t, (request, response) =>
      request.url === '/first' ? first.resolve(() => response.end('first')) : response.end('other'),
    )
    const { port, gateway, event } = await start(t, backend.url, { limits: { upstreamConnections: 1 } })
    const holder = new RawClient(port)
    holder.write('GET /first HTTP/1.1\r\nHost: a\r\n\r\n')
    const answer = await first.promise
    const waiting = new RawClient(port)
    waiting.write('POST /left HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nab')
    await until(() => gateway.inFlight >= 2)
    waiting.close()
    await event(({ request }) => request?.path === '/left')
    answer()
    await holder.until('first')
    assert.equal(await (await fetch(`${gateway.url}/other`)).text(), 'other')
    assert.deepEqual(
      backend.seen.map(request => request.url),
      ['/first', '/other'],
    )
    holder.close()
  })
})

describe('back-pressure', { timeout: 60_000 }, () => {
  test('a client that does not read stops the backend from sending, and memory stays bounded', async t => {
    const total = 200 * 1_048_576
    const block = Buffer.alloc(65_536, 1)
    let sent = 0
    const stopped = deferred()
    const backend = await startBackend(t, (_request, response) => {
      response.writeHead(200, { 'Content-Length': total })
      const push = (): void => {
        while (sent < total) {
          sent += block.length
          if (!response.write(block)) {
            // Nothing drains for a while: the pressure has come through.
            const quiet = setTimeout(() => stopped.resolve(), 400)
            response.once('drain', () => {
              clearTimeout(quiet)
              push()
            })
            return
          }
        }
        response.end()
      }
      push()
    })
    const { port } = await start(t, backend.url)
    const socket = connect(port, '127.0.0.1')
    socket.pause()
    socket.write('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')
    await stopped.promise
    assert.ok(sent < 32 * 1_048_576, `${sent} bytes were taken from the backend while nobody read`)
    let received = 0
    socket.on('data', chunk => {
      received += chunk.length
    })
    socket.resume()
    await once(socket, 'close')
    assert.ok(received > total)
  })

  test('a backend that does not read stops the client from sending', async t => {
    const ready = deferred<() => void>()
    const backend = await startBackend(t, (request, response) => {
      ready.resolve(() => request.resume().on('end', () => response.end('all of it')))
    })
    const { port } = await start(t, backend.url)
    const client = new RawClient(port)
    const total = 100 * 1_048_576
    const block = Buffer.alloc(65_536, 1)
    client.write(`POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: ${total}\r\n\r\n`)
    let sent = 0
    const stopped = deferred()
    const push = (): void => {
      while (sent < total) {
        sent += block.length
        if (!client.socket.write(block)) {
          const quiet = setTimeout(() => stopped.resolve(), 400)
          client.socket.once('drain', () => {
            clearTimeout(quiet)
            push()
          })
          return
        }
      }
    }
    push()
    const read = await ready.promise
    await stopped.promise
    assert.ok(sent < 32 * 1_048_576, `${sent} bytes were taken from the client while nobody read`)
    read()
    assert.match(await client.untilClosed(), /all of it$/)
  })

  test('a client that stops reading for good is cut off', async t => {
    let isCutOff = false
    const backend = await startBackend(t, (_request, response) => {
      response.on('close', () => {
        isCutOff = true
      })
      const push = (): void => {
        while (response.write(Buffer.alloc(65_536)));
        response.once('drain', push)
      }
      push()
    })
    const { port } = await start(t, backend.url, { timeouts: { clientStall: '200ms' } })
    const socket = connect(port, '127.0.0.1')
    socket.on('error', () => undefined)
    socket.pause()
    socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
    await until(() => isCutOff)
    socket.destroy()
  })

  test('a client that sends its body a byte at a time is cut off, whatever guards wait for it', async t => {
    const backend = await startBackend(t, (request, response) => {
      request.on('error', () => undefined)
      request.resume().on('end', () => response.end())
    })
    const reading = new Engine({
      guards: [
        {
          name: 'reader',
          failure: 'closed',
          decide: async exchange => {
            await exchange.readBody()
            return { effect: 'allow' }
          },
        },
      ],
    })
    for (const engine of [new Engine(), reading]) {
      const { port } = await start(t, backend.url, { engine, timeouts: { bodyProgress: '150ms' } })
      const client = new RawClient(port)
      client.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n')
      const drip = setInterval(() => client.write('x'), 20)
      t.after(() => clearInterval(drip))
      assert.match(await client.untilClosed(), /^HTTP\/1\.1 408 /)
      clearInterval(drip)
    }
  })

  test('a client that sends its head a byte at a time is answered 408', async t => {
    const backend = await startBackend(t, (_request, response) => response.end())
    const { port } = await start(t, backend.url, { timeouts: { head: '300ms' } })
    const client = new RawClient(port)
    client.write('GET / HTTP/1.1\r\nHost: a\r\nX: ')
    const drip = setInterval(() => client.write('x'), 20)
    t.after(() => clearInterval(drip))
    assert.match(await client.untilClosed(), /^HTTP\/1\.1 408 /)
    clearInterval(drip)
    assert.equal(backend.seen.length, 0)
  })
})
