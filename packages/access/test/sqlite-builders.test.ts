// What query builders throw on a guarded SQLite, and how it is answered.
import assert from 'node:assert/strict'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { actingAs, budgetAnswer, budgetError, RowBudgetExceeded, rows } from '@postern/access'
import { guardSqlite, sqliteBudgetError } from '@postern/access/sqlite'
import { CredentialError } from '@postern/core'
import { Kysely, SqliteDialect } from 'kysely'

test('Kysely on a guarded SQLite: a refusal is answered as one, and so is a change outside of actingAs', async () => {
  const file = new DatabaseSync(':memory:')
  file.exec('CREATE TABLE orders (id INTEGER PRIMARY KEY, note TEXT)')
  for (let id = 1; id <= 100; id++) file.prepare('INSERT INTO orders (id) VALUES (?)').run(id)
  guardSqlite(file, { budgets: { 'orders.delete': rows(10, '1h', { over: 'approval' }) } })
  const db = new Kysely<{ orders: { id: number; note: string | null } }>({
    dialect: new SqliteDialect({ database: kyselyDatabase(file) }),
  })
  const heard: unknown[] = []
  const sam = { actor: 'user:sam', refused: (error: unknown) => void heard.push(error) }
  await actingAs(sam, async () => {
    await db.deleteFrom('orders').where('id', '=', 1).execute()
    for (const wipe of [
      () => db.deleteFrom('orders').execute(),
      () => db.transaction().execute(t => t.deleteFrom('orders').execute()),
    ])
      await assert.rejects(wipe(), (error: unknown) => {
        assert.equal(budgetAnswer(error)?.status, 403)
        // As query builders wrap what a driver throws.
        const wrapped = new Error('Failed query', { cause: error })
        assert.equal(budgetAnswer(wrapped)?.status, 403)
        assert.equal(budgetAnswer({ nativeError: error })?.status, 403)
        assert.ok(sqliteBudgetError(wrapped) instanceof RowBudgetExceeded)
        return true
      })
  })
  assert.equal(heard.length, 2)
  await assert.rejects(db.deleteFrom('orders').execute(), (error: unknown) => {
    assert.ok(budgetError(error) instanceof CredentialError)
    assert.equal(budgetAnswer(error), undefined)
    return true
  })
  const [row] = await db.selectFrom('orders').select(db.fn.countAll<number>().as('n')).execute()
  assert.equal(row?.n, 99)
  await db.destroy()
})

/** What Kysely's dialect for SQLite uses of a database, of one that is open already. */
function kyselyDatabase(
  file: DatabaseSync,
): ConstructorParameters<typeof SqliteDialect>[0]['database'] & object {
  return {
    close: () => file.close(),
    prepare: sql => {
      const statement = file.prepare(sql)
      const values = (given: readonly unknown[]) => given as (string | number | null)[]
      return {
        reader: statement.columns().length > 0,
        all: given => statement.all(...values(given)),
        iterate: given => statement.iterate(...values(given)),
        run: given => statement.run(...values(given)),
      }
    },
  }
}
