import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { loadConfig } from '@postern/config'
import { overridden } from '../src/plan/overridden.ts'
import { serve } from '../src/serve.ts'

for (const workers of [1, 2])
  test(`with ${workers} worker(s), /readyz is 503 and /metrics readable while the last requests are finished`, async t => {
    const folder = mkdtempSync(join(tmpdir(), 'postern-stopping-'))
    t.after(() => rmSync(folder, { recursive: true, force: true }))
    const waiting = Promise.withResolvers<ServerResponse>()
    const backend = createServer((_request, response) => waiting.resolve(response)).listen(0, '127.0.0.1')
    await once(backend, 'listening')
    t.after(() => {
      backend.close()
      backend.closeAllConnections()
    })
    const { port } = backend.address() as AddressInfo
    const overrides = {
      ...{
        upstream: `http://127.0.0.1:${port}`,
        listen: '127.0.0.1:0',
        admin: { listen: '127.0.0.1:0' },
        workers,
      },
    }
    const loaded = overridden(await loadConfig({ folder, environment: {} }), overrides, {})
    const served = await serve({ loaded, overrides, dataDirectory: join(folder, 'data') })
    const ready = async () => fetch(`${served.admin}/readyz`)
    assert.equal((await ready()).status, 200)
    const slow = fetch(served.url)
    const response = await waiting.promise
    const closed = served.close()
    try {
      const answer = await ready()
      assert.equal(answer.status, 503)
      assert.match(await answer.text(), /stopping/)
      assert.equal((await fetch(`${served.admin}/healthz`)).status, 200)
      assert.match(
        await (await fetch(`${served.admin}/metrics`)).text(),
        /postern_part_ok\{part="process"\} 0/,
      )
    } finally {
      response.end('done')
    }
    assert.equal(await (await slow).text(), 'done')
    await closed
    await assert.rejects(ready(), 'the admin listener ends with the process')
  })
