import assert from 'node:assert/strict'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { loadFacts } from '@postern/access'
import { ANN, SHOP_SQL, SUPPORT, shopPolicies } from '../support/shop.ts'

test('relationships of a thousand rows take one statement each, not one for each row', async () => {
  const db = new DatabaseSync(':memory:')
  db.exec(SHOP_SQL)
  const statements: string[] = []
  const query = (text: string, values: readonly (string | number)[]): readonly Record<string, unknown>[] => {
    statements.push(text)
    return db.prepare(text).all(...values)
  }
  const resources = Array.from({ length: 1_000 }, (_, id) => ({
    type: 'order',
    fields: {
      id,
      customer: 'bob',
      account: 1 + (id % 4),
      team: id % 2 === 0 ? 'red' : 'blue',
      status: 'open',
    },
  }))
  const options = { resources, query, dialect: 'sqlite' as const }
  const facts = await loadFacts(shopPolicies, { ...options, principal: ANN, action: 'order.read' })
  assert.equal(statements.length, 2)
  const mine = resources.filter(
    resource => shopPolicies.decide(ANN, 'order.read', resource, { facts }).allowed,
  )
  assert.equal(mine.length, 500)
  statements.length = 0
  const north = await loadFacts(shopPolicies, { ...options, principal: SUPPORT, action: 'order.delete' })
  assert.equal(statements.length, 1)
  const deletable = resources.filter(
    resource => shopPolicies.decide(SUPPORT, 'order.delete', resource, { facts: north }).allowed,
  )
  assert.equal(deletable.length, 250)
  db.close()
})
