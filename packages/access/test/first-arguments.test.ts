import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ConfigError } from '@postern/core'
import { openSqlite } from '@postern/store'
import { Approvals } from '../src/approval/approvals.ts'
import { Access } from '../src/guard/access.ts'
import { guard } from '../src/guard/guard.ts'
import { definePolicies } from '../src/policy/policy-set.ts'
import { guardPool } from '../src/wrap/pg.ts'

/** Called as JavaScript lets people call it. */
type Untyped = (...given: readonly unknown[]) => unknown

const rule = { require: { role: 'finance' } }
const handler = (): string => 'done'

const WRONG: Readonly<Record<string, () => unknown>> = {
  'guard() without Access': () => (guard as Untyped)('invoice.purge', rule, handler),
  'guard() with nothing': () => (guard as Untyped)(),
  'guardPool() with nothing': () => (guardPool as Untyped)(),
  'guardPool() with the settings of a pool': () =>
    (guardPool as Untyped)({ connectionString: 'postgres://' }),
  'definePolicies() with nothing': () => (definePolicies as Untyped)(),
  'definePolicies() with an object': () => (definePolicies as Untyped)({ action: 'order.read' }),
  'definePolicies() with rules that allow() did not make': () =>
    (definePolicies as Untyped)([{ action: 'order.read' }]),
  'Approvals without a database': () => new Approvals({} as never),
  'Approvals with the path of a database': () => new Approvals({ database: './approvals.db' } as never),
  'openSqlite() with nothing': () => (openSqlite as Untyped)(),
  'openSqlite() with a path alone': () => (openSqlite as Untyped)('./shop.db'),
  'openSqlite() with the option of another library': () => (openSqlite as Untyped)({ filename: './shop.db' }),
}

describe('a call from JavaScript with something else', () => {
  for (const [title, call] of Object.entries(WRONG))
    test(`${title} is refused with an example`, () => {
      assert.throws(call, error => {
        assert.ok(error instanceof ConfigError, String(error))
        assert.match(error.issues[0]?.hint ?? '', /^\w+\(/)
        return true
      })
    })

  test('takes what it is documented to take', () => {
    assert.equal(typeof guard(new Access(), 'invoice.purge', rule, handler), 'function')
  })
})
