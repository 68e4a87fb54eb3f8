import { chownSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { installMissing } from './install-services.ts'
import { findBinary, freePort, type LocalServer, makeWorkplace, startServer } from './local-server.ts'
import { answersPostgres } from './postgres-server.ts'

/**
 * PgBouncer in front of a PostgreSQL, as it is installed: it refuses parameters of the start that it does not know.
 * @param upstream URL of the server behind it
 */
export async function startPgbouncer(
  upstream: string,
  mode: 'transaction' | 'session',
): Promise<LocalServer> {
  if (findPgbouncer() === undefined)
    installMissing([
      {
        name: 'PgBouncer',
        variable: 'POSTERN_TEST_PGBOUNCER',
        packages: ['pgbouncer'],
        isInstalled: () => findPgbouncer() !== undefined,
      },
    ])
  const program = findPgbouncer()
  if (program === undefined) throw new Error('PgBouncer is not installed')
  const { hostname, port: serverPort, username, password, pathname } = new URL(upstream)
  const workplace = makeWorkplace('pgbouncer')
  const port = await freePort()
  const settings = join(workplace.directory, 'pgbouncer.ini')
  const users = join(workplace.directory, 'users.txt')
  const lines = [
    '[databases]',
    `* = host=${hostname} port=${serverPort}`,
    '[pgbouncer]',
    ...['listen_addr = 127.0.0.1', `listen_port = ${port}`, 'unix_socket_dir ='],
    ...['auth_type = plain', `auth_file = ${users}`, `pool_mode = ${mode}`, 'default_pool_size = 20'],
  ]
  writeFileSync(settings, `${lines.join('\n')}\n`, { mode: 0o600 })
  writeFileSync(users, `"${username}" "${password}"\n`, { mode: 0o600 })
  if (workplace.uid !== undefined)
    for (const file of [settings, users]) chownSync(file, workplace.uid, workplace.gid ?? workplace.uid)
  const url = `postgres://${username}:${password}@127.0.0.1:${port}${pathname}`
  return startServer({
    workplace,
    url,
    port,
    command: [program, settings],
    stopSignal: 'TERM',
    answers: () => answersPostgres(url),
  })
}

function findPgbouncer(): string | undefined {
  // Debian keeps it beside the programs that are on the path.
  return findBinary('pgbouncer') ?? findBinary('../sbin/pgbouncer')
}
