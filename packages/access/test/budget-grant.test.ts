import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type BudgetGrant, openBudgetGrant, type SigningKey, signBudgetGrant } from '@postern/access'
import { ConfigError } from '@postern/core'

const key: SigningKey = { id: 7, secret: new Uint8Array(32).fill(1) }
const grant: BudgetGrant = {
  id: 'ab'.repeat(16),
  actor: 'user:zoë|',
  tenant: 'acme',
  act: '0'.repeat(64),
  budgets: ['orders.delete', 'items.delete'],
  rows: 4_812,
  expiresAt: 2_000,
}

test('a grant reads back as it was signed, until it expires', () => {
  const token = signBudgetGrant(grant, key)
  assert.deepEqual(openBudgetGrant(token, [key], 1_999), grant)
  assert.equal(openBudgetGrant(token, [key], 2_000), undefined)
})

test('a grant with any character changed, another key or another kind does not open', () => {
  const token = signBudgetGrant(grant, key)
  for (let i = 0; i < token.length; i++) {
    const changed = `${token.slice(0, i)}${token[i] === '0' ? '1' : '0'}${token.slice(i + 1)}`
    assert.equal(openBudgetGrant(changed, [key], 1_000), undefined, `character ${i}`)
  }
  assert.equal(openBudgetGrant(token, [{ ...key, secret: new Uint8Array(32).fill(2) }], 1_000), undefined)
  assert.equal(openBudgetGrant(token, [{ ...key, id: 8 }], 1_000), undefined)
  assert.equal(openBudgetGrant('', [key], 1_000), undefined)
})

test('a grant out of bounds is refused with every mistake at once', () => {
  const bad = { ...grant, id: 'zz', actor: '', act: 'x', budgets: [], rows: 0.5 }
  assert.throws(
    () => signBudgetGrant(bad, key),
    (error: unknown) => error instanceof ConfigError && error.issues.length === 5,
  )
  assert.throws(
    () => signBudgetGrant(grant, { id: 1, secret: new Uint8Array(16) }),
    /at least 32 random bytes/,
  )
})
