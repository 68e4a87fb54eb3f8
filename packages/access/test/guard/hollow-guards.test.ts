import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Access, type ActRule, graphqlField, guard, trpcGuard } from '@postern/access'
import { ConfigError } from '@postern/core'
import { shopPolicies } from '../support/shop.ts'

const caller = { principal: { kind: 'user', id: 'ann' } } as const

/** What puts a rule before something, and whether it names the resource that policies are asked about. */
const PLACES: Readonly<Record<string, (access: Access, rule: ActRule, isOfResource: boolean) => unknown>> = {
  'a function': (access, rule, isOfResource) =>
    guard(
      access,
      'order.read',
      { ...rule, ...(isOfResource && { resource: () => ({ type: 'order', fields: { id: '1' } }) }) },
      () => 1,
    ),
  'a procedure': (access, rule, isOfResource) =>
    trpcGuard(access, {
      ...rule,
      ...(isOfResource && { resource: () => ({ type: 'order', fields: { id: '1' } }) }),
      caller: () => caller,
      error: ({ message }) => new Error(message),
    }),
  'a field': (access, rule, isOfResource) =>
    graphqlField(
      access,
      {
        ...rule,
        ...(isOfResource && { resource: () => ({ type: 'order', fields: { id: '1' } }) }),
        action: 'order.read',
        caller: () => caller,
      },
      () => 1,
    ),
}

describe('a guard that would let everybody pass is an error where it is written', () => {
  for (const [place, build] of Object.entries(PLACES)) {
    test(`attack: ${place}, without a rule and without policies that are asked`, () => {
      const policies = shopPolicies
      for (const [access, isOfResource] of [
        [new Access(), false],
        [new Access({ policies }), false],
        [new Access(), true],
      ] as const)
        assert.throws(
          () => build(access, {}, isOfResource),
          (error: unknown) => {
            assert.ok(error instanceof ConfigError)
            assert.match(error.message, /it guards nothing: everybody passes/)
            return true
          },
        )
      assert.throws(() => build(new Access(), { budget: 'orders.delete' }, false), ConfigError)
    })

    test(`${place} with a rule, with policies that are asked, or for agents is accepted`, () => {
      assert.ok(build(new Access(), { require: {} }, false))
      assert.ok(build(new Access({ policies: shopPolicies }), {}, true))
      assert.ok(build(new Access({ agentOf: () => undefined }), {}, false))
    })
  }
})
