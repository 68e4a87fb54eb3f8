import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import { exchangeBytes, start } from '../harness.ts'
import { certificate } from '../tls.ts'

interface SecureBackend {
  readonly port: number
  /** Names that connections were made for, one each. */
  readonly names: readonly unknown[]
}

/** A backend whose certificate is for `localhost`. */
async function secureBackend(t: TestContext): Promise<SecureBackend> {
  const names: unknown[] = []
  const server = createServer({ ...certificate() }, (request, response) => response.end(request.headers.host))
  server.on('secureConnection', socket => names.push(socket.servername))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.close()
    server.closeAllConnections()
  })
  return { port: (server.address() as AddressInfo).port, names }
}

const get = (host: string): string => `GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`

test('the backend proves that it is the host of `upstream`, whatever hosts clients name, on one connection', async t => {
  const { port, names } = await secureBackend(t)
  const gateway = await start(t, `https://localhost:${port}`, { upstreamCa: certificate().cert })
  for (const host of ['shop.example', 'other.example', '192.0.2.1', 'localhost', 'shop.example'])
    assert.match(await exchangeBytes(gateway.port, get(host)), new RegExp(`^HTTP/1\\.1 200 [^]*${host}$`))
  assert.deepEqual(names, ['localhost'])
})

test('a name that a client sends does not make a wrong certificate right', async t => {
  const { port } = await secureBackend(t)
  const gateway = await start(t, `https://127.0.0.1:${port}`, { upstreamCa: certificate().cert })
  assert.match(await exchangeBytes(gateway.port, get('localhost')), /^HTTP\/1\.1 502 /)
})

test('where the operator names the host for the backend, the certificate is for that one', async t => {
  const { port, names } = await secureBackend(t)
  const gateway = await start(t, `https://127.0.0.1:${port}`, {
    upstreamCa: certificate().cert,
    rewriteHost: `localhost:${port}`,
  })
  assert.match(await exchangeBytes(gateway.port, get('shop.example')), /^HTTP\/1\.1 200 /)
  assert.deepEqual(names, ['localhost'])
})
