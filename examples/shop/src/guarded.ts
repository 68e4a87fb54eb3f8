import { DatabaseSync } from 'node:sqlite'
import { fileURLToPath } from 'node:url'
import { budgetAnswer, claimSigner, guardPool } from '@postern/access'
import { guardSqlite, sqliteBudgetError } from '@postern/access/sqlite'
import { identifyBy, sessionMethod } from '@postern/identity'
import { postern } from 'postern'
import { budgets } from '../with/budgets.ts'
import type { Around } from './around.ts'
import { type RunningShop, type ShopOptions, startShop } from './server.ts'
import { SESSION_COOKIE } from './shop.ts'

const FILE = fileURLToPath(new URL('../with/budgets.ts', import.meta.url))

/**
 * The shop with Postern in its process, as `with/budgets.ts` says: who is signed in to the shop is who
 * acts, rows are counted in its database, and a refusal of the database is answered as what it is.
 * @param options.databaseUrl PostgreSQL, as a role that owns nothing, in which `postern budgets install`
 *   was run
 */
export async function startGuardedShop(
  options: Pick<ShopOptions, 'port' | 'databaseUrl' | 'dataDirectory'>,
): Promise<RunningShop> {
  let shop: RunningShop | undefined
  const sessions = sessionMethod({
    cookie: SESSION_COOKIE,
    find: async token => {
      const session = await shop?.sessionOf(token)
      if (session === undefined) return undefined
      const { email, role, since } = session
      return {
        principal: { kind: 'user', id: email, roles: [role], authenticatedAt: since },
        issuedAt: since,
      }
    },
  })
  const layer = await postern({ file: FILE, identify: identifyBy([sessions]) })
  const around: Around = {
    plugin: layer.fastify(),
    guard: database => {
      if (database instanceof DatabaseSync) guardSqlite(database, { budgets })
      else guardPool(database, { claim: claimSigner({ key: process.env['CLAIM_KEY'] ?? '' }) })
    },
    answer: (error, accept) => budgetAnswer(error, { accept, approvals: '/.postern/approvals' }),
    meant: sqliteBudgetError,
  }
  const running = await startShop({ ...options, around }).catch(async (error: unknown) => {
    await layer.close()
    throw error
  })
  shop = running
  return {
    ...running,
    close: async () => {
      await running.close()
      await layer.close()
    },
  }
}
