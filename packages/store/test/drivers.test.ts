import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'

const index = fileURLToPath(new URL('../src/index.ts', import.meta.url))

/** What a process of its own prints that runs this after importing the package as `store`. */
function runWithStore(code: string): unknown {
  const script = `
    import { createRequire } from 'node:module'
    import * as store from ${JSON.stringify(index)}
    const loaded = () => ['pg', 'ioredis'].filter(name =>
      Object.keys(createRequire(import.meta.url).cache).some(file => file.includes('/node_modules/' + name + '/')))
    ${code}`
  const flags = ['--conditions=@postern/source', '--input-type=module-typescript', '--eval', script]
  const { stdout, stderr } = spawnSync(process.execPath, flags, { encoding: 'utf8' })
  assert.notEqual(stdout, '', stderr)
  return JSON.parse(stdout)
}

describe('the drivers', () => {
  test('are not loaded by whoever only uses the embedded database', () => {
    assert.deepEqual(
      runWithStore(`store.openSqlite({ path: ':memory:' }).close(); console.log(JSON.stringify(loaded()))`),
      [],
    )
  })

  test('are loaded each by the first connection to its server', () => {
    const connect = `
      const redis = store.connectRedis({ url: 'redis://127.0.0.1:1' })
      redis.disconnect()
      const first = loaded()
      await store.connectPostgres({ url: 'postgres://127.0.0.1:1/none' }).close()
      console.log(JSON.stringify([first, loaded()]))`
    assert.deepEqual(runWithStore(connect), [['ioredis'], ['pg', 'ioredis']])
  })
})
