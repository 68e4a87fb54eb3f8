import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cedarPolicies } from '@postern/access'
import { ConfigError, type Principal } from '@postern/core'

const ANN: Principal = { kind: 'user', id: 'ann' }
const decideWith = async (policies: string, fields: object): Promise<boolean> =>
  (await cedarPolicies({ policies })).decide(ANN, 'order.pay', { type: 'order', fields }).allowed

const LARGE = `permit(principal, action, resource);
forbid(principal, action, resource) when { resource has amount && resource.amount > 1000 };`

test('an amount that Cedar cannot hold does not pass a forbid that asks whether there is one', async () => {
  assert.equal(await decideWith(LARGE, { amount: 10 }), true)
  for (const amount of [2_000.000_01, 1e20, 2n ** 70n, Number.NaN, { value: 2_000 }, new Date(Number.NaN)])
    assert.equal(await decideWith(LARGE, { amount }), false, String(amount))
  for (const amount of [null, undefined]) assert.equal(await decideWith(LARGE, { amount }), true)
})

test('an item that Cedar cannot hold does not vanish from a list', async () => {
  const all = 'permit(principal, action, resource) when { ["a", "b"].containsAll(resource.tags) };'
  assert.equal(await decideWith(all, { tags: ['a'] }), true)
  for (const item of [1e30, null, {}, 'half \ud800', [[[['a']]]]])
    assert.equal(await decideWith(all, { tags: ['a', item] }), false)
})

test('an attribute that Cedar cannot hold satisfies no permit by being different', async () => {
  const open = 'permit(principal, action, resource) when { resource.status != "closed" };'
  assert.equal(await decideWith(open, { status: 'open' }), true)
  assert.equal(await decideWith(open, { status: { is: 'closed' } }), false)
  assert.equal(await decideWith('permit(principal, action, resource);', { other: { is: 'closed' } }), true)
})

test('a caller, an action or a resource in half characters is refused, not an error', async () => {
  const policies = await cedarPolicies({ policies: 'permit(principal, action, resource);' })
  const half = 'x\ud800'
  for (const [principal, action, resource] of [
    [{ ...ANN, id: half }, 'order.pay', { type: 'order' }],
    [{ ...ANN, roles: [half] }, 'order.pay', { type: 'order' }],
    [ANN, half, { type: 'order' }],
    [ANN, 'order.pay', { type: 'order', fields: { id: half } }],
    [ANN, 'order.pay', { type: 'order', fields: { [half]: 1 } }],
  ] as const)
    assert.equal(policies.decide(principal, action, resource).allowed, false)
})

test('a policy finds the time however it spells it', async () => {
  for (const when of [
    'context has "\\u{74}ime" && context["\\u{74}ime"] < 5000',
    'context has "time" && context//\n.time < 5000',
  ]) {
    const policies = await cedarPolicies({
      policies: `permit(principal, action, resource); forbid(principal, action, resource) when { ${when} };`,
    })
    assert.equal(policies.decide(ANN, 'order.pay', { type: 'order' }, { time: 1_000 }).allowed, false, when)
    assert.equal(policies.decide(ANN, 'order.pay', { type: 'order' }, { time: 9_000 }).allowed, true, when)
  }
})

test('policies nested too deep are refused, and do not stop the engine for all others', async () => {
  const others = await cedarPolicies({ policies: 'permit(principal, action, resource);' })
  const deep = (n: number): readonly string[] => [
    `${'('.repeat(n)}true${')'.repeat(n)}`,
    `${'['.repeat(n)}${']'.repeat(n)} == []`,
    `${'{a:'.repeat(n)}1${'}'.repeat(n)} == 1`,
    `${'// "\n('.repeat(n)}true${')'.repeat(n)}`,
    `"\\"" == "" || ${'('.repeat(n)}true${')'.repeat(n)}`,
    `${'true && '.repeat(10 * n)}true`,
    `${'false||'.repeat(10 * n)}true`,
    `${'1 + '.repeat(n)}1 == 1`,
    `${'1-'.repeat(n)}1 == 1`,
    `context${'.a'.repeat(n)} == 1`,
    `context${'["a"]'.repeat(n)} == 1`,
    `context.a${'.contains(1)'.repeat(n)}`,
    `${'if true then true else '.repeat(n)}true`,
    `${'if '.repeat(n)}true${' then true else false'.repeat(n)}`,
    `${'[1 + 1 + 1 + context.a.b.c.d, '.repeat(n / 8)}1${']'.repeat(n / 8)} == 1`,
  ]
  for (const condition of deep(800))
    await assert.rejects(
      cedarPolicies({ policies: `permit(principal, action, resource) when { ${condition} };` }),
      (error: unknown) => error instanceof ConfigError && /nested too deep/.test(error.message),
      condition.slice(0, 40),
    )
  assert.equal(others.decide(ANN, 'order.pay', { type: 'order' }).allowed, true)
  for (const condition of deep(16))
    assert.equal(
      typeof (
        await cedarPolicies({ policies: `permit(principal, action, resource) when { ${condition} };` })
      ).decide(ANN, 'order.pay', { type: 'order' }).allowed,
      'boolean',
    )
  const long = Array.from({ length: 200 }, (_, i) => `(principal.a${i} == resource.b${i} + 1)`).join(' || ')
  await cedarPolicies({ policies: `permit(principal, action, resource) when { ${long} };`.repeat(20) })
})

test('a schema nested too deep is refused as well', async () => {
  const type = `${'Set<'.repeat(2_000)}Long${'>'.repeat(2_000)}`
  await assert.rejects(
    cedarPolicies({ policies: '', schema: `entity User { a: ${type} };` }),
    (error: unknown) => error instanceof ConfigError && /nested too deep/.test(error.message),
  )
})
