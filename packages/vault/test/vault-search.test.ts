import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { LocalKeys } from '../src/local/local-keys.ts'
import type { TableSchema } from '../src/table/table-schema.ts'
import { Vault } from '../src/table/vault.ts'
import { testHolders } from './support/holders.ts'
import { row, SECRET, setting, tables } from './support/vault-rows.ts'

const INTEGRITY = { code: 'POSTERN_INTEGRITY' }

describe('search', () => {
  it('by equality finds the same value and no other, whatever the case', async () => {
    const { vault } = setting()
    const sealed = await vault.sealRows('customers', [row(1), row(2, { email: 'other@example.com' })])
    const { column, term } = await vault.equals('customers', 'email', ' Anne@Example.COM', 't1')
    assert.equal(column, 'email_term')
    assert.deepEqual(sealed[0]?.[column], term)
    assert.notDeepEqual(sealed[1]?.[column], term)
    assert.equal(term.length, 3 + 5)
  })

  it('terms of two tenants have nothing in common', async () => {
    const { vault } = setting()
    const [one] = await vault.sealRows('customers', [row(1)])
    assert.notDeepEqual((await vault.equals('customers', 'email', SECRET, 't2')).term, one?.['email_term'])
  })

  it('by a declared prefix and by declared buckets', async () => {
    const { vault } = setting()
    const [anne, short] = await vault.sealRows('customers', [row(1), row(2, { email: 'ab', age: 17 })])
    assert.deepEqual((await vault.prefix('customers', 'email', 'ANN', 't1')).term, anne?.['email_p3'])
    assert.equal(short?.['email_p3'], null)
    await assert.rejects(async () => vault.prefix('customers', 'email', 'anne', 't1'), {
      code: 'POSTERN_CONFIG',
    })
    const middle = await vault.range('customers', 'age', { from: 35, to: 45 }, 't1')
    assert.deepEqual(
      middle.map(({ term }) => term),
      [anne?.['age_bucket']],
    )
    const all = await vault.range('customers', 'age', { from: 0, to: 100 }, 't1')
    assert.equal(all.length, 4)
    assert.ok(all.some(({ term }) => Buffer.from(term).equals(short?.['age_bucket'] as Buffer)))
  })

  it('that names no tenant where there are some, or one where there are none, is an error, not an empty result', async () => {
    const CONFIG = { code: 'POSTERN_CONFIG' }
    const { vault, options } = setting()
    const [sealed] = await vault.sealRows('customers', [row(1)])
    const stored = sealed?.['email_term'] as Uint8Array
    const { tenant: _, ...customers } = tables['customers'] as TableSchema
    const without = new Vault({ ...options, tables: { ...tables, customers } })
    for (const [asked, tenant] of [
      [vault, undefined],
      [without, 't1'],
    ] as const) {
      await assert.rejects(async () => asked.equals('customers', 'email', SECRET, tenant), CONFIG)
      await assert.rejects(async () => asked.prefix('customers', 'email', 'ann', tenant), CONFIG)
      await assert.rejects(async () => asked.range('customers', 'age', { from: 1, to: 2 }, tenant), CONFIG)
      await assert.rejects(async () => asked.verifyTerm('customers', 'email', stored, tenant), CONFIG)
    }
    assert.equal((await without.equals('customers', 'email', SECRET)).column, 'email_term')
  })

  it('null has null terms; an absent column leaves its terms alone', async () => {
    const { vault } = setting()
    const [none, absent] = await vault.sealRows('customers', [
      row(1, { email: null }),
      row(2, { email: undefined }),
    ])
    assert.equal(none?.['email_term'], null)
    assert.equal('email_term' in (absent ?? {}), false)
  })

  it('with the wrong key is an error, not an empty result', async () => {
    const right = setting()
    const [sealed] = await right.vault.sealRows('customers', [row(1)])
    const stored = sealed?.['email_term'] as Uint8Array
    await right.vault.verifyTerm('customers', 'email', stored, 't1')
    const wrongKey = new Vault({ ...right.options, searchKey: new Uint8Array(32).fill(6) })
    await assert.rejects(wrongKey.verifyTerm('customers', 'email', stored, 't1'), INTEGRITY)
    await assert.rejects(setting().vault.verifyTerm('customers', 'email', stored, 't1'), INTEGRITY)
  })

  it('holders never see a value, only what the application’s key makes of it', async () => {
    const { vault, holders } = setting()
    const seen: string[] = []
    for (const link of holders.links) {
      const { request } = link
      link.request = async (body, timeout) => {
        seen.push(JSON.stringify(body))
        return request.call(link, body, timeout)
      }
    }
    await vault.sealRows('customers', [row(1)])
    await vault.equals('customers', 'email', SECRET, 't1')
    assert.ok(seen.length > 0)
    assert.equal(
      seen.some(text => text.includes('anne') || text.includes(Buffer.from(SECRET).toString('base64url'))),
      false,
    )
  })

  it('is under a budget: a dictionary cannot be run through it', async () => {
    const holders = testHolders({ searches: 8 })
    const vault = new Vault({
      tables,
      local: LocalKeys.generate(),
      split: holders.keys,
      searchKey: new Uint8Array(32),
    })
    let found = 0
    for (let i = 0; i < 40; i++) {
      try {
        await vault.equals('customers', 'email', `guess${i}@example.com`, 't1')
        found++
      } catch (error) {
        assert.equal((error as { code?: string }).code, 'POSTERN_BUDGET_EXCEEDED')
      }
    }
    assert.ok(found <= 12, `${found} terms`)
  })
})
