import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { verifyIdentity } from '../../gateway/src/index.ts'
import { cli, startGatewayProcess } from './cli.ts'

const folder = mkdtempSync(join(tmpdir(), 'postern-signed-'))
after(() => rmSync(folder, { recursive: true, force: true }))

const KEY = 'a key of the gateway and of the backend'
const FILE = `signingKey: \${SIGNING_KEY}
identify:
  - proxy: { from: [127.0.0.1], user: x-user }
`

describe('signingKey of a gateway', { timeout: 60_000 }, () => {
  test('tells the backend who asks, whatever a client writes into the header', async t => {
    const backend = createServer(({ headers }, response) => {
      const requestId = headers['x-request-id']
      const { principal } = verifyIdentity(headers['x-postern-identity'], { key: KEY, requestId })
      response.end(JSON.stringify(principal))
    })
    backend.listen(0, '127.0.0.1')
    await new Promise(resolve => backend.once('listening', resolve))
    t.after(() => backend.close())
    writeFileSync(join(folder, 'postern.config.yaml'), FILE)
    const to = `http://127.0.0.1:${(backend.address() as AddressInfo).port}`
    const gateway = await startGatewayProcess(['--to', to], folder, { SIGNING_KEY: KEY })
    const ask = async (headers: Record<string, string>): Promise<unknown> =>
      (await fetch(gateway.url, { headers })).json()
    assert.deepEqual(await ask({ 'x-user': 'ann' }), { kind: 'user', id: 'ann' })
    assert.deepEqual(await ask({ 'x-postern-identity': 'v1.e30.e30' }), { kind: 'anonymous', id: '' })
    assert.equal(await gateway.stop(), 0)
  })

  test('that is short or not set is refused, and not shown', async () => {
    writeFileSync(join(folder, 'postern.config.yaml'), FILE)
    const short = await cli(['gateway', '--to', 'http://127.0.0.1:1'], folder, { SIGNING_KEY: 'hunter2' })
    assert.equal(short.code, 2)
    assert.match(short.stderr, /signingKey: has 7 bytes, and a signing key needs at least 32/)
    assert.doesNotMatch(short.stderr, /hunter2/)
    const none = await cli(['gateway', '--to', 'http://127.0.0.1:1'], folder)
    assert.match(none.stderr, /signingKey: the environment variable SIGNING_KEY is not set/)
  })
})
