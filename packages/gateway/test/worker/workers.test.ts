import assert from 'node:assert/strict'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { Agent, request as httpRequest, type IncomingMessage } from 'node:http'
import { createServer } from 'node:net'
import { describe, type TestContext, test } from 'node:test'
import { until } from '../../../../test/until.ts'
import { startWorkers, type Workers, type WorkersOptions } from '../../src/index.ts'
import { type Backend, deferred, exchangeBytes, startBackend } from '../harness.ts'

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  await once(server, 'close')
  return port
}

interface Started {
  readonly backend: Backend
  readonly workers: Workers
  readonly port: number
  readonly counter: Int32Array
  /** @param agent keeps connections; one connection for each request unless given */
  ask(agent?: Agent): Promise<{ config: string; worker: string; status: number }>
}

/**
 * A connection that was kept, and had ended before the first byte of an answer came back. A server may close
 * a connection that waits in the instant in which a client uses it again (RFC 9112 section 9.3.1): clients
 * repeat such a request once if it is idempotent, as browsers, nginx and undici do. What tells it from a
 * request that was begun and cut off is `workers.cutOff`.
 */
class KeptConnectionEnded extends Error {}

async function askOnce(port: number, agent: Agent | undefined): Promise<IncomingMessage> {
  const request = httpRequest({ port, host: '127.0.0.1', agent: agent ?? false }).end()
  try {
    const [response] = (await once(request, 'response')) as [IncomingMessage]
    return response
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (request.reusedSocket && (code === 'ECONNRESET' || code === 'EPIPE'))
      throw new KeptConnectionEnded('a kept connection had ended', { cause: error })
    throw error
  }
}

const REQUESTS = process.env['POSTERN_TEST_LONG'] === '1' ? 2_000 : 600

/** Whether the kernel hands connections that wait at a closing socket to another on the same port. */
function movesConnections(): boolean {
  const setting = '/proc/sys/net/ipv4/tcp_migrate_req'
  return existsSync(setting) && readFileSync(setting, 'utf8').trim() === '1'
}

async function startTwo(
  t: TestContext,
  { port: wanted, ...options }: Partial<WorkersOptions> & { readonly port?: number } = {},
): Promise<Started> {
  const backend = await startBackend(t, (_request, response) => setImmediate(() => response.end('fine')))
  const port = wanted ?? (await freePort())
  const counter = new SharedArrayBuffer(4)
  const workers = await startWorkers({
    count: 2,
    entry: new URL('./worker-entry.ts', import.meta.url),
    workerData: { upstream: backend.url, port, counter },
    onNotice: () => undefined,
    ...options,
  })
  t.after(() => workers.close({ grace: 0 }))
  return {
    backend,
    workers,
    port,
    counter: new Int32Array(counter),
    ask: async agent => {
      const response = await askOnce(port, agent).catch((error: unknown) => {
        if (error instanceof KeptConnectionEnded) return askOnce(port, agent)
        throw error
      })
      response.resume()
      await once(response, 'close')
      const { headers, statusCode = 0 } = response
      return { config: String(headers['x-config']), worker: String(headers['x-worker']), status: statusCode }
    },
  }
}

describe('workers', { timeout: 240_000 }, () => {
  test('listen on one port, share connections and count in shared memory', async t => {
    const { ask, counter, workers } = await startTwo(t)
    assert.equal(workers.live, 2)
    const answered = new Set<string>()
    let asked = 0
    while (answered.size < 2 && asked < 500) {
      answered.add((await ask()).worker)
      asked++
    }
    assert.deepEqual([...answered].sort(), ['0', '1'])
    assert.equal(counter[0], asked)
  })

  test('take a new configuration without losing a request, and keep the old one when it is broken', async t => {
    const { ask, workers } = await startTwo(t)
    let running = true
    t.after(() => {
      running = false
    })
    const seen = new Set<string>()
    const load = Array.from({ length: 8 }, async () => {
      while (running) {
        const { status, config } = await ask()
        assert.equal(status, 200)
        seen.add(config)
      }
    })
    for (const name of ['second', 'third', 'fourth'])
      assert.deepEqual(await workers.reload(name), { problems: [] })
    const broken = await workers.reload('broken')
    assert.deepEqual(broken.problems, [
      { index: 0, problem: 'the configuration is broken' },
      { index: 1, problem: 'the configuration is broken' },
    ])
    assert.equal((await ask()).config, 'fourth')
    running = false
    await Promise.all(load)
    assert.ok(seen.has('fourth') && !seen.has('broken'))
  })

  test('that end are started again, with the configuration they had', async t => {
    const notices: string[] = []
    const { ask, workers } = await startTwo(t, { onNotice: line => notices.push(line) })
    await workers.reload('second')
    workers.broadcast('vanish')
    await until(() => notices.length === 2)
    assert.match(notices[0] ?? '', /worker \d ended; starting it again in 100 ms/)
    await until(() => workers.live === 2)
    for (let i = 0; i < 10; i++) assert.equal((await ask()).config, 'second')
  })

  for (const [how, agent] of [
    ['on connections of their own', undefined],
    ['on kept connections', new Agent({ keepAlive: true, maxSockets: 8 })],
  ] as const)
    test(`that fail lose no request ${how}: they answer until others listen, and finish what they have`, async t => {
      const notices: string[] = []
      const { ask, workers } = await startTwo(t, { onNotice: line => notices.push(line) })
      t.after(() => agent?.destroy())
      const failures: unknown[] = []
      let asked = 0
      const crashAt = new Set([100, 400])
      const clients = Array.from({ length: 8 }, async () => {
        // Until all are asked, and both workers have been replaced once at least.
        while (asked < REQUESTS || notices.length < 2) {
          if (crashAt.delete(asked++)) workers.broadcast('crash')
          await ask(agent).catch((error: unknown) => failures.push(error))
        }
      })
      await Promise.all(clients)
      // The kernel resets what it accepted in the instant in which a socket is closed, unless it may move it
      // to another worker's. Clients that keep theirs open connect again, too, when a worker ends.
      const allowed = movesConnections() ? 0 : Math.ceil(asked / 250)
      assert.ok(failures.length <= allowed, `${failures.length} of ${asked}: ${String(failures[0])}`)
      assert.equal(workers.cutOff, 0, 'no request that a worker had begun was cut off')
      assert.match(
        notices[0] ?? '',
        /worker \d failed: crashed on purpose; another takes its place in 100 ms, and it finishes what it has/,
      )
      await until(() => workers.live === 2)
    })

  for (const [how, message, why] of [
    ['end', 'vanish', ''],
    [
      'run out of memory',
      'exhaust',
      ': Worker terminated due to reaching memory limit: JS heap out of memory',
    ],
  ] as const)
    test(`that ${how} listen again, and the requests that they cut off are counted`, async t => {
      const notices: string[] = []
      const reached = deferred()
      const backend = await startBackend(t, (request, response) => {
        if (request.url === '/slow') reached.resolve()
        else response.end('fine')
      })
      const port = await freePort()
      const { ask, workers } = await startTwo(t, {
        count: 1,
        workerData: { upstream: backend.url, port, counter: new SharedArrayBuffer(4) },
        resourceLimits: { maxOldGenerationSizeMb: 64 },
        onNotice: line => notices.push(line),
        port,
      })
      const slow = exchangeBytes(port, 'GET /slow HTTP/1.1\r\nHost: a\r\n\r\n').catch(() => '')
      await reached.promise
      workers.broadcast(message)
      assert.equal(await slow, '', 'no answer, and nothing that looks like one')
      await until(() => notices.length === 1)
      assert.equal(notices[0], `worker 0 ended${why}; 1 request was cut off; starting it again in 100 ms`)
      assert.equal(workers.cutOff, 1)
      await until(() => workers.live === 1)
      assert.equal((await ask()).status, 200)
    })

  test('that are stuck in a computation are ended and replaced, and hold up no reload', async t => {
    const notices: string[] = []
    const { ask, workers } = await startTwo(t, { stuckAfter: '2s', onNotice: line => notices.push(line) })
    workers.broadcast('stick')
    const reloaded = workers.reload('second')
    await until(() => notices.length === 2)
    assert.match(notices[0] ?? '', /^worker \d ended: it was stuck for 2000 ms; starting it again in 100 ms$/)
    assert.deepEqual(
      (await reloaded).problems.map(({ problem }) => problem),
      ['the worker ended', 'the worker ended'],
    )
    await until(() => workers.live === 2)
    assert.equal((await ask()).status, 200)
  })

  test('that end say what they made and what of it arrived', async t => {
    const ended: string[] = []
    const arrived = new Map<unknown, number>()
    const { workers } = await startTwo(t, {
      onMessage: (data, _index, reply) => {
        if (typeof data === 'object' && data !== null && 'arrived' in data)
          arrived.set(reply, Number(data.arrived))
      },
      onEnd: (index, made, reply) => ended.push(`${index}: ${made} made, ${arrived.get(reply)} arrived`),
    })
    workers.broadcast('make')
    await until(() => ended.length === 2)
    assert.deepEqual(ended.sort(), ['0: 7 made, 5 arrived', '1: 7 made, 5 arrived'])
  })

  test('that go on failing end at once', async t => {
    const { workers } = await startTwo(t, { count: 1 })
    for (let i = 0; i < 16; i++) workers.broadcast('crash')
    await until(() => workers.live === 0)
    await until(() => workers.live === 1)
  })

  test('hold their port while the main thread prepares, and answer who waited', async t => {
    const prepared = Promise.withResolvers<void>()
    const holding = Promise.withResolvers<number>()
    const backend = await startBackend(t, (_request, response) => response.end('fine'))
    const port = await freePort()
    const starting = startWorkers({
      count: 2,
      entry: new URL('./worker-entry.ts', import.meta.url),
      workerData: { upstream: backend.url, port, counter: new SharedArrayBuffer(4) },
      begin: prepared.promise,
      onMessage: data => holding.resolve((data as { holds: number }).holds),
    })
    assert.equal(await holding.promise, port)
    const early = exchangeBytes(port, 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')
    prepared.resolve()
    const workers = await starting
    t.after(() => workers.close({ grace: 0 }))
    assert.match(await early, /fine$/)
  })

  test('end with the reason of a main thread that could not prepare', async t => {
    await assert.rejects(
      startTwo(t, { begin: Promise.reject(new Error('the store is away')) }),
      /the store is away/,
    )
  })

  test('send messages to the main thread and get its broadcasts', async t => {
    const got: unknown[] = []
    const both = deferred()
    const { workers } = await startTwo(t, {
      onMessage: (data, index) => {
        if (typeof data === 'object' && data !== null && 'holds' in data) return
        got.push([index, data])
        if (got.length === 2) both.resolve()
      },
    })
    workers.broadcast({ ban: '192.0.2.1' })
    await both.promise
    assert.deepEqual(got.sort(), [
      [0, { echo: { ban: '192.0.2.1' } }],
      [1, { echo: { ban: '192.0.2.1' } }],
    ])
  })

  test('stop when asked, and the port is free again', async t => {
    const { workers, port, ask } = await startTwo(t)
    assert.equal((await ask()).status, 200)
    await workers.close({ grace: '10s' })
    assert.equal(workers.live, 0)
    const server = createServer().listen(port, '127.0.0.1')
    await once(server, 'listening')
    server.close()
  })

  test('that cannot listen end the start with their reason', async t => {
    const taken = createServer().listen(0, '127.0.0.1')
    await once(taken, 'listening')
    t.after(() => taken.close())
    const { port } = taken.address() as { port: number }
    await assert.rejects(
      startTwo(t, {
        workerData: { upstream: 'http://127.0.0.1:1', port, counter: new SharedArrayBuffer(4) },
      }),
      /EADDRINUSE/,
    )
  })

  test('are one, and a line says so, where a port cannot be shared', async t => {
    const notices: string[] = []
    const { workers } = await startTwo(t, {
      platform: 'darwin',
      count: 4,
      onNotice: line => notices.push(line),
    })
    assert.equal(workers.count, 1)
    assert.deepEqual(notices, [
      'one worker instead of 4: darwin cannot spread connections over several threads',
    ])
  })
})
