import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { inspect } from 'node:util'
import { SqliteSubjectSalts } from '../src/table/subject-salts.ts'
import type { ColumnSchema, TableSchemas } from '../src/table/table-schema.ts'
import { Vault } from '../src/table/vault.ts'
import { testHolders } from './support/holders.ts'
import { only, row, SECRET, setting, tables } from './support/vault-rows.ts'

const folder = mkdtempSync(join(tmpdir(), 'vault-table-'))
after(() => rmSync(folder, { recursive: true }))
const INTEGRITY = { code: 'POSTERN_INTEGRITY' }

describe('rows', () => {
  it('come back as they were, whatever their types; other columns are untouched', async () => {
    const { vault } = setting()
    const rows = [row(1), row(2, { email: null, age: undefined, note: [1, null, 'é'] })]
    const sealed = await vault.sealRows('customers', rows)
    assert.ok(sealed[0]?.['email'] instanceof Uint8Array)
    assert.match(String(sealed[0]?.['phone']), /^pv1\./)
    assert.equal(sealed[0]?.['city'], 'Cork')
    const opened = await vault.openRows('customers', sealed)
    for (const [index, plain] of rows.entries())
      for (const [name, value] of Object.entries(plain)) assert.deepEqual(opened[index]?.[name], value, name)
  })

  it('of fifty records take one round trip to two holders', async () => {
    const { vault, holders } = setting()
    const sealed = await vault.sealRows(
      'customers',
      Array.from({ length: 50 }, (_, i) => row(i)),
    )
    const before = holders.links.reduce((sum, { requests }) => sum + requests, 0)
    await vault.openRows('customers', sealed)
    assert.equal(holders.links.reduce((sum, { requests }) => sum + requests, 0) - before, 2)
  })

  it('every value moved to any other tenant, key, version, column or row is an error, and no row is returned', async () => {
    const { vault } = setting()
    const places = [
      row(1),
      row(2),
      row(1, { tenant: 't2' }),
      row(1, { shop: 'south' }),
      row(1, { revision: 2 }),
    ]
    const sealed = await vault.sealRows('customers', places)
    for (const [i, from] of sealed.entries()) {
      for (const [j, to] of sealed.entries()) {
        if (i === j) continue
        for (const column of ['email', 'phone', 'note'])
          await assert.rejects(
            vault.openRows('customers', [{ ...to, [column]: from[column] }]),
            INTEGRITY,
            `${i} ${j} ${column}`,
          )
      }
    }
    await assert.rejects(
      vault.openRows('customers', [{ ...sealed[0], age: sealed[0]?.['email'] }]),
      INTEGRITY,
    )
  })

  it('compound keys are not run together', async () => {
    const { vault } = setting()
    const [sealed] = await vault.sealRows('customers', [row(23, { shop: 'a1' })])
    await assert.rejects(vault.openRows('customers', [{ ...sealed, shop: 'a12', id: 3 }]), INTEGRITY)
  })

  it('a key that a driver returns as text is the same key', async () => {
    const { vault } = setting()
    const [sealed] = await vault.sealRows('customers', [row(7)])
    assert.equal(
      only(await vault.openRows('customers', [{ ...sealed, id: '7', revision: '1' }]))['email'],
      SECRET,
    )
  })

  it('a value without a prefix is never trusted in a strict column', async () => {
    const { vault } = setting()
    const [sealed] = await vault.sealRows('customers', [row(1)])
    for (const forged of [
      SECRET,
      Buffer.from(SECRET),
      Buffer.alloc(60),
      '',
      Buffer.from([0xb7]),
      Buffer.from([0xb7, 1, 2, 0]),
      'pv1.',
      'pv1.!!!',
      7,
    ])
      await assert.rejects(
        vault.openRows('customers', [{ ...sealed, email: forged }]),
        INTEGRITY,
        inspect(forged),
      )
  })

  it('dual reads both and writes sealed; plaintext reads both and writes plain; a damaged record is never plain', async () => {
    const inState = (state: 'dual' | 'plaintext') => {
      const { vault, options } = setting({
        tables: { n: { key: ['id'], columns: { body: { mode: 'local', state } } } },
      })
      return { vault, options }
    }
    const dual = inState('dual')
    const [sealed] = await dual.vault.sealRows('n', [{ id: 1, body: 'x' }])
    assert.ok(sealed?.['body'] instanceof Uint8Array)
    assert.deepEqual(await dual.vault.openRows('n', [{ id: 1, body: 'plain' }, sealed]), [
      { id: 1, body: 'plain' },
      { id: 1, body: 'x' },
    ])
    const damaged = Buffer.from(sealed['body'] as Buffer)
    damaged[60 % damaged.length] = (damaged[60 % damaged.length] ?? 0) ^ 1
    await assert.rejects(dual.vault.openRows('n', [{ id: 1, body: damaged }]), INTEGRITY)
    await assert.rejects(dual.vault.openRows('n', [{ id: 1, body: damaged.subarray(0, 20) }]), INTEGRITY)
    const plain = inState('plaintext')
    assert.deepEqual(await plain.vault.sealRows('n', [{ id: 1, body: 'x' }]), [{ id: 1, body: 'x' }])
  })

  it('a held column passes sealed values only, both ways', async () => {
    const { vault, local } = setting()
    await assert.rejects(vault.sealRows('customers', [row(1, { diary: Buffer.from(SECRET) })]), {
      code: 'POSTERN_CONFIG',
    })
    const { seal } = await import('../src/local/local-record.ts')
    const diary = seal(
      local,
      { tenant: '', table: 'x', column: 'y', row: ['1'], version: 0 },
      Buffer.from('d'),
    )
    const [sealed] = await vault.sealRows('customers', [row(1, { diary })])
    assert.deepEqual(only(await vault.openRows('customers', [sealed ?? {}]))['diary'], diary)
  })

  it('nothing that is thrown holds a value: missing keys, wrong types, wrong holders', async () => {
    const { vault } = setting()
    const [sealed] = await vault.sealRows('customers', [row(1)])
    const attempts = [
      () => vault.sealRows('customers', [row(1, { id: undefined })]),
      () => vault.sealRows('customers', [row(1, { id: { toString: () => SECRET } })]),
      () => vault.sealRows('customers', [row(1, { email: { text: SECRET } })]),
      () => vault.sealRows('customers', [row(1, { age: SECRET })]),
      () => vault.sealRows('customers', [row(1, { diary: SECRET })]),
      () => vault.openRows('customers', [{ ...sealed, email: SECRET }]),
      () => vault.openRows('customers', [{ ...sealed, id: 2 }]),
      () => vault.equals('customers', 'phone', SECRET),
      () => vault.prefix('customers', 'email', SECRET),
      () =>
        setting({ split: testHolders().client('ingest').keys }).vault.openRows('customers', [sealed ?? {}]),
    ]
    for (const attempt of attempts) {
      await assert.rejects(
        async () => attempt(),
        (error: Error) => {
          assert.equal(inspect(error, { depth: 10 }).includes(SECRET), false, error.message)
          return true
        },
      )
    }
  })

  it('sealed by other holders, or with another key file, are errors, never rows', async () => {
    const { vault } = setting()
    const sealed = await vault.sealRows('customers', [row(1)])
    await assert.rejects(setting().vault.openRows('customers', sealed), INTEGRITY)
  })

  it('that were reserved are written while the holders are away, each key once, in its place only', async () => {
    const { vault, holders } = setting()
    const places = [1, 2].map(id => ({ tenant: 't1', shop: 'north', id, revision: 1 }))
    await vault.reserve('customers', places)
    for (const link of holders.links) link.isUp = false
    const plain = { ...places[0], phone: '+353 1 234' }
    const [sealed] = await vault.sealRows('customers', [plain])
    await assert.rejects(vault.sealRows('customers', [plain]), { code: 'POSTERN_STORE' })
    await assert.rejects(vault.sealRows('customers', [{ ...places[1], id: 3, phone: 'x' }]), {
      code: 'POSTERN_STORE',
    })
    for (const link of holders.links) link.isUp = true
    assert.equal(only(await vault.openRows('customers', [sealed ?? {}]))['phone'], '+353 1 234')
  })

  it('leave nothing in a diagnostic report of the process', async () => {
    const { vault, local } = setting()
    await vault.openRows('customers', await vault.sealRows('customers', [row(1)]))
    const report = JSON.stringify(process.report.getReport())
    const key = local.format().split('\n')[1]?.split(' ')[1] ?? '-'
    assert.equal(report.includes(SECRET) || report.includes(key), false)
  })

  it('an object’s prototype is not a column', async () => {
    const { vault } = setting({
      tables: { n: { key: ['constructor'], columns: { body: { mode: 'local' } } } },
    })
    await assert.rejects(vault.sealRows('n', [{ body: 'x' }]), { code: 'POSTERN_CONFIG' })
  })
})

describe('a column that is only ingested', () => {
  const { customers } = tables as { customers: TableSchemas[string] }
  const ingesting = (change: object = {}): TableSchemas => {
    const { phone, email } = customers.columns as Record<string, ColumnSchema>
    const columns = {
      email: { ...email, access: 'ingest', ...change } as ColumnSchema,
      phone: phone as ColumnSchema,
    }
    return { customers: { ...customers, columns } }
  }

  it('is sealed and comes back as it is stored; the holders are asked for nothing', async () => {
    const holders = testHolders()
    const client = holders.client('ingest')
    const vault = new Vault({
      tables: ingesting(),
      split: client.keys,
      searchKey: new Uint8Array(32).fill(5),
    })
    const plain = { tenant: 't1', shop: 'north', id: 1, revision: 1, email: SECRET }
    const [sealed] = await vault.sealRows('customers', [plain])
    const before = client.links.map(({ requests }) => requests)
    const [read] = await vault.openRows('customers', [sealed ?? {}])
    assert.deepEqual(read?.['email'], sealed?.['email'])
    assert.deepEqual(
      client.links.map(({ requests }) => requests),
      before,
    )
    const reader = new Vault({ tables, split: holders.keys, searchKey: new Uint8Array(32).fill(5) })
    const [opened] = await reader.openRows('customers', [sealed ?? {}])
    assert.equal(opened?.['email'], SECRET)
  })

  it('cannot be searched here, as an error and not as an empty result', () => {
    const vault = new Vault({ tables: ingesting(), split: testHolders().keys, searchKey: new Uint8Array(32) })
    assert.throws(() => vault.equals('customers', 'email', SECRET), {
      code: 'POSTERN_CONFIG',
      message: /ingested/,
    })
  })

  it('needs the state strict', () => {
    assert.throws(() => new Vault({ tables: ingesting({ state: 'dual' }) }), /ingest needs the state strict/)
    assert.throws(() => new Vault({ tables: ingesting({ access: 'none' }) }), /must be full or ingest/)
  })
})

describe('erasure', () => {
  const bySubject: TableSchemas = {
    orders: { key: ['id'], subject: 'customer', columns: { address: { mode: 'local' } } },
  }

  it('of a subject makes all their records unreadable, also in a copy, and no one else’s', async () => {
    const path = join(folder, 'subjects.db')
    const subjects = new SqliteSubjectSalts(path)
    const { vault } = setting({ tables: bySubject, subjects })
    const rows = [1, 2, 3].map(id => ({ id, customer: id === 3 ? 'bob' : 'anne', address: `${id} Quay` }))
    const copy = await vault.sealRows('orders', rows)
    const salt = (await subjects.get(['anne'])).get('anne') as Uint8Array
    assert.equal(await vault.erase('anne'), true)
    const opened = await vault.openRows('orders', copy)
    assert.deepEqual(
      opened.map(({ address }) => address),
      [null, null, '3 Quay'],
    )
    await assert.rejects(vault.sealRows('orders', rows.slice(0, 1)), /erased/)
    subjects.close()
    assert.equal(readFileSync(path).includes(Buffer.from(salt)), false, 'the salt is still in the file')
  })

  it('needs the salts: with others nothing opens', async () => {
    const { vault, options } = setting({ tables: bySubject, subjects: new SqliteSubjectSalts(':memory:') })
    const copy = await vault.sealRows('orders', [{ id: 1, customer: 'anne', address: 'x' }])
    const others = new SqliteSubjectSalts(':memory:')
    await others.ensure(['anne'])
    await assert.rejects(new Vault({ ...options, subjects: others }).openRows('orders', copy), INTEGRITY)
  })
})

describe('schemas', () => {
  it('with mistakes are refused, all at once', () => {
    assert.throws(
      () =>
        new Vault({
          tables: {
            a: { key: [], columns: { x: { mode: 'held', search: { equals: { column: 't', bits: 7 } } } } },
            b: { key: ['id'], columns: { id: { mode: 'local' } } },
          },
        }),
      (error: { issues?: readonly unknown[] }) => error.issues?.length === 4,
    )
  })
})
