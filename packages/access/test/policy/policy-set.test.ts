import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  allow,
  always,
  attribute,
  type Condition,
  check,
  definePolicies,
  deny,
  eq,
  Facts,
  hasRole,
  isNull,
  lt,
  ne,
  not,
  now,
  oneOf,
  owns,
  parent,
  principal,
  resourceType,
} from '@postern/access'
import { ConfigError } from '@postern/core'
import { ANN, AUDITOR, account, NOBODY, order, SUPPORT, shopPolicies, TEAM } from '../support/shop.ts'

const open = { type: 'order', fields: { id: 1, customer: 'ann', account: 1, team: 'red', status: 'open' } }

test('what no policy covers is denied, and says so', () => {
  assert.deepEqual(shopPolicies.decide(ANN, 'order.ship', open), {
    allowed: false,
    policy: 'default',
    why: 'default',
  })
  assert.equal(shopPolicies.decide(ANN, 'toString', open).policy, 'default')
  assert.equal(shopPolicies.decide(AUDITOR, 'order.read', { type: '__proto__' }).policy, 'auditors read')
  assert.equal(shopPolicies.decide(ANN, 'order.read', { type: 'constructor' }).allowed, false)
})

test('every decision names the policy that made it', () => {
  const cases = [
    [ANN, 'order.read', 'customers read their own orders'],
    [AUDITOR, 'order.read', 'auditors read'],
    [AUDITOR, 'account.read', 'auditors read'],
  ] as const
  for (const [caller, action, policy] of cases)
    assert.equal(shopPolicies.decide(caller, action, open).policy, policy)
})

test('a deny overrides every allow', () => {
  const facts = new Facts()
  facts.addParent('account', 1, { tenant: 'north', frozen: false })
  const closed = { ...open, fields: { ...open.fields, status: 'closed' } }
  assert.equal(shopPolicies.decide(SUPPORT, 'order.edit', open, { facts }).allowed, true)
  assert.deepEqual(shopPolicies.decide(SUPPORT, 'order.edit', closed, { facts }), {
    allowed: false,
    policy: 'nobody edits closed orders',
    why: 'policy',
  })
})

test('a deny whose condition is unknown forbids; an allow whose condition is unknown does not allow', () => {
  const facts = new Facts()
  facts.addParent('account', 1, { tenant: 'north', frozen: null })
  assert.deepEqual(shopPolicies.decide(SUPPORT, 'order.delete', open, { facts }), {
    allowed: false,
    policy: 'nothing is deleted while the account is frozen',
    why: 'unknown',
  })
  const unloaded = shopPolicies.decide(SUPPORT, 'order.ship', open)
  assert.equal(unloaded.policy, 'default')
})

test('an anonymous caller does not own a row whose owner is empty', () => {
  assert.equal(
    shopPolicies.decide(NOBODY, 'order.read', { type: 'order', fields: { customer: '' } }).allowed,
    false,
  )
  assert.equal(shopPolicies.filter(NOBODY, 'order.read', 'order').rows, 'none')
})

test('a relationship of another caller is not mine', () => {
  const facts = new Facts()
  facts.addMember(TEAM, 'red', 'bob', true)
  const foreign = { type: 'order', fields: { ...open.fields, customer: 'bob' } }
  assert.equal(shopPolicies.decide(ANN, 'order.read', foreign, { facts }).allowed, false)
  facts.addMember(TEAM, 'red', 'ann', true)
  assert.equal(shopPolicies.decide(ANN, 'order.read', foreign, { facts }).allowed, true)
})

test('a field that was not loaded is not null', () => {
  const policies = definePolicies([
    allow('free orders', { action: 'take', on: order, when: isNull(order.fields.customer) }),
  ])
  assert.equal(policies.decide(ANN, 'take', { type: 'order' }).allowed, false)
  assert.equal(policies.decide(ANN, 'take', { type: 'order', fields: { customer: null } }).allowed, true)
})

test('a value of another type than declared matches nothing, not even "not equal"', () => {
  for (const when of [
    eq(order.fields.status, 'open'),
    ne(order.fields.status, 'closed'),
    not(eq(order.fields.status, 'closed')),
  ]) {
    const policies = definePolicies([allow('a', { action: 'x', on: order, when })])
    for (const status of [['open'], { toString: () => 'open' }, 0, true, undefined, null, Symbol.iterator])
      assert.equal(policies.decide(ANN, 'x', { type: 'order', fields: { status } }).allowed, false)
    assert.equal(policies.decide(ANN, 'x', { type: 'order', fields: { status: 'open' } }).allowed, true)
  }
})

test('a family of actions covers actions that nobody named', () => {
  const policies = definePolicies([
    allow('admins do everything', { action: '*', when: hasRole('admin') }),
    allow('clerks do everything with orders', { action: 'order.*', on: order, when: hasRole('clerk') }),
    deny('nobody purges', { action: 'order.purge' }),
  ])
  const clerk = { kind: 'user', id: 'c', roles: ['clerk'] } as const
  const admin = { kind: 'user', id: 'a', roles: ['admin'] } as const
  assert.equal(policies.decide(clerk, 'order.refund', open).allowed, true)
  assert.equal(policies.decide(clerk, 'orders.refund', open).allowed, false)
  assert.equal(policies.decide(admin, 'order.refund', open).policy, 'admins do everything')
  assert.equal(policies.decide(admin, 'anything', { type: 'other' }).allowed, true)
  assert.equal(policies.decide(admin, 'order.purge', open).policy, 'nobody purges')
})

test('a deny that needs a role holds for those who have it, and for no others', () => {
  const policies = definePolicies([
    allow('everybody reads', { action: 'order.read', on: order }),
    deny('the suspended do nothing', { action: '*', when: hasRole('suspended') }),
  ])
  assert.equal(
    policies.decide({ ...ANN, roles: ['x', 'suspended'] }, 'order.read', open).policy,
    'the suspended do nothing',
  )
  assert.equal(policies.decide(ANN, 'order.read', open).allowed, true)
})

test('roles and scopes are compared as values of the field that is one of them', () => {
  const thing = resourceType('thing', { fields: { id: 'integer', at: 'time', share: 'number' } })
  const policies = definePolicies([
    allow('all', { action: '*', on: thing }),
    deny('id', { action: 'id', on: thing, when: oneOf(thing.fields.id, 'roles') }),
    deny('time', { action: 'time', on: thing, when: oneOf(thing.fields.at, 'roles') }),
    deny('share', { action: 'share', on: thing, when: oneOf(thing.fields.share, 'scopes') }),
  ])
  const caller = { ...ANN, roles: ['7', '2026-01-01T00:00:00Z'], scopes: ['0.50', 'NaN'] }
  const at = new Date('2026-01-01T00:00:00Z')
  for (const id of [7, 7n, '7']) {
    const thingOf = (fields: object): { type: string; fields: object } => ({ type: 'thing', fields })
    assert.equal(policies.decide(caller, 'id', thingOf({ id })).allowed, false, `${typeof id} ${id}`)
    assert.equal(policies.decide(caller, 'id', thingOf({ id: 8 })).allowed, true)
    assert.equal(policies.decide(caller, 'time', thingOf({ at })).allowed, false)
    assert.equal(policies.decide(caller, 'share', thingOf({ share: 0.5 })).allowed, false)
    assert.equal(policies.decide(caller, 'share', thingOf({ share: Number.NaN })).allowed, true)
  }
})

test('a check that returns no boolean is unknown: a promise neither lifts a "not" nor a deny', () => {
  const later = check('later', (async () => true) as unknown as () => boolean)
  const policies = definePolicies([
    allow('not later', { action: 'a', when: not(later) }),
    allow('all', { action: 'b' }),
    deny('later', { action: 'b', when: later }),
    allow('one', { action: 'c', when: not(check('one', (() => undefined) as unknown as () => boolean)) }),
  ])
  for (const action of ['a', 'b', 'c'])
    assert.equal(policies.decide(ANN, action, { type: '' }).allowed, false, action)
})

test('a caller without a tenant is not of the empty one', () => {
  const when = eq(account.fields.tenant, principal.tenant)
  const policies = definePolicies([allow('tenant', { action: 'read', on: account, when })])
  const resource = { type: 'account', fields: { id: 1, tenant: '' } }
  assert.equal(policies.decide({ ...ANN, tenant: '' }, 'read', resource).allowed, false)
  assert.equal(policies.filter({ ...ANN, tenant: '' }, 'read', 'account').rows, 'none')
})

test('conditions read the clock and the attributes that are passed in', () => {
  const policies = definePolicies([
    allow('before the deadline', { action: 'a', when: lt(now(), new Date(1_000)) }),
    allow('from the office', { action: 'b', when: eq(attribute('network'), 'office') }),
    allow('on weekdays', { action: 'c', when: check('weekday', (_, { time }) => (time ?? 0) === 5) }),
  ])
  assert.equal(policies.decide(ANN, 'a', { type: '' }, { time: 999 }).allowed, true)
  assert.equal(policies.decide(ANN, 'a', { type: '' }, { time: 1_000 }).allowed, false)
  assert.equal(policies.decide(ANN, 'a', { type: '' }).allowed, false)
  assert.equal(policies.decide(ANN, 'b', { type: '' }, { attributes: { network: 'office' } }).allowed, true)
  assert.equal(policies.decide(ANN, 'b', { type: '' }, { attributes: {} }).allowed, false)
  assert.equal(policies.decide(ANN, 'c', { type: '' }, { time: 5 }).allowed, true)
})

const other = resourceType('other', { fields: { id: 'uuid', owner: 'text' } })
const mistakes: readonly (readonly [string, () => unknown, RegExp])[] = [
  [
    'two policies of one name',
    () => definePolicies([allow('a', { action: 'x' }), deny('a', { action: 'y' })]),
    /used twice/,
  ],
  [
    'a field of another type',
    () => definePolicies([allow('a', { action: 'x', on: order, when: owns(other.fields.owner) })]),
    /other\.owner/,
  ],
  [
    'a field where every type is meant',
    () => definePolicies([allow('a', { action: 'x', when: owns(other.fields.owner) })]),
    /every type/,
  ],
  [
    'a parent condition on the child',
    () =>
      definePolicies([
        allow('a', {
          action: 'x',
          on: order,
          when: parent(order.fields.account, account, owns(order.fields.customer)),
        }),
      ]),
    /order\.customer/,
  ],
  [
    'two types of one name',
    () =>
      definePolicies([
        allow('a', { action: 'x', on: [order, resourceType('order', { fields: { id: 'text' } })] }),
      ]),
    /declared twice/,
  ],
  ['an order of texts', () => lt(order.fields.status, 'x'), /collation/],
  ['an integer and a text', () => eq(order.fields.id, 'x'), /holds integer/],
  ['an integer and a field of text', () => eq(order.fields.id, order.fields.status), /integer with text/],
  [
    'a list that is too long',
    () =>
      oneOf(
        order.fields.id,
        Array.from({ length: 1_001 }, (_, i) => i),
      ),
    /1000/,
  ],
  ['a key of another type', () => parent(order.fields.status, account, always), /key of "account"/],
  ['an action with a star in it', () => allow('a', { action: 'or*der' }), /not an action/],
  ['no action', () => allow('a', { action: [] }), /no action/],
  ['a key that is not a field', () => resourceType('x', { fields: { name: 'text' } }), /key "id"/],
  ['a filter of an unknown type', () => shopPolicies.filter(ANN, 'order.read', 'nothing'), /order, account/],
]
for (const [name, work, message] of mistakes)
  test(`refuses ${name}`, () => {
    assert.throws(work, (error: unknown) => error instanceof ConfigError && message.test(error.message))
  })

test('refuses conditions nested without end', () => {
  let when: Condition = always
  for (let i = 0; i < 100; i++) when = not(when)
  assert.throws(() => definePolicies([allow('a', { action: 'x', when })]), ConfigError)
})
