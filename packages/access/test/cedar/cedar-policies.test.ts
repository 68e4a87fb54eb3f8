import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { Access, type CedarEntity, cedarPolicies, guard } from '@postern/access'
import { ConfigError, type Principal } from '@postern/core'

const ANN: Principal = { kind: 'user', id: 'ann', tenant: 'north' }
const CLERK: Principal = { kind: 'user', id: 'cid', roles: ['clerk'] }
const POLICIES = `
@id("customers read their own orders")
permit(principal is User, action == Action::"order.read", resource is order) when { resource.customer == principal.id };
@id("clerks do everything with orders")
permit(principal in Role::"clerk", action, resource is order);
permit(principal, action == Action::"order.read", resource) when { context has network && context.network == "office" };
@id("nobody edits a closed order")
forbid(principal, action == Action::"order.edit", resource) when { resource.status == "closed" };`

const open = { type: 'order', fields: { id: 7, customer: 'ann', status: 'open', total: 12.5, note: null } }

test('Cedar decides like the policies in TypeScript, and names the policy', async () => {
  const policies = await cedarPolicies({ policies: POLICIES })
  assert.deepEqual(policies.decide(ANN, 'order.read', open), {
    allowed: true,
    policy: 'customers read their own orders',
    why: 'policy',
  })
  assert.equal(policies.decide(CLERK, 'order.edit', open).policy, 'clerks do everything with orders')
  assert.deepEqual(policies.decide(ANN, 'order.edit', open), {
    allowed: false,
    policy: 'default',
    why: 'default',
  })
  const closed = { ...open, fields: { ...open.fields, status: 'closed' } }
  assert.deepEqual(policies.decide(CLERK, 'order.edit', closed), {
    allowed: false,
    policy: 'nobody edits a closed order',
    why: 'policy',
  })
  const office = { attributes: { network: 'office' } }
  assert.equal(policies.decide({ ...ANN, id: 'x' }, 'order.read', open, office).policy, 'policy 3')
})

test('a forbid that cannot be evaluated forbids, though Cedar itself would skip it', async () => {
  const policies = await cedarPolicies({ policies: POLICIES })
  const unknown = { type: 'order', fields: { id: 7 } }
  assert.deepEqual(policies.decide(CLERK, 'order.edit', unknown), {
    allowed: false,
    policy: 'nobody edits a closed order',
    why: 'unknown',
  })
})

test('what is not a question allows nothing', async () => {
  const policies = await cedarPolicies({ policies: POLICIES })
  for (const type of ['', 'order"', 'a b', 'order::x::', '__cedar'])
    assert.equal(policies.decide(CLERK, 'order.read', { type, fields: { id: '"; permit' } }).allowed, false)
})

test('a decision is remembered by everything it depends on', async () => {
  let asked = 0
  const entities = (): readonly CedarEntity[] => {
    asked++
    return []
  }
  const policies = await cedarPolicies({ policies: POLICIES, entities, cache: 2 })
  for (let i = 0; i < 3; i++) assert.equal(policies.decide(ANN, 'order.read', open).allowed, true)
  assert.equal(
    policies.decide(ANN, 'order.read', { ...open, fields: { ...open.fields, customer: 'bob' } }).allowed,
    false,
  )
  assert.equal(policies.decide({ ...ANN, roles: ['clerk'] }, 'order.edit', open).allowed, true)
  assert.equal(policies.decide(ANN, 'order.edit', open).allowed, false)
  assert.equal(asked, 6)
})

test('Cedar stands behind a guard', async () => {
  const access = new Access({ policies: await cedarPolicies({ policies: POLICIES }) })
  const read = guard(access, 'order.read', { resource: () => open }, () => 'the order')
  assert.equal(await read(null, { principal: ANN }), 'the order')
  await assert.rejects(read(null, { principal: { kind: 'user', id: 'bob' } }), /may not do this/)
})

test('policies are validated against a schema, with every mistake named', async () => {
  const schema = `entity User; entity order { customer: String }; action "order.read" appliesTo { principal: User, resource: order };`
  await cedarPolicies({
    schema,
    policies:
      '@id("a") permit(principal, action == Action::"order.read", resource) when { resource.customer == "x" };',
  })
  await assert.rejects(
    cedarPolicies({
      schema,
      policies:
        '@id("a") permit(principal, action == Action::"order.read", resource) when { resource.owner == "x" };',
    }),
    (error: unknown) => error instanceof ConfigError && /a: .*owner/.test(error.message),
  )
  for (const wrong of [
    'permit(',
    'permit(principal == ?principal, action, resource);',
    '@id("a") permit(principal, action, resource); @id("a") forbid(principal, action, resource);',
  ])
    await assert.rejects(cedarPolicies({ policies: wrong }), ConfigError, wrong)
})

test('the engine is loaded only where Cedar is used', () => {
  const script = `
    const { Access, cedarPolicies, definePolicies } = await import('@postern/access')
    new Access({ policies: definePolicies([]) })
    const { createRequire } = await import('node:module')
    const { cache } = createRequire(import.meta.url)
    const isLoaded = () => Object.keys(cache).some(file => file.includes('cedar_wasm'))
    const before = isLoaded()
    await cedarPolicies({ policies: '' })
    console.log(before, isLoaded())`
  const run = spawnSync(
    process.execPath,
    ['--conditions=@postern/source', '--input-type=module', '-e', script],
    {
      cwd: import.meta.dirname,
      encoding: 'utf8',
    },
  )
  assert.equal(run.stdout.trim(), 'false true', run.stderr)
})
