import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Engine, type Guard, mergedTarget, RouteTable } from '@postern/core'
import { exchangeBytes, start, startBackend } from '../harness.ts'
import { certificate, http2Request, http2Session } from '../tls.ts'

describe('several slashes at the start of a target', () => {
  test('become one, and others stay', () => {
    for (const [sent, merged] of [
      ['//favicon.ico', '/favicon.ico'],
      ['////a//b', '/a//b'],
      ['//', '/'],
      ['/', '/'],
      ['/a//b', '/a//b'],
      ['*', '*'],
      ['', ''],
      ['http://h//a', 'http://h//a'],
    ] as const)
      assert.equal(mergedTarget(sent), merged, sent)
    assert.equal(mergedTarget('/'.repeat(100_000)), '/')
  })

  test('are merged for the backend and for the rules alike, so that no route is walked round', async t => {
    const backend = await startBackend(t, (request, response) => response.end(request.url))
    const routes = new RouteTable({ '/admin/**': {} })
    const asked: (string | undefined)[] = []
    const guard: Guard = {
      name: 'looks',
      failure: 'closed',
      decide: exchange => {
        asked.push(`${exchange.path.canonical} ${exchange.route?.pattern ?? '-'}`)
        return { effect: 'allow' }
      },
    }
    const { port } = await start(t, backend.url, { engine: new Engine({ guards: [guard], routes }) })
    for (const target of ['//admin/users', '///admin/users', '//x/admin/users', '//favicon.ico?v=1'])
      await exchangeBytes(port, `GET ${target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`)
    assert.deepEqual(asked, [
      '/admin/users /admin/**',
      '/admin/users /admin/**',
      '/x/admin/users -',
      '/favicon.ico -',
    ])
    assert.deepEqual(
      backend.seen.map(({ url }) => url),
      ['/admin/users', '/admin/users', '/x/admin/users', '/favicon.ico?v=1'],
    )
  })

  test('are merged on HTTP/2 too', async t => {
    const backend = await startBackend(t, (request, response) => response.end(request.url))
    const { port } = await start(t, backend.url, { listen: { port: 0, tls: certificate() } })
    const session = http2Session(port)
    await http2Request(session, { ':path': '//favicon.ico' })
    session.close()
    assert.deepEqual(
      backend.seen.map(({ url }) => url),
      ['/favicon.ico'],
    )
  })
})
