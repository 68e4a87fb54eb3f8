import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  Access,
  type AccessOutcome,
  ApprovalRefused,
  Approvals,
  type ApprovalsOptions,
  type MakerTable,
  makersOf,
} from '@postern/access'
import { type Act, ConfigError, type Principal, VirtualClock } from '@postern/core'
import { openSqlite } from '@postern/store'
import { Log } from '../support/log.ts'

const REPORTS: Principal = { kind: 'service', id: 'reports' }
const person = (id: string): Principal => ({ kind: 'user', id, roles: ['owner'] })
const actOf = ({ kind, id }: Principal): Act => ({
  actor: `${kind}:${id}`,
  action: 'purge',
  resource: 'account/7',
  arguments: {},
})

function opened(
  makers: MakerTable,
  more: Partial<ApprovalsOptions> = {},
): { readonly approvals: Approvals; readonly log: Log } {
  const log = new Log()
  const database = openSqlite({ path: ':memory:' })
  return {
    approvals: new Approvals({ database, clock: new VirtualClock(), recorder: log, makers, ...more }),
    log,
  }
}

const TABLE: MakerTable = {
  'service:reports': 'user:ann',
  'service:shared': ['user:ann', 'user:ben'],
  'apiKey:k9': 'user:ann',
  'service:*': 'user:cem',
}
const CASES: readonly (readonly [what: string, machine: Principal, approver: string, may: boolean])[] = [
  ['a client that is theirs', REPORTS, 'ann', false],
  ["a client that is another's", REPORTS, 'cem', true],
  ['a key of a service that is theirs', { kind: 'apiKey', id: 'k1', actor: 'service:reports' }, 'ann', false],
  ['a key that is named itself', { kind: 'apiKey', id: 'k9' }, 'ann', false],
  ['a machine that is also theirs', { kind: 'service', id: 'shared' }, 'ben', false],
  ['a machine that nobody named', { kind: 'service', id: 'spiffe://shop/new' }, 'cem', false],
  ['a machine whose name only begins so', { kind: 'service', id: 'reports2' }, 'ann', true],
  ['their machine in capitals', { kind: 'service', id: 'REPORTS' }, 'ann', false],
  ['their machine in wide letters', { kind: 'service', id: 'ｒｅｐｏｒｔｓ' }, 'ann', false],
  ['their machine, under their name in capitals', REPORTS, 'Ann', false],
  ["a person's own key", { kind: 'apiKey', id: 'k2', actor: 'user:finn' }, 'cem', true],
]
for (const [what, machine, approver, may] of CASES)
  test(`${approver} ${may ? 'decides' : 'does not decide'} what is asked with ${what}`, async () => {
    const { approvals } = opened(TABLE)
    const act = actOf(machine)
    const { id } = await approvals.request({ act, principal: machine, by: 'role:owner' })
    const deciding = approvals.decide(id, person(approver), 'approve')
    if (!may) {
      await assert.rejects(deciding, ApprovalRefused)
      await assert.rejects(approvals.decideAsOperator(id, approver, 'approve'), ApprovalRefused)
      assert.deepEqual(await approvals.list(person(approver)), [])
      return
    }
    await deciding
    assert.equal((await approvals.redeem(id, act, machine)).approvedBy, `user:${approver}`)
  })

test('the owner of an agent decides what it asks for, though they are its maker', async () => {
  const { approvals } = opened(TABLE)
  const request = { act: actOf(REPORTS), principal: REPORTS, by: 'owner', owner: 'user:ann' }
  const { id } = await approvals.request(request)
  assert.equal((await approvals.decide(id, person('ann'), 'approve')).state, 'approved')
})

test('the log has whose the machine is', async () => {
  const { approvals, log } = opened(TABLE)
  await approvals.request({ act: actOf(REPORTS), principal: REPORTS, by: 'role:owner' })
  const asked = log.events.find(({ type }) => type === 'approval.requesting')
  assert.deepEqual(asked?.data?.['makers'], ['user:ann'])
})

test('a consent of somebody who was made the maker since is not used: the machine asks again', async () => {
  const database = openSqlite({ path: ':memory:' })
  const before = opened({}, { database }).approvals
  const question = { principal: REPORTS, action: 'purge' }
  const ask = async (approvals: Approvals): Promise<AccessOutcome> => {
    const access = new Access({ approvals, clock: new VirtualClock() })
    return access.check(question, access.compile({ approve: { by: 'role:owner' } }, 'rule'))
  }
  const asked = await ask(before)
  const first = asked.kind === 'refusal' ? asked.refusal.approval?.id : undefined
  assert.ok(first !== undefined)
  await before.decide(first, person('ann'), 'approve')
  const after = opened(TABLE, { database }).approvals
  const again = await ask(after)
  const second = again.kind === 'refusal' ? again.refusal.approval?.id : undefined
  assert.ok(second !== undefined && second !== first)
  assert.equal((await after.show(first)).state, 'cancelled')
  await assert.rejects(after.decide(second, person('ann'), 'approve'), ApprovalRefused)
  await after.decide(second, person('ben'), 'approve')
  assert.equal((await ask(after)).kind, 'permit')
})

for (const [what, table] of [
  ['a person as a machine', { 'user:ann': 'user:ben' }],
  ['a machine as a maker', { 'service:reports': 'service:other' }],
  ['a name without a kind', { 'service:reports': 'ann' }],
  ['nobody as the maker', { 'service:reports': [] }],
  ['one machine twice', { 'service:reports': 'user:ann', 'service:Reports': 'user:ben' }],
] as const)
  test(`a table of makers that names ${what} is refused`, () => {
    assert.throws(() => makersOf(table), ConfigError)
  })
