import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { systemClock } from '@postern/core'
import { connectPostgres, migrate } from '@postern/store'
import { HOSTILE_OPERATORS } from '../../../test/hostile-operators.ts'
import { freshDatabase } from '../../../test/services.ts'
import { limitMigrations, postgresStore, window } from '../src/index.ts'
import { limitName, Question } from '../src/limit/question.ts'
import { FORGET_EXPIRED } from '../src/remote/postgres-limits.sql.ts'
import { holdsInAnyWindow, takesAllOrNothing } from './any-window.ts'

const database = connectPostgres({ url: await freshDatabase({ after }) })

describe('limits in PostgreSQL', () => {
  before(() => migrate(database, 'throttle', limitMigrations))
  after(() => database.close())

  test('hold in any window, for every rule and for leases, whatever arrives when at which process', () =>
    holdsInAnyWindow(clock => postgresStore({ database, clock }), 25, 3))

  test('take all of a request or nothing', () =>
    takesAllOrNothing(clock => postgresStore({ database, prefix: 'all', clock })))

  test('many processes at once admit exactly the limit, over keys locked in any order', async () => {
    const stores = Array.from({ length: 6 }, () => postgresStore({ database, prefix: 'many' }))
    const names = ['a', 'b', 'c'].map(limitName)
    const rule = window(100, '1h')
    let admitted = 0
    await Promise.all(
      stores.map(async (store, nth) => {
        for (let i = 0; i < 30; i++) {
          const question = new Question()
          for (let n = 0; n < 3; n++) question.ask(names[(n + nth) % 3] ?? limitName('a'), 'k', rule, 1)
          await store.decide(question)
          if (question.refused < 0) admitted++
        }
      }),
    )
    assert.equal(admitted, 100)
  })

  test('a machine whose clock is ahead forgets nothing that the others still count', async t => {
    const once = window(1, '1m')
    const ask = async (): Promise<number> => {
      const question = new Question()
      question.ask(limitName('skewed'), 'k', once, 1)
      await postgresStore({ database, prefix: 'skewed' }).decide(question)
      return question.refused
    }
    assert.equal(await ask(), -1)
    const ahead = postgresStore({ database, prefix: 'ahead' })
    const { now, monotonic } = systemClock
    t.mock.method(systemClock, 'now', () => now() + 3_600_000)
    t.mock.method(systemClock, 'monotonic', () => monotonic() + 60_000)
    const question = new Question()
    question.ask(limitName('other'), 'k', once, 1)
    const query = t.mock.method(database, 'query')
    await ahead.decide(question)
    await Promise.all(query.mock.calls.map(({ result }) => result))
    assert.match(String(query.mock.calls[0]?.arguments[0]), /DELETE/)
    t.mock.restoreAll()
    assert.equal(await ask(), 0)
  })

  test('any text is a key, and none is SQL', async () => {
    const store = postgresStore({ database, prefix: 'text' })
    const once = window(1, '1h')
    const keys = [
      "'; DROP TABLE postern_limits; --",
      '__proto__',
      'a\0b',
      '',
      '\u{1f600}',
      '{"a"}',
      'NULL',
      '\\',
    ]
    for (const expected of [-1, 0]) {
      for (const key of keys) {
        const question = new Question()
        question.ask(limitName('text'), key, once, 1)
        await store.decide(question)
        assert.equal(question.refused, expected, JSON.stringify(key))
      }
    }
  })
})

test('counts that ended are forgotten by PostgreSQL’s own operators, whatever others stand in the schema public', async t => {
  const other = connectPostgres({ url: await freshDatabase(t) })
  t.after(() => other.close())
  await migrate(other, 'throttle', limitMigrations)
  await other.query(HOSTILE_OPERATORS)
  await other.query(
    `INSERT INTO postern_limits VALUES ('ended', 1, 1, '{}', 1), ('counts', 1, 1, '{}', 'Infinity')`,
  )
  await other.query(FORGET_EXPIRED, [-1])
  assert.deepEqual((await other.query('SELECT key FROM postern_limits')).rows, [{ key: 'counts' }])
})
