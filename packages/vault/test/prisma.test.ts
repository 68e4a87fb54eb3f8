import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { inspect } from 'node:util'
import { LocalKeys } from '../src/local/local-keys.ts'
import { prismaVault } from '../src/orm/prisma-vault.ts'
import { Vault } from '../src/table/vault.ts'

const SECRET = 'anne@example.com'
const vault = new Vault({
  tables: { customers: { key: ['id'], columns: { email: { mode: 'local' } } } },
  local: LocalKeys.generate(),
})
const { $allOperations } = prismaVault(vault, { Customer: 'customers' }).extension.query.$allModels

/** What reaches Prisma's engine; the real client is in e2e/vault-prisma.test.ts. */
async function reaching(operation: string, args: object, model = 'Customer', result: unknown = null) {
  let reached: unknown
  const answer = await $allOperations({
    model,
    operation,
    args,
    query: async given => {
      reached = given
      return result
    },
  })
  return { reached: inspect(reached, { depth: 9 }), answer }
}

describe('Prisma', () => {
  const sealed: readonly (readonly [string, object])[] = [
    ['create', { data: { id: 1, email: SECRET } }],
    ['createMany', { data: [{ id: 1, email: SECRET }] }],
    ['update', { where: { id: 1 }, data: { email: { set: SECRET } } }],
    ['upsert', { where: { id: 1 }, create: { id: 1, email: SECRET }, update: { email: SECRET } }],
  ]
  for (const [operation, args] of sealed)
    it(`${operation} seals, and no plain value reaches the engine`, async () => {
      const { reached } = await reaching(operation, args)
      assert.ok(!reached.includes('anne'))
      assert.match(reached, /email: <Buffer b7/)
    })

  const refused: readonly (readonly [string, string, object])[] = [
    ['updateMany with a plain value', 'updateMany', { data: { email: SECRET } }],
    ['a condition', 'findMany', { where: { email: SECRET } }],
    ['a condition deep inside', 'findMany', { where: { OR: [{ NOT: { email: { contains: 'anne' } } }] } }],
    ['an order', 'findMany', { orderBy: { email: 'asc' } }],
    ['a condition of a relation', 'findMany', { include: { orders: { where: { email: SECRET } } } }],
    ['deleteMany with a condition', 'deleteMany', { where: { email: SECRET } }],
  ]
  for (const [name, operation, args] of refused)
    it(`${name} is refused without the value`, async () => {
      await assert.rejects(
        reaching(operation, args),
        (error: Error & { code?: string }) =>
          error.code === 'POSTERN_CONFIG' && !inspect(error, { depth: 9 }).includes('anne'),
      )
    })

  const id = 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'
  for (const [operation, place] of [
    ['update', 'data'],
    ['upsert', 'update'],
  ] as const)
    it(`${operation} by another spelling of a key than the database stores seals for the one that it stores`, async () => {
      const given: Record<string, unknown>[] = []
      const where = { id: id.toUpperCase() }
      const change = { email: SECRET, hits: { increment: 1 } }
      await $allOperations({
        model: 'Customer',
        operation,
        args: {
          where,
          [place]: change,
          ...(operation === 'upsert' && { create: { ...where, email: SECRET } }),
        },
        query: async (args: Record<string, unknown>) => {
          given.push(args)
          return { id, email: Buffer.alloc(0) }
        },
      })
      assert.equal(given.length, 2)
      const { [place]: written, ...rest } = given[1] ?? {}
      assert.deepEqual(rest['where'], where)
      // Not raised twice.
      assert.deepEqual(Object.keys(written as object), ['email'])
      const { email } = written as { readonly email: unknown }
      const [opened] = await vault.openRows('customers', [{ id, email }])
      assert.equal(opened?.['email'], SECRET)
    })

  it('a row that is given another key takes its values along, or is refused', async () => {
    const { reached } = await reaching('update', { where: { id: 1 }, data: { id: 2, email: SECRET } })
    assert.ok(!reached.includes('anne'))
    let written: Record<string, unknown> = {}
    await $allOperations({
      model: 'Customer',
      operation: 'update',
      args: { where: { id: 1 }, data: { id: { set: 2 }, email: SECRET } },
      query: async (given: { readonly data: Record<string, unknown> }) => {
        written = given.data
      },
    })
    const [opened] = await vault.openRows('customers', [{ id: 2, email: written['email'] }])
    assert.equal(opened?.['email'], SECRET)
    for (const [operation, args] of [
      ['update', { where: { id: 1 }, data: { id: 2 } }],
      ['upsert', { where: { id: 1 }, create: { id: 1, email: SECRET }, update: { id: 2 } }],
      ['updateMany', { where: {}, data: { id: 2 } }],
    ] as const)
      await assert.rejects(reaching(operation, args), { code: 'POSTERN_CONFIG', message: /email.*bound/s })
    await reaching('update', { where: { id: 1 }, data: { id: 1, city: 'Cork' } })
  })

  it('an update names its tenant in "where": data that bring one along do not take over the row of another', async () => {
    const shops = new Vault({
      tables: { customers: { key: ['id'], tenant: 'shop', columns: { email: { mode: 'local' } } } },
      local: LocalKeys.generate(),
    })
    const { $allOperations: run } = prismaVault(shops, { Customer: 'customers' }).extension.query.$allModels
    let written: Record<string, unknown> = {}
    const change = (operation: string, args: object) =>
      run({
        model: 'Customer',
        operation,
        args,
        query: async (given: { readonly data?: object; readonly update?: object }) => {
          written = { ...given.data, ...given.update }
        },
      })
    const create = { id: 1, shop: 'south', email: SECRET }
    for (const [operation, args] of [
      ['update', { where: { id: 1 }, data: { shop: 'south', email: SECRET } }],
      ['update', { where: { id: 1 }, data: { email: SECRET } }],
      ['upsert', { where: { id: 1 }, create, update: { shop: 'south', email: SECRET } }],
    ] as const)
      await assert.rejects(change(operation, args), { code: 'POSTERN_CONFIG', message: /shop.*where/s })
    for (const shop of ['south', { equals: 'south' }]) {
      await change('update', { where: { id: 1, shop }, data: { email: SECRET } })
      const [opened] = await shops.openRows('customers', [{ id: 1, shop: 'south', email: written['email'] }])
      assert.equal(opened?.['email'], SECRET)
    }
    await change('update', { where: { id: 1 }, data: { city: 'Cork' } })
    assert.deepEqual(written, { city: 'Cork' })
  })

  it('a write nested in that of another model must be sealed already', async () => {
    const nested = (email: unknown) => ({ data: { id: 9, customer: { create: { id: 1, email } } } })
    await assert.rejects(reaching('create', nested(SECRET), 'Order'), { code: 'POSTERN_CONFIG' })
    const [row] = await vault.sealRows('customers', [{ id: 1, email: SECRET }])
    await reaching('create', nested(row?.['email']), 'Order')
  })

  it('names of fields, and null, are not values', async () => {
    for (const args of [
      { where: { email: null }, select: { id: true, email: true } },
      { omit: { email: true } },
    ])
      assert.deepEqual((await reaching('findMany', args, 'Customer', [])).answer, [])
  })

  it('opens what is found: one, many and none', async () => {
    const rows = await vault.sealRows('customers', [{ id: 1, email: SECRET }])
    const many = await reaching('findMany', {}, 'Customer', rows)
    assert.deepEqual(many.answer, [{ id: 1, email: SECRET }])
    const one = await reaching('findUnique', { where: { id: 1 } }, 'Customer', rows[0])
    assert.deepEqual(one.answer, { id: 1, email: SECRET })
    assert.equal((await reaching('findFirst', {}, 'Customer', null)).answer, null)
  })
})
