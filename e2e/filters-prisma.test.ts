// Filters of policies as a `where` of Prisma 7, which takes the same words otherwise inside another `where`.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  allow,
  always,
  type Condition,
  definePolicies,
  eq,
  isNull,
  member,
  not,
  resourceType,
  toPrisma,
} from '@postern/access'
import pg from 'pg'
import { freshDatabase } from '../test/fresh.ts'
import { generatePrisma } from './prisma-client.ts'

// One table as two models: what is required in one may be null in the other.
const MODELS = ['', '?']
  .map(
    (mark, i) => `
model Order${i} {
  id     Int     @id
  note   String${mark}
  count  Int${mark}
  paid   Boolean${mark}
  at     DateTime${mark} @db.Timestamptz(6)
  share  Float${mark}
  ref    String${mark} @db.Uuid
  team   String${mark}
  teamOf Team${mark}   @relation(fields: [team], references: [id])
  @@map("orders${i}")
}`,
  )
  .join('\n')
  .concat(`
model Team {
  id      String   @id
  members Member[]
  orders0 Order0[]
  orders1 Order1[]
  @@map("teams")
}
model Member {
  team   String
  userId String
  teamOf Team   @relation(fields: [team], references: [id])
  @@id([team, userId])
  @@map("members")
}
`)

type Find = (args: object) => Promise<readonly { readonly id: number }[]>
interface Client {
  readonly order0: { readonly findMany: Find }
  readonly order1: { readonly findMany: Find }
  $disconnect(): Promise<void>
}

const order = resourceType('order', {
  table: 'orders',
  fields: {
    id: 'integer',
    note: 'text',
    count: 'integer',
    paid: 'boolean',
    at: 'time',
    share: 'number',
    ref: 'uuid',
    team: 'text',
  },
})
const ANN = { kind: 'user', id: 'ann' } as const
const required = ['note', 'count', 'paid', 'at', 'share', 'ref', 'team'].map(name => `order.${name}`)
const relations = { 'order.team': 'teamOf.members.userId' }
const whereOf = (when: Condition, options: object = {}) =>
  toPrisma(
    definePolicies([allow('some', { action: 'order.read', on: order, when })]).filter(
      ANN,
      'order.read',
      'order',
    ),
    { relations, ...options },
  )

test('a filter gives the same rows as a part of another where, and of fields that may be null or not', {
  timeout: 180_000,
}, async t => {
  const url = await freshDatabase(t)
  const database = new pg.Client({ connectionString: url })
  await database.connect()
  await database.query(`
    CREATE TABLE teams (id text PRIMARY KEY);
    CREATE TABLE members (team text, "userId" text, PRIMARY KEY (team, "userId"));
    CREATE TABLE orders0 (id int PRIMARY KEY, note text, count int, paid boolean, at timestamptz, share float8,
      ref uuid, team text REFERENCES teams);
    INSERT INTO teams VALUES ('red'), ('blue');
    INSERT INTO members VALUES ('red', 'ann');
    CREATE VIEW orders1 AS SELECT * FROM orders0;
    INSERT INTO orders0 VALUES
      (1, 'x', 1, true, now(), 'NaN', gen_random_uuid(), 'red'),
      (2, '', 0, false, 'epoch', 0, '00000000-0000-0000-0000-000000000000', 'blue')`)
  const { PrismaClient, PrismaPg } = await generatePrisma<Client>(t, MODELS)
  const prisma = new PrismaClient({ adapter: new PrismaPg({ connectionString: url }) })
  const found = async (find: Find, where: object): Promise<readonly number[]> =>
    (await find({ where, orderBy: { id: 'asc' } })).map(({ id }) => id)
  const other = { id: { gt: 0 } }
  const nothing = { id: { lt: 0 } }
  /** The `where` alone, and in places that leave its rows as they are. */
  const everywhere = (where: object): readonly object[] => [
    where,
    { AND: [other, where] },
    { AND: [{ AND: [where] }] },
    { OR: [nothing, where] },
    { OR: [nothing, { AND: [other, where] }] },
    { NOT: { NOT: where } },
    { ...other, AND: where },
    { teamOf: { isNot: { members: { some: { userId: 'nobody' } } } }, AND: [where] },
  ]
  const { fields } = order
  const isMember = member(fields.team, { table: 'members', group: 'team', principal: 'userId' })

  try {
    const cases: readonly (readonly [string, Condition, readonly number[]])[] = [
      ['no row', not(always), []],
      ['every row', always, [1, 2]],
      ['one row', eq(fields.id, 2), [2]],
      ['no member of the team', not(isMember), [2]],
    ]
    for (const [name, when, ids] of cases)
      for (const find of [prisma.order0.findMany, prisma.order1.findMany])
        for (const where of everywhere(whereOf(when)))
          assert.deepEqual(await found(find, where), ids, `${name}: ${JSON.stringify(where)}`)

    for (const name of ['note', 'count', 'paid', 'at', 'share', 'ref', 'team'] as const)
      for (const [when, ids] of [
        [isNull(fields[name]), []],
        [not(isNull(fields[name])), [1, 2]],
      ] as const) {
        for (const where of everywhere(whereOf(when, { required })))
          assert.deepEqual(await found(prisma.order0.findMany, where), ids, JSON.stringify(where))
        assert.deepEqual(await found(prisma.order1.findMany, whereOf(when)), ids)
        await assert.rejects(found(prisma.order0.findMany, whereOf(when)), /null|missing/)
      }

    // Fields that were named as required and are not: no row too many.
    await database.query('INSERT INTO orders0 (id) VALUES (3)')
    for (const name of ['note', 'count', 'paid', 'at', 'share', 'ref', 'team'] as const) {
      const where = whereOf(not(isNull(fields[name])), { required })
      assert.deepEqual(await found(prisma.order1.findMany, where), [1, 2])
    }
    assert.deepEqual(await found(prisma.order1.findMany, whereOf(not(isMember))), [2])
  } finally {
    await prisma.$disconnect()
    await database.end()
  }
})
