import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { PostgresTraffic, SqliteTraffic } from '@postern/console'
import type { Connections } from '@postern/runtime'

/**
 * Erases a principal from traffic that a console kept, where no console is running: it would show them again
 * once one is. Does nothing where none was kept.
 * @throws StoreError when it cannot be opened
 */
export async function eraseKeptTraffic(
  connections: Connections,
  principal: string,
  tenant: string,
): Promise<void> {
  const { postgres, isMemoryOnly } = connections
  if (postgres !== undefined) {
    const { rows } = await postgres.query<{ kept: boolean }>(
      "SELECT to_regclass('postern_traffic') IS NOT NULL AS kept",
    )
    if (rows[0]?.kept === true)
      await new PostgresTraffic({ database: postgres, instance: '', keep: 0, maxSize: 0 }).erase(
        principal,
        tenant,
      )
  }
  if (isMemoryOnly) return
  const directory = connections.directory.path
  if (!existsSync(join(directory, 'traffic.db'))) return
  const traffic = SqliteTraffic.open({ directory, keep: 0, maxSize: 0 })
  try {
    await traffic.erase(principal, tenant)
  } finally {
    await traffic.close()
  }
}
