import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import {
  type ApprovalGrant,
  claimSigner,
  installBudgets,
  listChanges,
  rows,
  signBudgetGrant,
  undoChange,
} from '@postern/access'
import { connectPostgres } from '@postern/store'
import pg from 'pg'
import { answersPostgres } from '../../../test/postgres-server.ts'
import { startPostgres } from '../../../test/services.ts'
import { CLAIM_KEY, GRANT_KEY, type Guarded, guarded } from './support/guarded.ts'

const BUDGETS = { 'orders.delete': rows(10, '1h') }
const SCHEMA = `CREATE TABLE orders (id int PRIMARY KEY, owner text); INSERT INTO orders SELECT i, 'o' || i FROM generate_series(1, 100) AS i;
  GRANT SELECT, DELETE ON orders TO APP`

/** A transaction under way that carries a claim, and its number. */
async function begun(place: Guarded, actor: string): Promise<{ app: pg.Client; xid: string }> {
  const app = await place.connect()
  await app.query('BEGIN')
  await app.query("SELECT set_config('postern.claim', $1, true)", [place.claim({ actor })])
  const { rows: found } = await app.query<{ xid: string }>('SELECT pg_current_xact_id()::text AS xid')
  return { app, xid: found[0]?.xid ?? '' }
}

test('attack: a journal that came from another server shares its changes with those of this one', async t => {
  const place = await guarded(t, SCHEMA, BUDGETS)
  const first = await begun(place, 'user:alice')
  await first.app.query('DELETE FROM orders WHERE id <= 5')
  await first.app.query('COMMIT')
  const second = await begun(place, 'user:bob')
  // As a dump of another server brings it, where this number of a transaction was used before.
  await place.owner.query('UPDATE postern_budgets.journal SET change = replace(change, $1, $2)', [
    first.xid,
    second.xid,
  ])
  await second.app.query('DELETE FROM orders WHERE id = 50')
  await second.app.query('COMMIT')
  const changes = await listChanges(place.database)
  assert.deepEqual(
    changes.map(({ actor, tables }) => [actor, tables.map(table => table.rows)]),
    [
      ['user:bob', [1]],
      ['user:alice', [5]],
    ],
  )
  for (const { id } of changes) assert.match(id, /^\d{18,40}$/)
  const report = await undoChange(place.database, changes[0]?.id ?? '', { keys: [] })
  assert.deepEqual(report.restored, [{ table: 'public.orders', action: 'delete', rows: 1 }])
  const { rows: left } = await place.owner.query<{ n: string }>('SELECT count(*) AS n FROM orders')
  assert.equal(left[0]?.n, '95')
})

test('attack: a grant that was used before the database was restored is used again by a transaction of the same number', async t => {
  const place = await guarded(t, SCHEMA, BUDGETS)
  const grant: ApprovalGrant = {
    id: 'ab'.repeat(16),
    actor: 'user:alice',
    tenant: '',
    act: 'cd'.repeat(32),
    budgets: ['orders.delete'],
    rows: 30,
    expiresAt: Date.now() + 600_000,
    approvedBy: 'user:olga',
  }
  const token = signBudgetGrant(grant, GRANT_KEY)
  const remove = async (where: string, before?: (xid: string) => Promise<unknown>): Promise<void> => {
    const app = await place.connect()
    await app.query('BEGIN')
    await app.query("SELECT set_config('postern.claim', $1, true), set_config('postern.grant', $2, true)", [
      place.claim({ act: grant.act }),
      token,
    ])
    const { rows: found } = await app.query<{ xid: string }>('SELECT pg_current_xact_id()::text AS xid')
    await before?.(found[0]?.xid ?? '')
    // Two statements of one transaction share it.
    await app.query(`DELETE FROM orders WHERE ${where}`)
    await app.query('DELETE FROM orders WHERE id = 100')
    await app.query('COMMIT')
  }
  await remove('id <= 15')
  await assert.rejects(
    remove('id BETWEEN 20 AND 30', async xid =>
      place.owner.query('UPDATE postern_budgets.redeemed SET xid = $1::xid8, at = at', [xid]),
    ),
    { code: 'PB003' },
  )
})

async function crashed(t: TestContext): Promise<{ url: string; crash: () => Promise<void> }> {
  const server = await startPostgres()
  t.after(() => server.stop())
  const client = async (): Promise<pg.Client> => {
    const one = new pg.Client({ connectionString: server.url })
    one.on('error', () => {})
    await one.connect()
    return one
  }
  return {
    url: server.url,
    // One process that is killed makes the server start over, as after a loss of power.
    crash: async () => {
      const [one, other] = [await client(), await client()]
      const { rows: found } = await one.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')
      // The server answers until it has noticed: then it ends the connections of all others.
      const noticed = new Promise(resolve => other.once('end', resolve))
      process.kill(found[0]?.pid ?? 0, 'SIGKILL')
      await noticed
      const until = performance.now() + 30_000
      for (;;) {
        try {
          return await answersPostgres(server.url)
        } catch (error) {
          if (performance.now() > until) throw error
        }
      }
    },
  }
}

test('attack: a claim is used again after the server has crashed', { timeout: 120_000 }, async t => {
  const { url, crash } = await crashed(t)
  const owner = new pg.Client({ connectionString: url })
  owner.on('error', () => {})
  await owner.connect()
  await owner.query(SCHEMA.replaceAll('TO APP', 'TO PUBLIC'))
  const database = connectPostgres({ url })
  await installBudgets(database, { budgets: BUDGETS, claimKeys: [CLAIM_KEY] })
  await database.close()
  await owner.end()
  const claim = claimSigner({ key: CLAIM_KEY })({ actor: 'user:alice' })
  const remove = async (id: number): Promise<void> => {
    const app = new pg.Client({ connectionString: url })
    app.on('error', () => {})
    await app.connect()
    try {
      await app.query('BEGIN')
      await app.query("SELECT set_config('postern.claim', $1, true)", [claim])
      await app.query('DELETE FROM orders WHERE id = $1', [id])
      await app.query('COMMIT')
    } finally {
      await app.end()
    }
  }
  await remove(1)
  await assert.rejects(remove(2), { code: 'PB002' })
  await crash()
  await assert.rejects(remove(3), { code: 'PB002' })
})
