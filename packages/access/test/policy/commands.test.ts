import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  allow,
  definePolicies,
  deny,
  diffPolicies,
  eq,
  explain,
  hasRole,
  owns,
  questionsAbout,
  testPolicies,
  whoCan,
} from '@postern/access'
import { ANN, AUDITOR, NOBODY, order, SUPPORT, shopPolicies } from '../support/shop.ts'

const mine = { type: 'order', fields: { id: 7, customer: 'ann', status: 'open' } }

test('explain names every policy with a say, and the parts that kept it silent', () => {
  const { exitCode, lines } = explain(shopPolicies, { principal: ANN, action: 'order.edit', resource: mine })
  assert.equal(exitCode, 1)
  assert.equal(lines[0], 'denied by default: no policy allows it')
  assert.ok(lines.includes('  allow "teams read and edit the orders they look after": is silent'))
  assert.ok(lines.includes('      false: principal has role "support"'))
  const unknown = explain(shopPolicies, { principal: ANN, action: 'order.delete', resource: mine })
  assert.match(unknown.lines[0] ?? '', /frozen", whose condition cannot be evaluated$/)
  const nothing = explain(definePolicies([]), { principal: ANN, action: 'x', resource: { type: 'y' } })
  assert.equal(nothing.lines[1], '  no policy covers "x" on "y"')
})

test('policy cases pass, or say what was decided instead', () => {
  const passing = testPolicies(shopPolicies, [
    {
      principal: ANN,
      action: 'order.read',
      resource: mine,
      expect: 'allow',
      policy: 'customers read their own orders',
    },
    {
      name: 'strangers read nothing',
      principal: NOBODY,
      action: 'order.read',
      resource: mine,
      expect: 'deny',
    },
  ])
  assert.deepEqual([passing.exitCode, passing.lines.at(-1)], [0, '2 of 2 cases passed'])
  assert.equal(passing.lines[0], 'ok   user:ann order.read order 7')
  const failing = testPolicies(shopPolicies, [
    { principal: ANN, action: 'order.read', resource: mine, expect: 'deny' },
    { principal: ANN, action: 'order.read', resource: mine, expect: 'allow', policy: 'auditors read' },
  ])
  assert.equal(failing.exitCode, 1)
  assert.ok(failing.lines.includes('     expected allow by "auditors read"'))
  assert.equal(testPolicies(shopPolicies, []).exitCode, 1)
})

test('who-can lists who may, and what others would need', () => {
  const { data, lines } = whoCan(shopPolicies, {
    action: 'order.read',
    resource: mine,
    principals: [ANN, AUDITOR, NOBODY, SUPPORT],
  })
  assert.deepEqual(
    data.allowed.map(({ principal }) => principal),
    ['user:ann', 'user:aud'],
  )
  assert.equal(lines[0], '2 of 4 may order.read this order')
  assert.ok(data.needs.includes('order.customer = principal.id (policy "customers read their own orders")'))
})

test('diff says who gains and who loses', () => {
  const before = definePolicies([
    allow('own', { action: 'order.read', on: order, when: owns(order.fields.customer) }),
    allow('clerks', { action: 'order.read', on: order, when: hasRole('clerk') }),
  ])
  const after = definePolicies([
    allow('own', { action: 'order.read', on: order, when: owns(order.fields.customer) }),
    deny('closed', { action: 'order.read', on: order, when: eq(order.fields.status, 'closed') }),
    allow('interns', { action: 'order.read', on: order, when: hasRole('intern') }),
  ])
  const { exitCode, data, lines } = diffPolicies(before, after, questionsAbout(before, after))
  assert.deepEqual([data.added, data.removed, data.changed], [['closed', 'interns'], ['clerks'], []])
  assert.equal(exitCode, 1)
  assert.ok(data.access.some(({ change, after: by }) => change === 'gains' && by === 'interns'))
  assert.ok(data.access.some(({ change, after: by }) => change === 'loses' && by === 'closed'))
  assert.match(lines.at(-1) ?? '', /^\d+ gain and \d+ lose access, of \d+ questions$/)
  assert.deepEqual(diffPolicies(before, before, questionsAbout(before)).data.access, [])
})
