import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { describe, test } from 'node:test'
import { ConfigError, Engine, type Guard, type HealthProbe } from '@postern/core'
import { until } from '../../../test/until.ts'
import { startGateway } from '../src/index.ts'
import { deferred, exchangeBytes, RawClient, start, startBackend } from './harness.ts'

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'

function named(name: string, settled: string[] = []): Engine {
  const guard: Guard = {
    name,
    failure: 'closed',
    decide: exchange => {
      exchange.reply('X-Config', name)
      return { effect: 'allow' }
    },
    settle: () => settled.push(name),
  }
  return new Engine({ guards: [guard] })
}

describe('a new configuration', { timeout: 30_000 }, () => {
  test('decides new requests, while those under way finish and settle on the old one', async t => {
    const settled: string[] = []
    const answers: (() => void)[] = []
    const both = deferred()
    const backend = await startBackend(t, (_request, response) => {
      answers.push(() => response.end())
      if (answers.length === 2) both.resolve()
    })
    const { port, gateway } = await start(t, backend.url, { engine: named('old', settled) })
    const first = new RawClient(port)
    first.write(GET)
    await once(backend.server, 'request')
    gateway.swap(named('new', settled))
    const second = new RawClient(port)
    second.write(GET)
    await both.promise
    for (const answer of answers) answer()
    assert.match(await first.until('\r\n\r\n'), /X-Config: old/)
    assert.match(await second.until('\r\n\r\n'), /X-Config: new/)
    first.close()
    second.close()
    assert.deepEqual(settled.sort(), ['new', 'old'])
  })

  test('comes into force under load without a lost request', async t => {
    const backend = await startBackend(t, (_request, response) => setImmediate(() => response.end('x')))
    const { gateway } = await start(t, backend.url, { engine: named('0') })
    let swaps = 0
    let answered = 0
    const clients = Array.from({ length: 16 }, async () => {
      while (swaps < 50) {
        const answer = await fetch(gateway.url)
        assert.equal(answer.status, 200)
        assert.equal(await answer.text(), 'x')
        answered++
      }
    })
    while (swaps < 50) {
      gateway.swap(named(String(++swaps)))
      await fetch(gateway.url)
    }
    await Promise.all(clients)
    assert.ok(answered > 0)
  })

  test('may be a function that is asked for every request', async t => {
    const backend = await startBackend(t, (_request, response) => response.end())
    let engine = named('one')
    const gateway = await startGateway({ engine: () => engine, upstream: backend.url, listen: { port: 0 } })
    t.after(() => gateway.close({ grace: 0 }))
    assert.equal((await fetch(gateway.url)).headers.get('x-config'), 'one')
    engine = named('two')
    assert.equal((await fetch(gateway.url)).headers.get('x-config'), 'two')
  })
})

describe('options that cannot be used', () => {
  test('are all named at once', async () => {
    await assert.rejects(
      startGateway({
        engine: new Engine(),
        upstream: 'http://user:secret@127.0.0.1/path',
        listen: { port: 0, proxyProtocolFrom: ['nowhere'] },
        limits: { requests: 0 },
        timeouts: { head: 'soon' },
        signingKey: 'short',
      }),
      (error: unknown) => {
        assert.ok(error instanceof ConfigError)
        assert.deepEqual(error.issues.map(issue => issue.place).sort(), [
          'limits.requests',
          'listen.proxyProtocolFrom',
          'signingKey',
          'timeouts.head',
          'upstream',
        ])
        assert.ok(!error.message.includes('secret') && !error.message.includes('short'))
        return true
      },
    )
  })

  test('a port in use gives the error of the operating system', async t => {
    const taken = createServer().listen(0, '127.0.0.1')
    await once(taken, 'listening')
    t.after(() => taken.close())
    const { port } = taken.address() as { port: number }
    await assert.rejects(
      startGateway({ engine: new Engine(), upstream: 'http://127.0.0.1:1', listen: { port } }),
      /EADDRINUSE/,
    )
  })
})

describe('a graceful stop', { timeout: 30_000 }, () => {
  test('answers what is under way, closes idle connections and takes no new ones', async t => {
    const answer = deferred<() => void>()
    const backend = await startBackend(t, (request, response) =>
      request.url === '/slow' ? answer.resolve(() => response.end('finished')) : response.end(),
    )
    const { port, gateway } = await start(t, backend.url)
    const idle = new RawClient(port)
    idle.write(GET)
    await idle.until('\r\n\r\n')
    const silent = new RawClient(port)
    await once(silent.socket, 'connect')
    const busy = new RawClient(port)
    busy.write('GET /slow HTTP/1.1\r\nHost: a\r\n\r\n')
    const finish = await answer.promise
    const closed = gateway.close({ grace: '20s' })
    await idle.untilClosed()
    assert.equal(await exchangeBytes(port, GET), '')
    assert.equal(gateway.health()[0]?.ok, false)
    finish()
    const received = await busy.untilClosed()
    assert.match(received, /Connection: close[\s\S]*finished$/)
    await closed
    await silent.untilClosed()
    assert.equal(gateway.connections, 0)
  })

  test('cuts off what is not done by the end of the grace', async t => {
    const arrived = deferred()
    const backend = await startBackend(t, () => arrived.resolve())
    const { port, gateway, events } = await start(t, backend.url)
    const client = new RawClient(port)
    client.write(GET)
    await arrived.promise
    await gateway.close({ grace: '50ms' })
    await client.untilClosed()
    assert.equal(gateway.inFlight, 0)
    assert.equal(events.at(-1)?.outcome?.aborted, true)
  })
})

describe('the management address', { timeout: 30_000 }, () => {
  test('reports whether the process is alive and ready, and the public port reports nothing', async t => {
    const store = { ok: true }
    const probe: HealthProbe = { health: () => ({ name: 'store', required: true, ok: store.ok }) }
    const backend = await startBackend(t, (_request, response) => response.end('backend'))
    const engine = new Engine({ probes: [probe] })
    const { gateway } = await start(t, backend.url, { engine, management: { port: 0 } })
    const ask = async (path: string): Promise<[number, string]> => {
      const answer = await fetch(`${gateway.managementUrl}${path}`)
      return [answer.status, await answer.text()]
    }
    assert.deepEqual(await ask('/healthz'), [200, '{"status":"alive"}'])
    assert.equal((await ask('/readyz'))[0], 200)
    store.ok = false
    const [status, body] = await ask('/readyz')
    assert.equal(status, 503)
    assert.match(body, /"name":"store","required":true,"ok":false/)
    assert.equal((await ask('/healthz'))[0], 200)
    assert.equal((await ask('/metrics'))[0], 404)
    assert.equal(await (await fetch(`${gateway.url}/readyz`)).text(), 'backend')
  })
})

describe('limits', { timeout: 30_000 }, () => {
  test('on connections from one address refuse the next one, and free the place of one that closed', async t => {
    const backend = await startBackend(t, (_request, response) => response.end('x'))
    const { port } = await start(t, backend.url, { limits: { connectionsPerAddress: 2 } })
    const first = new RawClient(port)
    const second = new RawClient(port)
    for (const client of [first, second]) {
      client.write(GET)
      await client.until('\r\n\r\n')
    }
    assert.equal(await exchangeBytes(port, GET), '')
    first.close()
    let answered = ''
    await until(async () => {
      answered = await exchangeBytes(port, GET.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n'))
      return answered !== ''
    })
    assert.match(answered, /200 OK/)
    second.close()
  })

  test('on connections in all refuse the next one', async t => {
    const backend = await startBackend(t, (_request, response) => response.end('x'))
    const { port } = await start(t, backend.url, { limits: { connections: 1 } })
    const first = new RawClient(port)
    first.write(GET)
    await first.until('\r\n\r\n')
    assert.equal(await exchangeBytes(port, GET), '')
    first.close()
  })

  test('on requests at once answer 503 with a time to come back', async t => {
    const arrived = deferred()
    const backend = await startBackend(t, () => arrived.resolve())
    const { port } = await start(t, backend.url, { limits: { requests: 1 } })
    const first = new RawClient(port)
    first.write(GET)
    await arrived.promise
    const second = new RawClient(port)
    second.write(GET)
    assert.match(await second.until('\r\n\r\n'), /^HTTP\/1\.1 503 [\s\S]*Retry-After: 1/)
    first.close()
    second.close()
    assert.equal(backend.seen.length, 1)
  })

  test('on requests of one connection close it after the last', async t => {
    const backend = await startBackend(t, (_request, response) => response.end('x'))
    const { port } = await start(t, backend.url, { limits: { requestsPerConnection: 2 } })
    const client = new RawClient(port)
    client.write(GET)
    await client.until('\r\n\r\n')
    client.write(GET)
    assert.match(await client.untilClosed(), /Connection: close/)
  })

  test('on requests sent ahead of their answers cost the client its connection', async t => {
    const backend = await startBackend(t, () => undefined)
    const { port } = await start(t, backend.url)
    const client = new RawClient(port)
    client.write(GET.repeat(100))
    await client.untilClosed()
    assert.ok(backend.seen.length <= 1)
  })

  test('a connection without a request is closed when it has been idle', async t => {
    const backend = await startBackend(t, (_request, response) => response.end('x'))
    const { port } = await start(t, backend.url, { timeouts: { idle: '100ms' } })
    const client = new RawClient(port)
    client.write(GET)
    await client.until('\r\n\r\n')
    assert.match(await client.untilClosed(), /^HTTP\/1\.1 200 /)
  })
})
