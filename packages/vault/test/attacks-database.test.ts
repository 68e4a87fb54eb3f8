// Attacks of who can read or write the database, beyond moving values about. Each is a test of one sentence
// of docs/vault-threat-model.md.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Member } from '../src/held/member.ts'
import { recoverFromShares, recoveryShares } from '../src/held/recovery-shares.ts'
import { LocalKeys } from '../src/local/local-keys.ts'
import { Vault } from '../src/table/vault.ts'
import { row, setting } from './support/vault-rows.ts'

const INTEGRITY = { code: 'POSTERN_INTEGRITY' }

describe('who can write the database', () => {
  it('brings back the old value of a row: it does not open beside the version of now', async () => {
    const { vault } = setting()
    const [old] = await vault.sealRows('customers', [row(1, { revision: 1, email: 'old@example.com' })])
    const [now] = await vault.sealRows('customers', [row(1, { revision: 2 })])
    await assert.rejects(vault.openRows('customers', [{ ...now, email: old?.['email'] }]), INTEGRITY)
    // The whole row, version and all, is a row as it was: what only a version kept elsewhere would notice.
    const [again] = await vault.openRows('customers', [{ ...old }])
    assert.equal(again?.['email'], 'old@example.com')
  })

  it('sets the version back and forth: a value opens under the one it was sealed with only', async () => {
    const { vault } = setting()
    const [sealed] = await vault.sealRows('customers', [row(1, { revision: 7 })])
    for (const revision of [0, 6, 8, 7 + 2 ** 32])
      await assert.rejects(vault.openRows('customers', [{ ...sealed, revision }]), INTEGRITY)
  })

  it('puts the search term of one row beside another: what is found opens as what it is', async () => {
    const { vault } = setting()
    const [anne, bob] = await vault.sealRows('customers', [row(1), row(2, { email: 'bob@example.com' })])
    const planted = { ...bob, email_term: anne?.['email_term'] }
    const [opened] = await vault.openRows('customers', [planted])
    assert.equal(opened?.['email'], 'bob@example.com')
  })

  it('turns a split record into one of mode local, or of another suite: it is refused before any key is asked', async () => {
    const { vault, holders } = setting()
    const [sealed] = await vault.sealRows('customers', [row(1)])
    const before = holders.links.reduce((sum, { requests }) => sum + requests, 0)
    for (const suite of [0, 1, 3, 255]) {
      const email = Buffer.from(sealed?.['email'] as Uint8Array)
      email[2] = suite
      await assert.rejects(vault.openRows('customers', [{ ...sealed, email }]), INTEGRITY)
    }
    assert.equal(
      holders.links.reduce((sum, { requests }) => sum + requests, 0),
      before,
    )
  })
})

describe('who reads the search terms', () => {
  /** Values as they are in the world: few are common, and an outsider knows which. */
  const COMMON = ['smith', 'jones', 'taylor', 'brown', 'williams', 'wilson', 'johnson', 'davies']
  const rows = COMMON.flatMap((name, rank) => Array.from({ length: 64 >> rank || 1 }, () => name))

  /** Rows that are named rightly by whoever orders terms, and names, by how often they come. */
  async function guessedRight(tenantOf: (index: number) => string): Promise<number> {
    const vault = new Vault({
      tables: {
        people: {
          key: ['id'],
          tenant: 'tenant',
          columns: { name: { mode: 'local', search: { equals: { column: 'term' } } } },
        },
      },
      local: LocalKeys.generate(),
      searchKey: new Uint8Array(32).fill(9),
    })
    const sealed = await vault.sealRows(
      'people',
      rows.map((name, id) => ({ id, name, tenant: tenantOf(id) })),
    )
    const counted = new Map<string, number[]>()
    for (const [index, { term }] of sealed.entries()) {
      const text = Buffer.from(term as Uint8Array).toString('hex')
      counted.set(text, [...(counted.get(text) ?? []), index])
    }
    const ranked = [...counted.values()].sort((x, y) => y.length - x.length)
    let right = 0
    for (const [rank, found] of ranked.entries())
      for (const index of found) if (rows[index] === COMMON[rank]) right++
    return right / rows.length
  }

  it('counts them: where he knows how common values are, he names nearly all rows. The page says so', async () => {
    assert.ok((await guessedRight(() => 't')) > 0.9)
  })

  it('counts them over many tenants: terms of each are their own, and most rows stay unnamed', async () => {
    assert.ok((await guessedRight(id => `${id % 16}`)) < 0.5)
  })
})

describe('who has some shares of a recovery, and makes up the others', () => {
  it('recovers nobody: neither with one share twice, nor with one of their own, nor with changed ones', async () => {
    const member = await Member.create()
    const shares = await recoveryShares(member, 3, 2)
    const own = await recoveryShares(await Member.create(), 3, 2)
    const [first = '', second = ''] = shares
    const [, mine = ''] = own
    const last = second.at(-8) === 'A' ? 'B' : 'A'
    const changed = second.slice(0, -8) + last + second.slice(-7)
    for (const forged of [[first, first], [first, mine], [first, changed], [first], [first, `${second}AAAA`]])
      await assert.rejects(recoverFromShares(forged))
    assert.deepEqual((await recoverFromShares([first, second])).public, member.public)
  })
})
