import assert from 'node:assert/strict'
import { test } from 'node:test'
import { exchangeBytes, start, startBackend } from '../harness.ts'

const GET = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'

test('a connection to the backend that is always in use is closed in time, so that a change in DNS is followed', async t => {
  const sockets = new Set<object>()
  const backend = await startBackend(t, (request, response) => {
    sockets.add(request.socket)
    response.end('ok')
  })
  const { port, events } = await start(t, backend.url, { timeouts: { upstreamLifetime: '1ms' } })
  for (let i = 0; i < 200 && sockets.size < 3; i++)
    assert.match(await exchangeBytes(port, GET), /^HTTP\/1\.1 200 [\s\S]*ok$/)
  assert.equal(sockets.size, 3)
  assert.deepEqual(
    events.filter(({ type }) => type === 'gateway.backend-failed'),
    [],
  )
})

test('within its lifetime, a connection to the backend is kept', async t => {
  const sockets = new Set<object>()
  const backend = await startBackend(t, (request, response) => {
    sockets.add(request.socket)
    response.end('ok')
  })
  const { port } = await start(t, backend.url)
  for (let i = 0; i < 20; i++) assert.match(await exchangeBytes(port, GET), /^HTTP\/1\.1 200 /)
  assert.equal(sockets.size, 1)
})

test('requests at the same time lose nothing when their connections reach the end of their lifetime', async t => {
  const backend = await startBackend(t, (request, response) => {
    request.resume().on('end', () => response.end('ok'))
  })
  const { port, events } = await start(t, backend.url, { timeouts: { upstreamLifetime: '1ms' } })
  const post = 'POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 3\r\n\r\nabc'
  for (let round = 0; round < 10; round++) {
    const all = await Promise.all(
      Array.from({ length: 20 }, (_, i) => exchangeBytes(port, i % 2 ? GET : post)),
    )
    for (const received of all) assert.match(received, /^HTTP\/1\.1 200 [\s\S]*ok$/)
  }
  assert.deepEqual(
    events.filter(({ type }) => type === 'gateway.backend-failed'),
    [],
  )
})
