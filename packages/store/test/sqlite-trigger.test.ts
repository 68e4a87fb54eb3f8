import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { inspect } from 'node:util'
import { StoreError } from '@postern/core'
import { isSqliteConstraint, openSqlite, type SqliteDatabase } from '../src/index.ts'

const VALUE = 'anne@example.com'

/** What an insert is refused with by a trigger that says this. */
function refusal(raise: string): unknown {
  const database: SqliteDatabase = openSqlite({ path: ':memory:' })
  database.db.exec('CREATE TABLE people (id INTEGER PRIMARY KEY, email TEXT)')
  database.db.exec(`CREATE TRIGGER judge BEFORE INSERT ON people BEGIN SELECT RAISE(${raise}); END`)
  try {
    database.transaction(() => database.db.prepare('INSERT INTO people VALUES (1, ?)').run(VALUE))
  } catch (error) {
    return error
  } finally {
    database.close()
  }
  return undefined
}

describe('a trigger of SQLite that refuses a change', () => {
  for (const how of ['ABORT', 'FAIL', 'ROLLBACK'])
    it(`has no value in its error, nor in the cause: ${how}`, () => {
      const error = refusal(`${how}, 'bad ' || NEW.email`)
      assert.ok(error instanceof StoreError)
      assert.equal(inspect(error, { depth: 10, showHidden: true }).includes(VALUE), false)
      assert.ok(isSqliteConstraint(error))
    })

  it('is quoted where it is a row budget, which names no value', () => {
    const error = refusal("ABORT, 'postern budget ' || json_object('asked', 1)")
    assert.ok(error instanceof StoreError)
    assert.match(error.message, /postern budget \{"asked":1\}/)
  })
})
