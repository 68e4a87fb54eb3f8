import assert from 'node:assert/strict'
import { once } from 'node:events'
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { createServer } from 'node:net'
import { describe, type TestContext, test } from 'node:test'
import { startWorkers, type Workers, type WorkersOptions } from '../src/index.ts'
import { type Backend, deferred, startBackend } from './harness.ts'

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
  ask(): Promise<{ config: string; worker: string; status: number }>
}

async function startTwo(t: TestContext, options: Partial<WorkersOptions> = {}): Promise<Started> {
  const backend = await startBackend(t, (_request, response) => setImmediate(() => response.end('fine')))
  const port = await freePort()
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
    ask: async () => {
      const request = httpRequest({ port, host: '127.0.0.1', agent: false }).end()
      const [response] = (await once(request, 'response')) as [IncomingMessage]
      response.resume()
      await once(response, 'close')
      const { headers, statusCode = 0 } = response
      return { config: String(headers['x-config']), worker: String(headers['x-worker']), status: statusCode }
    },
  }
}

describe('workers', { timeout: 60_000 }, () => {
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

  test('that crash are started again, with the configuration they had', async t => {
    const notices: string[] = []
    const crashed = deferred()
    const { ask, workers } = await startTwo(t, {
      onNotice: line => {
        notices.push(line)
        if (notices.length === 2) crashed.resolve()
      },
    })
    await workers.reload('second')
    workers.broadcast('crash')
    await crashed.promise
    assert.match(notices[0] ?? '', /worker \d ended: crashed on purpose; starting it again in 100 ms/)
    while (workers.live < 2) await new Promise(resolve => setImmediate(resolve))
    for (let i = 0; i < 10; i++) assert.equal((await ask()).config, 'second')
  })

  test('send messages to the main thread and get its broadcasts', async t => {
    const got: unknown[] = []
    const both = deferred()
    const { workers } = await startTwo(t, {
      onMessage: (data, index) => {
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
