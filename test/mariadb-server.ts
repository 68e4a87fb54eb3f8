import { randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import mysql from 'mysql2/promise'
import { installMissing } from './install-services.ts'
import { findBinary, freePort, type LocalServer, makeWorkplace, runIn, startServer } from './local-server.ts'

/** Debian keeps the server where only root's path looks. */
const find = (name: string): string | undefined => findBinary(name) ?? findBinary(`../sbin/${name}`)
const isInstalled = (): boolean => find('mariadbd') !== undefined && find('mariadb-install-db') !== undefined

/**
 * A MariaDB of the test's own, on loopback with a random password, in a database `shop`.
 * @throws Error with the end of the server's log when it does not come up within a minute
 */
export async function startMariadb(): Promise<LocalServer> {
  if (!isInstalled())
    installMissing([{ name: 'MariaDB', variable: 'PATH', packages: ['mariadb-server'], isInstalled }])
  const [server, install] = [find('mariadbd'), find('mariadb-install-db')]
  if (server === undefined || install === undefined) throw new Error('MariaDB is not installed')
  const workplace = makeWorkplace('mariadb')
  const data = join(workplace.directory, 'data')
  const password = randomBytes(18).toString('hex')
  const start = join(workplace.directory, 'start.sql')
  writeFileSync(
    start,
    // One statement a line: the server reads the file so.
    [
      'CREATE DATABASE IF NOT EXISTS shop',
      `CREATE USER owner@'127.0.0.1' IDENTIFIED BY '${password}'`,
      "GRANT ALL ON *.* TO owner@'127.0.0.1' WITH GRANT OPTION",
    ]
      .map(statement => `${statement};\n`)
      .join(''),
    { mode: 0o644 },
  )
  runIn(workplace, install, [
    '--no-defaults',
    `--datadir=${data}`,
    '--auth-root-authentication-method=normal',
    '--skip-test-db',
  ])
  const port = await freePort()
  const url = `mysql://owner:${password}@127.0.0.1:${port}/shop`
  return startServer({
    workplace,
    url,
    port,
    command: [
      server,
      '--no-defaults',
      `--datadir=${data}`,
      `--port=${port}`,
      '--bind-address=127.0.0.1',
      '--skip-name-resolve',
      `--socket=${join(workplace.directory, 'socket')}`,
      `--init-file=${start}`,
      '--innodb-buffer-pool-size=32M',
      '--innodb-flush-log-at-trx-commit=0',
    ],
    stopSignal: 'TERM',
    answers: async () => {
      const client = await mysql.createConnection({ uri: url, connectTimeout: 5_000 })
      await client.end()
    },
  })
}
