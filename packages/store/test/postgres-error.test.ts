import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { inspect } from 'node:util'
import { StoreError } from '@postern/core'
import pg from 'pg'
import { freshDatabase } from '../../../test/fresh.ts'
import { connectPostgres } from '../src/postgres/postgres-database.ts'
import { postgresError } from '../src/postgres/postgres-error.ts'

/** What the server says, with a SQLSTATE. */
function said(state: string): pg.DatabaseError {
  return Object.assign(new pg.DatabaseError('refused', 7, 'error'), { code: state })
}

describe('what PostgreSQL refuses', () => {
  for (const [state, name] of [
    ['25006', 'a failover to a read-only server'],
    ['53300', 'no connection left'],
    ['53100', 'a full disk'],
    ['57014', 'a statement timeout'],
    ['57P01', 'a restart'],
    ['57P03', 'a start'],
    ['57P05', 'an idle session that was ended'],
    ['08P01', 'a pooler without a server'],
  ] as const)
    test(`${name} passes, so what waits to be written is kept`, () => {
      const error = postgresError(said(state), 'postgres a:1')
      assert.ok(error instanceof StoreError && error.retryable)
      assert.doesNotMatch(error.message, /refused$/)
    })

  for (const [state, name] of [
    ['28P01', 'a password that is wrong or has expired'],
    ['42501', 'a missing right'],
    ['3D000', 'a missing database'],
  ] as const)
    test(`${name} does not pass by itself`, () => {
      const error = postgresError(said(state), 'postgres a:1')
      assert.ok(error instanceof StoreError && !error.retryable)
    })
})

describe('an error of PostgreSQL', async () => {
  const VALUE = 'anne@example.com'
  const database = connectPostgres({ url: await freshDatabase({ after }) })
  after(() => database.close())
  await database.query('CREATE TABLE people (id integer PRIMARY KEY, email text)')
  await database.query(
    `CREATE VIEW others AS SELECT * FROM people WHERE email <> '${VALUE}' WITH CHECK OPTION`,
  )
  const insert = (): Promise<unknown> => database.query('INSERT INTO people VALUES (1, $1)', [VALUE])
  const withTrigger = async (body: string): Promise<unknown> => {
    await database.query(
      `CREATE OR REPLACE FUNCTION judge() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN ${body}; RETURN NEW; END $$`,
    )
    await database.query(
      'CREATE OR REPLACE TRIGGER judge BEFORE INSERT ON people FOR EACH ROW EXECUTE FUNCTION judge()',
    )
    return insert()
  }
  for (const [name, work] of [
    ['a view that checks', () => database.query('INSERT INTO others VALUES (1, $1)', [VALUE])],
    ['a type', () => database.query('SELECT $1::integer', [VALUE])],
    ['a key', () => database.query('INSERT INTO people VALUES (1, $1), (1, $1)', [VALUE])],
    ['a trigger', () => withTrigger("RAISE EXCEPTION 'bad %', NEW.email")],
    [
      'a trigger with a code of its own',
      () => withTrigger("RAISE EXCEPTION 'bad %', NEW.email USING ERRCODE = 'UE001'"),
    ],
    [
      'a trigger with a code of PostgreSQL',
      () => withTrigger("RAISE EXCEPTION 'bad %', NEW.email USING ERRCODE = '42501', DETAIL = NEW.email"),
    ],
    [
      'a trigger that puts a statement together',
      () => withTrigger("EXECUTE 'SELECT ' || quote_literal(NEW.email) || ' FROM missing'"),
    ],
    [
      'a server that logs parameters with errors',
      () =>
        database.transaction(async client => {
          await client.query('SET LOCAL log_parameter_max_length_on_error = -1')
          await client.query('SET LOCAL statement_timeout = 20')
          await client.query('SELECT pg_sleep(30), $1::text', [VALUE])
        }),
    ],
  ] as const)
    test(`quotes no value of ${name}, in its causes neither`, async () => {
      await assert.rejects(work, error => {
        assert.ok(error instanceof StoreError)
        assert.equal(inspect(error, { depth: 10, showHidden: true }).includes(VALUE), false)
        return true
      })
    })

  test('keeps what a row budget says of its refusal', async () => {
    await assert.rejects(
      withTrigger("RAISE EXCEPTION 'budget' USING ERRCODE = 'PB001', DETAIL = '{}'"),
      error => {
        assert.ok(error instanceof StoreError)
        assert.equal((error.cause as pg.DatabaseError).detail, '{}')
        return true
      },
    )
  })
})
