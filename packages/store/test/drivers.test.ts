import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { ConfigError } from '@postern/core'
import { loadDriver } from '../src/driver/drivers.ts'
import { notLoaded, requireOptional, requireVersion, troubleOf } from '../src/driver/optional-package.ts'
import { scratch } from './scratch.ts'

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
    const { devDependencies } = createRequire(import.meta.url)('../package.json') as {
      readonly devDependencies: Readonly<Record<string, string>>
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
          error.message.includes(`npm install ${name}@${devDependencies[name]}`),
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

  for (const [name, found, isTooOld] of [
    ['ioredis', '4.28.5', true],
    ['ioredis', '5.4.1', true],
    ['ioredis', '5.11.0', false],
    ['ioredis', '7.0.0', false],
    ['ioredis', '10.0.0-beta.1', false],
    ['pg', '8.9.0', true],
    ['pg', '8.16.3', false],
    ['pg', 'workspace', false],
  ] as const)
    test(`in version ${found} of ${name} are ${isTooOld ? 'refused, with what to install' : 'used'}`, t => {
      const folder = join(scratch(t), 'node_modules', name)
      mkdirSync(folder, { recursive: true })
      writeFileSync(
        join(folder, 'package.json'),
        // As many packages do, this one exports its entry alone.
        JSON.stringify({ name, version: found, exports: { '.': './index.js' } }),
      )
      writeFileSync(join(folder, 'index.js'), '')
      const least = name === 'pg' ? '8.16.0' : '5.11.0'
      const wanted = { name, place: 'stores', needs: 'a test needs', tested: '9.9.9', least }
      const from = pathToFileURL(join(folder, '..', '..', 'app.js')).href
      const check = (): string => requireOptional(wanted, from, () => 'loaded')
      const trouble = `${name} ${found} is older than ${least}; npm install ${name}@9.9.9`
      assert.equal(troubleOf(wanted, from), isTooOld ? trouble : undefined)
      if (!isTooOld) assert.equal(check(), 'loaded')
      else
        assert.throws(
          check,
          (error: unknown) =>
            error instanceof ConfigError &&
            error.message.includes(`${name} ${found} is installed`) &&
            error.message.includes(`npm install ${name}@9.9.9`),
        )
    })

  test('that are not installed are named as that, and not refused for their version', async t => {
    const from = pathToFileURL(join(scratch(t), 'app.js')).href
    const versions = { tested: '1.0.0', least: '1.0.0' }
    const wanted = { name: 'not-there', place: 'stores', needs: 'a test needs', ...versions }
    assert.doesNotThrow(() => requireVersion(wanted, from))
    assert.equal(troubleOf(wanted, from), 'not-there is not installed; npm install not-there@1.0.0')
    // A name that the compiler does not look for.
    const absent: string = wanted.name
    await assert.rejects(
      import(absent).catch(notLoaded(wanted)),
      /stores: a test needs the package not-there, which is not installed \(npm install not-there@1\.0\.0\)/,
    )
  })
})
