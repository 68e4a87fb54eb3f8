import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { loadConfig } from '@postern/config'
import { overridden, serve } from '../src/index.ts'

test('workers take the configuration that was checked, whatever its file holds by then', {
  timeout: 60_000,
}, async t => {
  const folder = mkdtempSync(join(tmpdir(), 'postern-worker-configuration-'))
  const backend = createServer((_request, response) => response.end('in')).listen(0, '127.0.0.1')
  await new Promise(resolve => backend.once('listening', resolve))
  const path = join(folder, 'postern.config.yaml')
  const basics = `upstream: http://127.0.0.1:${(backend.address() as AddressInfo).port}
listen: 127.0.0.1:0
admin: false
console: false
workers: 2
`
  writeFileSync(path, basics)
  const load = async (): ReturnType<typeof loadConfig> =>
    overridden(await loadConfig({ path, folder, environment: {} }), {}, {})
  const served = await serve({ loaded: await load(), overrides: {}, dataDirectory: join(folder, 'data') })
  t.after(async () => {
    await served.close()
    backend.closeAllConnections()
    backend.close()
    rmSync(folder, { recursive: true, force: true })
  })
  /** Each on a connection of its own, so that both workers are asked. */
  const statuses = async (): Promise<readonly number[]> => {
    const asked = Array.from({ length: 24 }, async () => {
      const answer = await fetch(`${served.url}/admin/keys`, { headers: { connection: 'close' } })
      await answer.text()
      return answer.status
    })
    return [...new Set(await Promise.all(asked))]
  }
  assert.deepEqual(await statuses(), [200])
  writeFileSync(path, `${basics}block: [127.0.0.0/8]\n`)
  const checked = await load()
  // Another program begins to write it, or a person saves a mistake, before the threads have read it.
  for (const half of [basics, '', 'workers: [']) {
    writeFileSync(path, half)
    assert.deepEqual(await served.reload(checked), [])
    assert.deepEqual(await statuses(), [403], `with ${JSON.stringify(half)} in the file`)
  }
})
