import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'

const root = join(import.meta.dirname, '../..')

/** Listeners with bounds of their own, and why. */
const OTHERS: Readonly<Record<string, string>> = {
  'packages/gateway/src/intake/listener.ts': 'the gateway itself: every connection is watched',
  'packages/gateway/src/connection/held-port.ts': 'takes no request',
  'packages/identity/src/oauth/memory-server.ts': 'is never listened on',
  'packages/cli/src/doctor/seen-request.ts': 'ends after one request',
  'packages/server/src/doctor/check-network.ts': 'takes no request',
  'packages/server/src/worker/worker-listener.ts': 'takes no request',
  'packages/vault/src/holder/holder-listener.ts': 'a protocol of its own',
}

test('every listener beside the traffic bounds what its clients make it hold', () => {
  const found = globSync('packages/*/src/**/*.ts', { cwd: root }).filter(path => {
    const source = readFileSync(join(root, path), 'utf8')
    return /^import .*\bcreateServer\b.* from 'node:|import\('node:https?'\)/m.test(source)
  })
  const unbounded = found.filter(
    path => !Object.hasOwn(OTHERS, path) && !/\bboundedServer\(/.test(readFileSync(join(root, path), 'utf8')),
  )
  assert.ok(found.length >= 8, String(found.length))
  assert.deepEqual(unbounded, [])
})
