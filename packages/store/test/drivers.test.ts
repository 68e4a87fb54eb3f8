import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { createRequire } from 'node:module'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { ConfigError } from '@postern/core'
import { loadDriver } from '../src/drivers.ts'

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

  test('that are not installed are named with the command that installs the tested version', () => {
    const { peerDependencies } = createRequire(import.meta.url)('../package.json') as {
      readonly peerDependencies: Readonly<Record<string, string>>
    }
    const missing = (): never => {
      throw Object.assign(new Error('Cannot find module'), { code: 'MODULE_NOT_FOUND' })
    }
    for (const [name, server] of [
      ['pg', 'PostgreSQL'],
      ['ioredis', 'Redis'],
    ] as const)
      assert.throws(
        () => loadDriver(name, server, missing),
        (error: unknown) =>
          error instanceof ConfigError &&
          error.message.includes(`npm install ${name}@${peerDependencies[name]}`),
      )
  })

  test('that fail while they load keep their own error', () => {
    const broken = new SyntaxError('unexpected token')
    assert.throws(
      () =>
        loadDriver('pg', 'PostgreSQL', () => {
          throw broken
        }),
      broken,
    )
  })
})
