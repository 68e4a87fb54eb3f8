import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { installMissing } from '../../../../test/install-services.ts'
import {
  findBinary,
  freePort,
  type LocalServer,
  makeWorkplace,
  startServer,
} from '../../../../test/local-server.ts'
import { answersPostgres } from '../../../../test/postgres-server.ts'

/** A PgBouncer in transaction mode with one connection to a database, so that clients take turns on it. */
export async function startPgBouncer(url: string): Promise<LocalServer> {
  const find = (): string | undefined => findBinary('pgbouncer') ?? findBinary('../sbin/pgbouncer')
  const isInstalled = (): boolean => find() !== undefined
  if (!isInstalled())
    installMissing([{ name: 'PgBouncer', variable: 'PATH', packages: ['pgbouncer'], isInstalled }])
  const binary = find()
  if (binary === undefined) throw new Error('PgBouncer is not installed')
  const target = new URL(url)
  const workplace = makeWorkplace('pgbouncer')
  const port = await freePort()
  const database = target.pathname.slice(1)
  const file = join(workplace.directory, 'pgbouncer.ini')
  writeFileSync(
    file,
    `[databases]
${database} = host=${target.hostname} port=${target.port} user=${target.username} password=${target.password} dbname=${database}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 1
max_client_conn = 50
`,
  )
  const own = `postgres://anyone@127.0.0.1:${port}/${database}`
  return startServer({
    workplace,
    url: own,
    port,
    command: [binary, file],
    stopSignal: 'QUIT',
    answers: () => answersPostgres(own),
  })
}
