import assert from 'node:assert/strict'
import { test } from 'node:test'
import { allow, definePolicies, hasRole, owns, resourceType } from '@postern/access'
import { schemaOfShape } from '../src/api/api-shape.ts'
import { matchApi } from '../src/api/console-api.ts'
import type { ConsoleParts } from '../src/api/console-parts.ts'
import { openApiDocument } from '../src/api/open-api.ts'
import { testParts } from './support/console-parts.ts'
import { misfits } from './support/fits-schema.ts'

const order = resourceType('order', { table: 'orders', fields: { id: 'integer', customer: 'text' } })
const own = allow('own orders', { action: 'order.read', on: order, when: owns(order.fields.customer) })
const clerks = allow('clerks', { action: 'order.*', on: order, when: hasRole('clerk') })

/** What an operation answers, held against its own schema. */
async function answerOf(
  path: string,
  given: Partial<ConsoleParts>,
  query = '',
): Promise<Readonly<Record<string, unknown>>> {
  const { parts, close } = await testParts(given)
  try {
    const matched = matchApi('GET', path)
    assert.ok(matched !== undefined)
    const session = { name: 'ann', roles: new Set(['viewer', 'operator'] as const) }
    const call = { parts, session, path: matched.path, query: new URLSearchParams(query), body: {} }
    const answer = JSON.parse(JSON.stringify(await matched.route.handle(call))) as Readonly<
      Record<string, unknown>
    >
    assert.deepEqual(misfits(answer, schemaOfShape(matched.route.shape ?? {})), [])
    return answer
  } finally {
    await close()
  }
}

test('the matrix says for every kind of caller what it may always, sometimes and never do', async () => {
  const inForce = definePolicies([own, clerks])
  const matrix = await answerOf('/policies', {
    policies: { inForce, onDisk: async () => inForce },
    guardedRoutes: () => [{ route: 'DELETE /orders/:id', needs: ['role support'] }],
  })
  const acts = matrix['acts'] as readonly { readonly action: string; readonly type: string }[]
  const callers = matrix['callers'] as readonly {
    readonly caller: string
    readonly answers: readonly string[]
  }[]
  const reading = acts.findIndex(({ action, type }) => action === 'order.read' && type === 'order')
  assert.ok(reading >= 0)
  assert.deepEqual(
    callers.map(({ caller, answers }) => [caller, answers[reading]]),
    [
      ['anonymous', 'never'],
      ['any user', 'sometimes'],
      ['role clerk', 'always'],
    ],
  )
  assert.deepEqual(matrix['routes'], [{ route: 'DELETE /orders/:id', needs: ['role support'] }])
})

test('the diff says who gains by the file as it is now', async () => {
  const policies = { inForce: definePolicies([own]), onDisk: async () => definePolicies([own, clerks]) }
  const diff = await answerOf('/policies/diff', { policies })
  assert.deepEqual(diff['added'], ['clerks'])
  const access = diff['access'] as readonly { readonly change: string }[]
  assert.ok(access.length > 0 && access.every(({ change }) => change === 'gains'))
})

test('without policies, and with those of another engine, the routes are still shown', async () => {
  assert.equal((await answerOf('/policies', {}))['engine'], 'none')
  const other = { inForce: undefined, onDisk: async () => undefined }
  assert.equal((await answerOf('/policies', { policies: other }))['engine'], 'other')
  await assert.rejects(answerOf('/policies/diff', { policies: other }), { status: 409 })
  await assert.rejects(answerOf('/policies/diff', {}), { status: 404 })
})

test('the vault is shown with its holders and trust domains; without one it says so', async () => {
  assert.equal((await answerOf('/vault', {}))['kept'], false)
  const shown = await answerOf('/vault', {
    vault: () => ({
      status: async () => ({
        columns: [{ column: 'user.email', mode: 'split', state: 'sealed', epoch: 2 }],
        holders: [{ id: 1, isUp: true, administrator: 'ann' }],
        trustDomains: { count: 1, reasons: ['holders 1 and 2 are on one machine'] },
      }),
      holders: async () => [
        {
          path: 'holder.json',
          id: 1,
          epochs: [1, 2],
          frozen: { 'person bob': 'canary' },
          opened: 3,
          limit: 37_500,
          canaries: 1,
        },
        { path: 'other.json', problem: 'does not run' },
      ],
    }),
  })
  assert.equal((shown['readings'] as readonly unknown[]).length, 2)
})

test('who opened what is read from the audit log, newest first', async () => {
  const events = [
    {
      type: 'vault.opened',
      time: 1_799_999_999_000,
      actor: { principal: 'ann' },
      data: { records: 2, tables: ['user'], holder: 1 },
    },
    {
      type: 'vault.opened',
      time: 1_799_999_999_000,
      actor: { principal: 'ann' },
      data: { records: 1, tables: ['user'], holder: 1, continued: true },
    },
    {
      type: 'vault.refused',
      time: 1_799_999_998_000,
      actor: { principal: 'bob' },
      data: { refused: 'budget', holder: 2 },
    },
    {
      type: 'vault.frozen',
      time: 1_799_999_997_000,
      actor: { principal: 'person bob' },
      data: { reason: 'canary' },
    },
    {
      type: 'vault.opened',
      time: 1_799_999_996_000,
      actor: { principal: 'ann' },
      data: { records: 2, tables: ['card'] },
    },
    { type: 'vault.opened', time: 1_000, actor: { principal: 'old' }, data: { records: 99 } },
  ]
  const reader = {
    async *query({ type }: { readonly type?: string }) {
      yield* events
        .filter(event => event.type === type)
        .map((event, index) => ({ event, index: BigInt(index) }))
    },
  }
  const audit = async () => reader as unknown as Awaited<ReturnType<NonNullable<ConsoleParts['audit']>>>
  const answer = await answerOf('/vault/openings', { audit }, 'hours=24')
  assert.deepEqual(answer['openers'], [
    { who: 'ann', records: 5, requests: 2, tables: ['card', 'user'], lastAt: 1_799_999_999_000 },
  ])
  assert.deepEqual(answer['refusals'], [
    { time: 1_799_999_998_000, who: 'bob', refused: 'budget', holder: 2 },
  ])
  assert.equal((answer['freezes'] as readonly unknown[]).length, 1)
})

test('the system and the findings of the doctor are shown', async () => {
  assert.equal((await answerOf('/system', {}))['instance'], 'here:1')
  const doctor = await answerOf('/system/doctor', {
    diagnose: async () => [{ check: 'backend', state: 'bad', detail: 'does not answer', hint: 'start it' }],
  })
  assert.equal(doctor['ok'], false)
})

test('every shape of the document is a schema with types that exist', () => {
  const document = JSON.stringify(openApiDocument([]))
  assert.ok(document.includes('3.1.0'))
  assert.deepEqual(schemaOfShape({ a: 'string', b: 'integer?', c: ['time'], d: 'x|y' }), {
    type: 'object',
    properties: {
      a: { type: 'string' },
      b: { type: 'integer' },
      c: { type: 'array', items: { type: 'number', description: 'Epoch milliseconds.' } },
      d: { type: 'string', enum: ['x', 'y'] },
    },
    required: ['a', 'c', 'd'],
  })
})
