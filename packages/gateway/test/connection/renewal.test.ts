import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { describe, test } from 'node:test'
import { connect } from 'node:tls'
import { start, startBackend } from '../harness.ts'
import { certificate, http2Request, http2Session, newCertificate } from '../tls.ts'

async function shownAt(port: number): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1', servername: 'localhost', rejectUnauthorized: false })
  await once(socket, 'secureConnect')
  const { fingerprint256 } = socket.getPeerCertificate()
  socket.destroy()
  return fingerprint256
}

const fingerprint = (cert: Buffer): string => new X509Certificate(cert).fingerprint256

describe('a renewed certificate', () => {
  test('is shown to new connections, while those that are open go on', async t => {
    const backend = await startBackend(t, (_request, response) => response.end('hello'))
    const { gateway, port } = await start(t, backend.url, { listen: { port: 0, tls: certificate() } })
    assert.equal(await shownAt(port), fingerprint(certificate().cert))
    const session = http2Session(port)
    assert.equal((await http2Request(session, { ':path': '/' })).status, 200)
    const next = newCertificate()
    gateway.renew(next)
    assert.equal(await shownAt(port), fingerprint(next.cert))
    assert.equal((await http2Request(session, { ':path': '/' })).status, 200)
    session.close()
  })

  test('that does not fit its key is refused, and the old one stays', async t => {
    const backend = await startBackend(t, (_request, response) => response.end('hello'))
    const { gateway, port } = await start(t, backend.url, { listen: { port: 0, tls: certificate() } })
    assert.throws(() => gateway.renew({ cert: newCertificate().cert, key: newCertificate().key }))
    assert.equal(await shownAt(port), fingerprint(certificate().cert))
  })

  test('needs a gateway that was started with one', async t => {
    const backend = await startBackend(t, (_request, response) => response.end('hello'))
    const { gateway } = await start(t, backend.url)
    assert.throws(() => gateway.renew(certificate()), /without TLS/)
  })
})
