import assert from 'node:assert/strict'
import { once } from 'node:events'
import { describe, test } from 'node:test'
import { connect as connectTls } from 'node:tls'
import { Engine } from '@postern/core'
import { holdPort, startGateway } from '../../src/index.ts'
import { exchangeBytes, RawClient, startBackend } from '../harness.ts'
import { certificate } from '../tls.ts'

const GET = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'

describe('a port that is held while everything else starts', { timeout: 60_000 }, () => {
  test('refuses nobody: who connected before is answered first, who comes later as ever', async t => {
    const held = await holdPort({ port: 0 })
    const early = Array.from({ length: 20 }, () => exchangeBytes(held.port, GET))
    const silent = new RawClient(held.port)
    await once(silent.socket, 'connect')
    const backend = await startBackend(t, (_request, response) => response.end('fine'))
    assert.deepEqual(backend.seen, [])
    const gateway = await startGateway({
      engine: new Engine(),
      upstream: backend.url,
      listen: { port: 0, held },
    })
    t.after(() => gateway.close({ grace: 0 }))
    assert.equal(gateway.url, `http://127.0.0.1:${held.port}`)
    for (const answer of await Promise.all(early)) assert.match(answer, /^HTTP\/1\.1 200 [\s\S]*fine$/)
    silent.write(GET)
    assert.match(await silent.untilClosed(), /fine$/)
    assert.match(await exchangeBytes(held.port, GET), /fine$/)
  })

  test('keeps clients of TLS waiting, too', async t => {
    const held = await holdPort({ port: 0 })
    const early = connectTls({ port: held.port, host: '127.0.0.1', rejectUnauthorized: false })
    early.on('secureConnect', () => early.write(GET))
    const backend = await startBackend(t, (_request, response) => response.end('fine'))
    const gateway = await startGateway({
      engine: new Engine(),
      upstream: backend.url,
      listen: { port: 0, held, tls: certificate() },
    })
    t.after(() => gateway.close({ grace: 0 }))
    let received = ''
    for await (const chunk of early.setEncoding('latin1')) received += chunk
    assert.match(received, /fine$/)
  })

  test('holds a bounded number of clients, and lets go of all when the start fails', async () => {
    const held = await holdPort({ port: 0 })
    const clients = Array.from({ length: 1_030 }, () => new RawClient(held.port))
    await Promise.race(clients.map(client => client.untilClosed()))
    while (clients.filter(client => client.closed).length < 6)
      await new Promise(resolve => setImmediate(resolve))
    assert.equal(clients.filter(client => client.closed).length, 6)
    await held.close()
    await Promise.all(clients.map(client => client.untilClosed()))
    assert.equal(await exchangeBytes(held.port, GET), '')
  })
})
