import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { createConnection } from 'node:net'
import { dirname, join } from 'node:path'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { freePort, makeWorkplace, startServer } from './local-server.ts'
import { startPostgres } from './postgres-server.ts'
import { freshDatabase, freshPrefix, services } from './services.ts'
import { SOURCE_FLAGS } from './source-flags.ts'
import { until } from './until.ts'

const here = dirname(fileURLToPath(import.meta.url))
const module = (name: string): string => JSON.stringify(join(here, name))
const run = (source: string, env: Record<string, string> = {}): ReturnType<typeof spawnSync> =>
  spawnSync(process.execPath, [...SOURCE_FLAGS, '--input-type=module', '-e', source], {
    env: { ...process.env, ...env },
    encoding: 'utf8',
  })

async function isListening(port: number): Promise<boolean> {
  const socket = createConnection(port, '127.0.0.1')
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}

describe('the servers of the tests', () => {
  test('are the same for everybody who asks, and give each a database and a prefix of its own', async t => {
    const [one, two] = await Promise.all([services(), services()])
    assert.deepEqual(one, two)
    assert.match(one.postgres, /^postgres(ql)?:\/\//)
    assert.match(one.redis, /^rediss?:\/\//)
    assert.notEqual(await freshDatabase(t), await freshDatabase(t))
    assert.notEqual(freshPrefix(t), freshPrefix(t))
  })

  test('end with the process that started them, even when it is killed', async () => {
    const source = `
      import { startRedis } from ${module('services.ts')}
      const server = await startRedis({ settings: ['proc-title-template redis-of-a-test'] })
      console.log(server.port); setInterval(() => {}, 1000)`
    const child = spawn(process.execPath, [...SOURCE_FLAGS, '--input-type=module', '-e', source], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const [line] = await once(child.stdout, 'data')
    const port = Number(String(line))
    assert.ok(await isListening(port))
    child.kill('SIGKILL')
    await once(child, 'close')
    await until(async () => !(await isListening(port)))
  })

  test('that do not start say why, and leave nothing behind', async () => {
    const workplace = makeWorkplace('broken')
    const attempt = startServer({
      workplace,
      url: '',
      port: await freePort(),
      command: ['sh', '-c', 'echo "my disk is on fire"; exit 3'],
      stopSignal: 'TERM',
      answers: () => Promise.reject(new Error('no')),
    })
    await assert.rejects(attempt, /ended at once: my disk is on fire/)
    assert.equal(existsSync(workplace.directory), false)
  })

  test('named by the environment but not answering end the run with one line, without the password', async () => {
    const port = await freePort()
    const { status, stderr } = run(
      `import { startServices } from ${module('services.ts')}; await startServices()`,
      {
        POSTERN_TEST_POSTGRES: `postgres://u:secret-word@127.0.0.1:${port}/d`,
        POSTERN_TEST_REDIS: `redis://:secret-word@127.0.0.1:${port}`,
      },
    )
    assert.equal(status, 1)
    assert.match(String(stderr), /the server named by POSTERN_TEST_POSTGRES does not answer/)
    assert.match(String(stderr), /the server named by POSTERN_TEST_REDIS does not answer/)
    assert.doesNotMatch(String(stderr), /secret-word/)
  })

  test('that nobody installed end the run with one line that says what to install', () => {
    const { status, stderr } = run(
      `
      import { installMissing } from ${module('install-services.ts')}
      if (process.getuid?.() === 0) process.setuid(65534)
      installMissing([{ name: 'Memcached', variable: 'POSTERN_TEST_MEMCACHED', packages: ['memcached'], isInstalled: () => false }])`,
      // As nobody, the process may not write what it covered.
      { NODE_V8_COVERAGE: '' },
    )
    assert.equal(status, 1)
    assert.equal(
      String(stderr).trim(),
      `tests: Memcached not found. Install memcached, or set POSTERN_TEST_MEMCACHED to a running server's URL.`,
    )
  })

  test('come from npm where no PostgreSQL is installed', async () => {
    const server = await startPostgres({ binaries: 'npm' })
    try {
      assert.match(server.url, /^postgres:\/\/postgres:/)
    } finally {
      await server.stop()
    }
  })
})
