import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { ConfigError, IntegrityError, StoreError } from '@postern/core'
import { SOURCE_FLAGS } from '../../../test/source-flags.ts'
import { openDataDirectory } from '../src/index.ts'
import { scratch, unprivileged } from './scratch.ts'

describe('the data directory', () => {
  test('is created for its owner alone, and says what it is', t => {
    const path = join(scratch(t), 'deep', 'data')
    const directory = openDataDirectory(path)
    assert.equal(statSync(path).mode & 0o777, 0o700)
    assert.deepEqual(JSON.parse(readFileSync(join(path, 'postern-data.json'), 'utf8')), {
      format: 'postern-data',
      version: 1,
    })
    assert.equal(directory.file('postern.db'), join(path, 'postern.db'))
    assert.match(readFileSync(join(path, '.gitignore'), 'utf8'), /^\*$/m, 'git add -A stages no key')
    directory.close()
    openDataDirectory(path).close()
  })

  test('is closed to others when an administrator left it open', t => {
    const path = scratch(t)
    openDataDirectory(path).close()
    chmodSync(path, 0o755)
    openDataDirectory(path).close()
    assert.equal(statSync(path).mode & 0o777, 0o700)
  })

  test('is not made of a directory that holds something else, whose mode is left alone', t => {
    const path = scratch(t)
    writeFileSync(join(path, 'thesis.tex'), '')
    chmodSync(path, 0o755)
    assert.throws(
      () => openDataDirectory(path),
      (error: unknown) => error instanceof ConfigError && error.message.includes('thesis.tex'),
    )
    assert.equal(statSync(path).mode & 0o777, 0o755)
  })

  test('may be a mounted file system with what those bring', t => {
    const path = scratch(t)
    mkdirSync(join(path, 'lost+found'))
    assert.doesNotThrow(() => openDataDirectory(path).close())
  })

  for (const name of ['../x', 'a/b', '', '.hidden', 'a\0b', 'x'.repeat(200)])
    test(`gives no path for the name ${JSON.stringify(name.slice(0, 10))}`, t => {
      const directory = openDataDirectory(scratch(t))
      assert.throws(() => directory.file(name), ConfigError)
      assert.throws(() => directory.lock(name), ConfigError)
      directory.close()
    })

  test('that another user owns is refused', t => {
    const path = scratch(t)
    const outside = process.geteuid?.() === 0 ? path : '/'
    chmodSync(path, 0o777)
    assert.throws(
      () => unprivileged(() => openDataDirectory(outside)),
      (error: unknown) => error instanceof StoreError && /belongs to user 0/.test(error.message),
    )
  })

  test('that cannot be written says so', t => {
    const parent = scratch(t)
    chmodSync(parent, 0o555)
    assert.throws(
      () => unprivileged(() => openDataDirectory(join(parent, 'data'))),
      (error: unknown) =>
        error instanceof StoreError && !error.retryable && /cannot be read and written/.test(error.message),
    )
    chmodSync(parent, 0o700)
  })

  test('that is a file says so', t => {
    const path = join(scratch(t), 'data')
    writeFileSync(path, '')
    assert.throws(
      () => openDataDirectory(path),
      (error: unknown) => error instanceof StoreError && /is a file/.test(error.message),
    )
  })

  for (const content of [
    '',
    '{',
    'null',
    '{"format":"other","version":1}',
    '{"format":"postern-data","version":"1"}',
    '{"format":"postern-data","version":-1}',
  ])
    test(`whose format file holds ${JSON.stringify(content)} is damaged`, t => {
      const path = scratch(t)
      writeFileSync(join(path, 'postern-data.json'), content)
      assert.throws(() => openDataDirectory(path), IntegrityError)
    })
})

describe('layouts of the data directory', () => {
  const upgrades = [2, 3].map(to => ({
    to,
    upgrade: (path: string): void => writeFileSync(join(path, `step-${to}`), ''),
  }))

  test('are upgraded step by step', t => {
    const path = scratch(t)
    openDataDirectory(path).close()
    const directory = openDataDirectory(path, { version: 3, upgrades })
    assert.equal(directory.version, 3)
    assert.ok(existsSync(directory.file('step-2')) && existsSync(directory.file('step-3')))
    directory.close()
  })

  test('go on after a crash where the crash was', t => {
    const path = scratch(t)
    openDataDirectory(path).close()
    const failing = [
      upgrades[0] ?? { to: 2, upgrade: () => {} },
      {
        to: 3,
        upgrade: (): void => {
          throw new Error('power failure')
        },
      },
    ]
    assert.throws(() => openDataDirectory(path, { version: 3, upgrades: failing }), /power failure/)
    assert.match(readFileSync(join(path, 'postern-data.json'), 'utf8'), /"version":2/)
    openDataDirectory(path, { version: 3, upgrades }).close()
  })

  test('of a later version are refused, with what to do', t => {
    const path = scratch(t)
    openDataDirectory(path, { version: 4 }).close()
    assert.throws(
      () => openDataDirectory(path, { version: 3 }),
      (error: unknown) =>
        error instanceof StoreError &&
        /later version of Postern \(layout 4, this one knows 3\)/.test(error.message),
    )
  })

  test('too old to be upgraded are refused', t => {
    const path = scratch(t)
    openDataDirectory(path).close()
    assert.throws(
      () => openDataDirectory(path, { version: 3, upgrades: upgrades.slice(1) }),
      /has layout 1, which this version cannot upgrade/,
    )
  })
})

describe('a right that one process may have', () => {
  test('is refused to a second one, which learns who has it, and free once that one is killed', async t => {
    const path = scratch(t)
    const source = new URL('../src/index.ts', import.meta.url).href
    const child = spawn(
      process.execPath,
      [
        ...SOURCE_FLAGS,
        '--input-type=module',
        '-e',
        `import { openDataDirectory } from ${JSON.stringify(source)}
         globalThis.held = openDataDirectory(${JSON.stringify(path)}, { exclusive: 'gateway' })
         console.log('held'); setInterval(() => {}, 1000)`,
      ],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    )
    await once(child.stdout, 'data')
    assert.throws(
      () => openDataDirectory(path, { exclusive: 'gateway' }),
      (error: unknown) => error instanceof StoreError && error.message.includes(`process ${child.pid}`),
    )
    openDataDirectory(path).close()
    child.kill('SIGKILL')
    await once(child, 'close')
    openDataDirectory(path, { exclusive: 'gateway' }).close()
  })

  test('is refused to the same process too, until it is given back', t => {
    const directory = openDataDirectory(scratch(t), { exclusive: 'gateway' })
    assert.throws(() => directory.lock('gateway'), StoreError)
    const other = directory.lock('audit-log')
    other.release()
    other.release()
    directory.close()
    directory.lock('gateway').release()
  })

  test('does not write through a link that someone put in its place', t => {
    const path = scratch(t)
    const precious = join(scratch(t), 'precious')
    writeFileSync(precious, 'do not touch')
    openDataDirectory(path).close()
    symlinkSync(precious, join(path, 'postern-data.json.new'))
    openDataDirectory(path, { version: 2, upgrades: [{ to: 2, upgrade: () => {} }] }).close()
    assert.equal(readFileSync(precious, 'utf8'), 'do not touch')
  })
})
