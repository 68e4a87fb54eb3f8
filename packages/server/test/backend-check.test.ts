import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { loadConfig } from '@postern/config'
import { type Event, VirtualClock } from '@postern/core'
import { certificate } from '../../gateway/test/tls.ts'
import { BackendCheck, BackendStanding } from '../src/backend/backend-check.ts'
import { askBackend, dial } from '../src/backend/dial.ts'
import { overridden } from '../src/plan/overridden.ts'
import { serve } from '../src/serve.ts'

/** The states after each of a row of checks: `.` succeeds, `x` fails; `?`, `U`, `D`. */
function statesAfter(checks: string): string {
  const standing = new BackendStanding()
  return Array.from(checks, check => {
    standing.take(check === 'x' ? 'ECONNREFUSED' : undefined)
    return { unknown: '?', up: 'U', down: 'D' }[standing.state]
  }).join('')
}

describe('the check of the backend', () => {
  for (const [what, checks, states] of [
    ['is up with the first that succeeds', '.', 'U'],
    ['is down at the start after three that fail', 'xxx', '??D'],
    ['one or two that fail change nothing', '.x.xx.', 'UUUUUU'],
    ['three in a row make it down, and two in a row up', '.xxx.x..', 'UUUDDDDU'],
    ['one that comes and goes is neither each time', '.xxx.x.x.x.x', 'UUUDDDDDDDDD'],
    ['nor is one that mostly works', '.x.x.x.xx.xx', 'UUUUUUUUUUUU'],
  ] as const)
    test(what, () => assert.equal(statesAfter(checks), states))

  test('says once that it is down and once that it is back, and waits for a backend only where it is required', async t => {
    t.mock.timers.enable({ apis: ['setTimeout'] })
    const clock = new VirtualClock()
    const events: Event[] = []
    const every = 5_000
    const checked = (required: boolean, checks: string): { check: BackendCheck; left: () => number } => {
      const answers = Array.from(checks)
      const check = new BackendCheck({
        upstream: 'http://127.0.0.1:3000',
        settings: { required, every },
        clock,
        emit: event => events.push(event),
        ask: async () => (answers.shift() === 'x' ? 'ECONNREFUSED' : undefined),
      })
      t.after(() => check.close())
      return { check, left: () => answers.length }
    }
    assert.deepEqual(checked(true, '').check.health(), {
      ...{ name: 'backend', ok: false, required: true },
      detail: 'not checked yet',
    })
    assert.equal(checked(false, '').check.health().ok, true)
    const { check, left } = checked(true, '..xxxx...x...')
    while (left() > 0) {
      await new Promise(setImmediate)
      clock.advance(every)
      t.mock.timers.tick(every)
    }
    check.close()
    assert.deepEqual(
      events.map(({ type, data }) => [type, data]),
      [
        ['gateway.backend-down', { problem: 'ECONNREFUSED' }],
        ['gateway.backend-up', { seconds: 15 }],
      ],
    )
  })

  test('why a place takes no connection is said, of a socket file too', async () => {
    const closed = createServer().listen(0, '127.0.0.1')
    await once(closed, 'listening')
    const { port } = closed.address() as AddressInfo
    assert.equal(await dial(`http://127.0.0.1:${port}`), undefined)
    closed.close()
    await once(closed, 'close')
    assert.equal(await dial(`http://127.0.0.1:${port}`), 'ECONNREFUSED')
    assert.equal(await dial('unix:/nowhere/at/all.sock'), 'ENOENT')
  })

  test('a backend that shows a certificate that no request would accept is not there', async t => {
    const secure = createSecureServer({ ...certificate() }, (_request, response) => response.end('ok'))
    secure.listen(0, '127.0.0.1')
    await once(secure, 'listening')
    t.after(() => secure.close())
    const { port } = secure.address() as AddressInfo
    for (const host of ['localhost', '127.0.0.1'])
      assert.equal(await dial(`https://${host}:${port}`), 'DEPTH_ZERO_SELF_SIGNED_CERT')
    assert.equal(await dial(`http://localhost:${port}`), undefined)
  })

  test('attack: a backend that accepts connections and hangs is found where a path is asked for', async t => {
    const answers: Readonly<Record<string, number>> = { '/fine': 200, '/closed': 401, '/broken': 503 }
    const server = createServer(({ url = '' }, response) => {
      const status = answers[url]
      if (status !== undefined) response.writeHead(status).end('x')
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    t.after(() => server.close())
    t.after(() => server.closeAllConnections())
    const upstream = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    assert.equal(await dial(upstream), undefined, 'a connection says nothing')
    assert.deepEqual(
      await Promise.all(['/hangs', '/fine', '/closed', '/broken'].map(path => askBackend(upstream, path))),
      ['no answer within 2 s', undefined, undefined, 'answered 503'],
    )
    assert.equal(await askBackend('http://127.0.0.1:1', '/'), 'ECONNREFUSED')
    assert.equal(await askBackend('unix:/nowhere/at/all.sock', '/'), 'ENOENT')
  })

  for (const required of [false, true])
    test(`a running gateway whose backend goes and comes back ${required ? 'is' : 'is not'} taken out of rotation`, async t => {
      const folder = mkdtempSync(join(tmpdir(), 'postern-backend-'))
      t.after(() => rmSync(folder, { recursive: true, force: true }))
      const start = async (port: number): Promise<Server> => {
        const server = createServer((_request, response) => response.end('ok')).listen(port, '127.0.0.1')
        await once(server, 'listening')
        return server
      }
      const stop = async (server: Server): Promise<void> => {
        server.close()
        server.closeAllConnections()
        await once(server, 'close')
      }
      const first = await start(0)
      const { port } = first.address() as AddressInfo
      const overrides = {
        upstream: `http://127.0.0.1:${port}`,
        listen: '127.0.0.1:0',
        admin: { listen: '127.0.0.1:0' },
        backendCheck: { required, every: '1s' },
      }
      const loaded = overridden(await loadConfig({ folder, environment: {} }), overrides, {})
      const served = await serve({ loaded, overrides, dataDirectory: join(folder, 'data') })
      t.after(() => served.close())
      const events: Event[] = []
      served.runtime.listen(event => events.push(event))
      const metric = async (): Promise<string | undefined> =>
        /postern_part_ok\{part="backend"\} (\d)/.exec(
          await (await fetch(`${served.admin}/metrics`)).text(),
        )?.[1]
      const until = async (value: string): Promise<number> => {
        while ((await metric()) !== value) await new Promise(setImmediate)
        return (await fetch(`${served.admin}/readyz`)).status
      }
      assert.equal(await until('1'), 200)
      await stop(first)
      assert.equal(await until('0'), required ? 503 : 200)
      assert.match(await (await fetch(`${served.admin}/readyz`)).text(), /"name":"backend","ok":false/)
      assert.equal((await fetch(`${served.admin}/healthz`)).status, 200, 'a restart would not help')
      // Monitors ask for the head alone.
      for (const path of ['/healthz', '/readyz', '/metrics', '/none']) {
        const [whole, head] = await Promise.all([
          fetch(`${served.admin}${path}`),
          fetch(`${served.admin}${path}`, { method: 'HEAD' }),
        ])
        assert.deepEqual([head.status, await head.text()], [whole.status, ''], path)
      }
      const second = await start(port)
      t.after(() => stop(second))
      assert.equal(await until('1'), 200)
      assert.deepEqual(
        events.flatMap(({ type }) => (type.startsWith('gateway.backend-') ? [type] : [])),
        ['gateway.backend-down', 'gateway.backend-up'],
      )
    })
})
