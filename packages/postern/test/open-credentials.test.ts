import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { identifyBy, sessionMethod } from '@postern/identity'
import { until } from '../../../test/until.ts'
import { type Postern, postern } from '../src/index.ts'

/** An application with sessions of its own: `sid=NAME` is signed in as long as it is in the set. */
async function layerOf(t: TestContext, signedIn: ReadonlySet<string>): Promise<Postern> {
  const folder = mkdtempSync(join(tmpdir(), 'postern-credentials-'))
  const method = sessionMethod({
    cookie: 'sid',
    cache: 0,
    find: value =>
      signedIn.has(value)
        ? { principal: { kind: 'user', id: value }, issuedAt: Date.now() - 1_000 }
        : undefined,
  })
  const layer = await postern({ folder, log: 'none', identify: identifyBy([method]) })
  t.after(async () => {
    await layer.close()
    rmSync(folder, { recursive: true, force: true })
  })
  return layer
}

describe('sessions of the application', { timeout: 60_000 }, () => {
  test('attack: a stream goes on after the application ended its session', async t => {
    const signedIn = new Set(['alice', 'bob'])
    const layer = await layerOf(t, signedIn)
    const server = createServer(
      layer.node((_request, response) => {
        response.setHeader('Content-Type', 'text/event-stream')
        response.write('data: hello\n\n')
      }),
    )
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    t.after(() => {
      server.closeAllConnections()
      server.close()
    })
    const open = async (who: string) => {
      const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
      socket.on('error', () => {})
      t.after(() => socket.destroy())
      socket.write(`GET /events HTTP/1.1\r\nHost: a\r\nCookie: sid=${who}\r\n\r\n`)
      let seen = ''
      socket.on('data', (chunk: Buffer) => {
        seen += chunk.toString('latin1')
      })
      await until(() => seen.includes('hello'))
      return socket
    }
    const [alice, bob] = [await open('alice'), await open('bob')]
    signedIn.delete('alice')
    await layer.revocations?.noteChange('alice')
    await layer.revocations?.noteChange('bob')
    await until(() => alice.closed)
    assert.equal(bob.closed, false)
  })

  test('attack: a backend that was not notified of a revocation gets the revoked session', async t => {
    const layer = await layerOf(t, new Set(['alice', 'bob']))
    const handle = layer.fetch(request => new Response(request.headers.get('cookie') ?? 'no cookie'), {
      peer: () => '203.0.113.9',
    })
    const seen = async (who: string): Promise<string> => {
      const headers = { cookie: `theme=dark; sid=${who}` }
      return (await handle(new Request('http://shop.example/', { headers }))).text()
    }
    assert.equal(await seen('alice'), 'theme=dark; sid=alice')
    await layer.revocations?.revokePrincipal('alice')
    assert.equal(await seen('alice'), 'theme=dark')
    assert.equal(await seen('bob'), 'theme=dark; sid=bob')
  })
})
