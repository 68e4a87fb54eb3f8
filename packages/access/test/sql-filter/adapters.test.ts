import assert from 'node:assert/strict'
import { DatabaseSync } from 'node:sqlite'
import { after, before, test } from 'node:test'
import {
  allow,
  always,
  any,
  type Condition,
  definePolicies,
  eq,
  type Filter,
  gt,
  gte,
  isNull,
  lt,
  lte,
  ne,
  not,
  oneOf,
  parent,
  resourceType,
  toPrisma,
  toSql,
} from '@postern/access'
import { sql as drizzleSql } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/node-postgres'
import { integer, pgTable, text } from 'drizzle-orm/pg-core'
import createKnex from 'knex'
import { Kysely, sql as kyselySql, PostgresDialect } from 'kysely'
import pg from 'pg'
import postgres from 'postgres'
import { freshDatabase } from '../../../../test/services.ts'
import { ANN, AUDITOR, NOBODY, SHOP_SQL, SUPPORT, shopPolicies } from '../support/shop.ts'

const url = await freshDatabase({ after })
const pool = new pg.Pool({ connectionString: url, max: 2 })
pool.on('error', () => {})
before(async () => {
  await pool.query(SHOP_SQL)
})
after(() => pool.end())

const filters: readonly (readonly [string, Filter, readonly number[]])[] = [
  ['a customer in a team', shopPolicies.filter(ANN, 'order.read', 'order'), [1, 2, 4, 5]],
  ['the same, editing', shopPolicies.filter(ANN, 'order.edit', 'order'), [4]],
  ['support of a tenant', shopPolicies.filter(SUPPORT, 'order.read', 'order'), [1, 2, 4]],
  ['support, deleting', shopPolicies.filter(SUPPORT, 'order.delete', 'order'), [1]],
  ['an auditor', shopPolicies.filter(AUDITOR, 'order.read', 'order'), [1, 2, 3, 4, 5, 6]],
  ['nobody', shopPolicies.filter(NOBODY, 'order.read', 'order'), []],
]

const orders = pgTable('orders', { id: integer('id').primaryKey(), status: text('status') })
interface Schema {
  orders: { id: number }
}
const ids = (rows: readonly { readonly id: number }[]): readonly number[] => rows.map(({ id }) => id).sort()

test('Kysely takes the filter', async () => {
  const db = new Kysely<Schema>({ dialect: new PostgresDialect({ pool }) })
  for (const [name, filter, expected] of filters) {
    const query = db
      .selectFrom('orders')
      .select('id')
      .where(toSql(filter).as(kyselySql<boolean>))
    assert.deepEqual(ids(await query.execute()), expected, name)
  }
})

test('Drizzle takes the filter', async () => {
  const db = drizzle(pool)
  for (const [name, filter, expected] of filters)
    assert.deepEqual(
      ids(await db.select({ id: orders.id }).from(orders).where(toSql(filter).as(drizzleSql))),
      expected,
      name,
    )
})

test('postgres.js takes the filter', async () => {
  const sql = postgres(url, { max: 1, onnotice: () => {} })
  for (const [name, filter, expected] of filters) {
    const rows = await sql<
      { id: number }[]
    >`SELECT id FROM orders WHERE ${toSql(filter).as<postgres.PendingQuery<postgres.Row[]>>((strings, ...values) => sql(strings, ...values))}`
    assert.deepEqual(ids(rows), expected, name)
  }
  await sql.end()
})

test('Knex takes the filter', async () => {
  const knex = createKnex({ client: 'pg', connection: url, pool: { min: 0, max: 1 } })
  for (const [name, filter, expected] of filters) {
    const { text: condition, values } = toSql(filter, { parameters: 'question' })
    assert.deepEqual(
      ids(
        await knex<{ id: number }>('orders')
          .select('id')
          .whereRaw(condition, [...values]),
      ),
      expected,
      name,
    )
  }
  await knex.destroy()
})

test('plain SQL takes the filter, beside OR, with an alias, after parameters of its own', async () => {
  for (const [name, filter, expected] of filters) {
    const { text: condition, values } = toSql(filter, { alias: 'o', firstParameter: 2 })
    const { rows } = await pool.query(`SELECT id FROM orders o WHERE o.id = $1 OR ${condition}`, [
      -1,
      ...values,
    ])
    assert.deepEqual(ids(rows), expected, name)
  }
})

test('SQLite takes the filter', () => {
  const db = new DatabaseSync(':memory:')
  db.exec(SHOP_SQL)
  for (const [name, filter, expected] of filters) {
    const { text: condition, values } = toSql(filter, { dialect: 'sqlite' })
    const rows = db.prepare(`SELECT id FROM orders WHERE ${condition}`).all(...values)
    assert.deepEqual(rows.map(row => Number(row['id'])).sort(), expected, name)
  }
  db.close()
})

test('Prisma takes the filter as a where', () => {
  const relations = { 'order.account': 'accountOf', 'order.team': 'teamOf.members.userId' }
  assert.deepEqual(toPrisma(shopPolicies.filter(ANN, 'order.read', 'order'), { relations }), {
    OR: [{ customer: { equals: 'ann' } }, { teamOf: { is: { members: { some: { userId: 'ann' } } } } }],
  })
  assert.deepEqual(toPrisma(shopPolicies.filter(AUDITOR, 'order.read', 'order'), { relations }), {
    id: { notIn: [] },
  })
  assert.deepEqual(toPrisma(shopPolicies.filter(NOBODY, 'order.read', 'order'), { relations }), {
    id: { in: [] },
  })
  assert.throws(
    () => toPrisma(shopPolicies.filter(SUPPORT, 'order.read', 'order')),
    /relations: \{ 'order\.team'/,
  )
})

test('attack: who may see no row gets all of them in Prisma, which leaves an empty OR out inside an AND', () => {
  // `e2e/filters-prisma.test.ts` asks Prisma itself.
  const hasEmpty = (where: unknown): boolean =>
    typeof where === 'object' &&
    where !== null &&
    Object.entries(where).some(
      ([key, value]) =>
        (/^(?:AND|OR|NOT)$/.test(key) && Array.isArray(value) && value.length === 0) || hasEmpty(value),
    )
  assert.ok(hasEmpty({ AND: [{ a: 1 }, { OR: [] }] }))
  const event = resourceType('event', { table: 'events', key: 'no', fields: { no: 'integer', at: 'text' } })
  const folder = resourceType('folder', { fields: { id: 'integer' } })
  const { at, no } = event.fields
  const options = { required: ['event.at'], relations: { 'event.no': 'folderOf' } }
  const where = (when: Condition) =>
    toPrisma(
      definePolicies([allow('some', { action: 'event.read', on: event, when })]).filter(
        ANN,
        'event.read',
        'event',
      ),
      options,
    )
  assert.deepEqual(where(not(always)), { no: { in: [] } })
  for (const when of [
    always,
    not(always),
    isNull(at),
    not(isNull(at)),
    any(isNull(at), eq(at, 'x')),
    oneOf(at, []),
    not(oneOf(at, [])),
    parent(no, folder, always),
    not(parent(no, folder, always)),
  ])
    assert.equal(hasEmpty(where(when)), false, JSON.stringify(where(when)))
})

test('attack: a row that was written in the millisecond of a limit passes for one beyond it in Prisma', () => {
  const event = resourceType('event', { table: 'events', fields: { id: 'integer', at: 'time' } })
  const { at } = event.fields
  const limit = Date.UTC(2026, 0, 1)
  const start = new Date(limit)
  const next = new Date(limit + 1)
  const other = [{ at: { lt: start } }, { at: { gte: next } }]
  for (const [when, where] of [
    [gt(at, limit), { at: { gte: next } }],
    [gte(at, limit), { at: { gte: start } }],
    [lt(at, limit), { at: { lt: start } }],
    [lte(at, limit), { at: { lt: next } }],
    [eq(at, limit), { at: { gte: start, lt: next } }],
    [ne(at, limit), { OR: other }],
    [oneOf(at, [limit]), { OR: [{ at: { gte: start, lt: next } }] }],
    [not(oneOf(at, [limit])), { AND: [{ OR: other }] }],
  ] as const) {
    const policies = definePolicies([allow('events of a time', { action: 'event.read', on: event, when })])
    assert.deepEqual(toPrisma(policies.filter(ANN, 'event.read', 'event')), where)
  }
})

test('no value of a caller stands in the text of a statement', () => {
  const hostile = {
    kind: 'user',
    id: "x' OR '1'='1",
    tenant: '"; DROP TABLE orders; --',
    roles: ['support'],
  } as const
  for (const dialect of ['postgres', 'sqlite'] as const) {
    const { text: condition, values } = toSql(shopPolicies.filter(hostile, 'order.read', 'order'), {
      dialect,
    })
    assert.doesNotMatch(condition, /DROP|'/)
    assert.ok(values.includes(hostile.id) && values.includes(hostile.tenant))
  }
})
