import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { type TestContext, test } from 'node:test'
import {
  Access,
  type Approval,
  ApprovalRefused,
  type ApprovalRequest,
  Approvals,
  type ApprovalsOptions,
  guard,
} from '@postern/access'
import { type Act, IntegrityError, type Principal, VirtualClock } from '@postern/core'
import { PostgresDatabase } from '@postern/store'
import { STORES } from '../support/approval-stores.ts'
import { Log } from '../support/log.ts'

const ALICE: Principal = { kind: 'user', id: 'alice', tenant: 'north', roles: ['support'] }
const OLGA: Principal = { kind: 'user', id: 'olga', tenant: 'north', roles: ['owner'] }
const MALLORY: Principal = { kind: 'user', id: 'mallory', tenant: 'north' }
const ACT: Act = {
  actor: 'user:alice',
  action: 'orders.purge',
  resource: 'account/7',
  arguments: { limit: 1 },
}
const REQUEST: ApprovalRequest = {
  act: ACT,
  principal: ALICE,
  by: 'role:owner',
  rows: 5,
  budgets: ['orders.delete'],
}

interface Setting {
  readonly make: (options?: Partial<ApprovalsOptions>) => Approvals
  readonly write: (sql: string) => Promise<void>
  readonly clock: VirtualClock
  readonly log: Log
}

for (const store of STORES) {
  const setting = async (t: TestContext, key?: Uint8Array): Promise<Setting> => {
    const cleanups: (() => Promise<void>)[] = []
    t.after(async () => {
      for (const work of cleanups) await work()
    })
    const database = await store.open({ after: work => cleanups.push(work) })
    const clock = new VirtualClock()
    const log = new Log()
    const base = { database, clock, recorder: log, ...(key !== undefined && { key }) }
    return {
      make: options => new Approvals({ ...base, ...options }),
      write: async sql => {
        if (database instanceof PostgresDatabase) await database.query(sql)
        else database.db.exec(sql)
      },
      clock,
      log,
    }
  }

  const forgeries: readonly (readonly [string, string, Principal])[] = [
    ['who may decide', `decides = '["user:mallory"]'`, MALLORY],
    ['who asked', `behind = '[]'`, { ...ALICE, roles: ['owner'] }],
    ['how many rows', 'rows_allowed = 1000000', OLGA],
    ['which budgets', `budgets = '["orders.delete","users.delete"]'`, OLGA],
    ['what is shown as the act', `resource = 'account/harmless'`, OLGA],
    ['what is shown as its arguments', `arguments = '{"limit":0}'`, OLGA],
    ['what is shown as its effect', `preview = '{"summary":"changes nothing"}'`, OLGA],
    ['the reason', `reason = 'the court asked for it'`, OLGA],
    ['the act itself', `digest = '${'ab'.repeat(32)}'`, OLGA],
    ['until when', 'expires_at = expires_at + 1000000000', OLGA],
    ['all of it, without a seal', "seal = ''", OLGA],
  ]
  for (const [name, change, approver] of forgeries)
    test(`${store.name}: attack: somebody writes into a waiting request: ${name}`, async t => {
      const { make, write, log } = await setting(t, randomBytes(32))
      const approvals = make()
      const { id } = await approvals.request(REQUEST)
      await write(`UPDATE approval SET ${change}`)
      await assert.rejects(approvals.decide(id, approver, 'approve'), IntegrityError)
      // Nor is it shown to who would decide, who may look before it is put back.
      await assert.rejects(approvals.get(id, approver), IntegrityError)
      await assert.rejects(approvals.show(id), IntegrityError)
      assert.deepEqual(await approvals.list(approver), [])
      assert.deepEqual(await approvals.listAll(), [])
      assert.ok(log.types.includes('approval.forged'))
    })

  test(`${store.name}: a request that nobody wrote into is decided, whatever its texts hold`, async t => {
    const { make } = await setting(t, randomBytes(32))
    const approvals = make()
    const { id } = await approvals.request({
      ...REQUEST,
      reason: 'half \ud800 a sign\0, "quotes"',
      preview: { summary: `${'x'.repeat(499)}\u{1f600}`, rows: { orders: 3 }, sample: [{ a: 1.5, b: 'ü' }] },
    })
    assert.equal((await approvals.list(OLGA))[0]?.id, id)
    assert.equal((await approvals.decide(id, OLGA, 'approve')).state, 'approved')
    assert.equal((await approvals.redeem(id, ACT, ALICE)).rows, 5)
  })

  test(`${store.name}: attack: a consent that was used is set back and used again`, async t => {
    const { make, write, log } = await setting(t, randomBytes(32))
    const approvals = make()
    const { id } = await approvals.request(REQUEST)
    await approvals.decide(id, OLGA, 'approve')
    await approvals.redeem(id, ACT, ALICE)
    await write("UPDATE approval SET state = 'approved'")
    await assert.rejects(approvals.redeem(id, ACT, ALICE), IntegrityError)
    assert.ok(log.types.includes('approval.forged'))
  })

  test(`${store.name}: attack: it is set back and used at another process, which shares the used ones`, async t => {
    const { make, write } = await setting(t, randomBytes(32))
    const seen = new Set<string>()
    const used = { isFirst: async (id: string) => seen.size !== seen.add(id).size }
    const [one, two] = [
      make({ used } as Partial<ApprovalsOptions>),
      make({ used } as Partial<ApprovalsOptions>),
    ]
    const { id } = await one.request(REQUEST)
    await one.decide(id, OLGA, 'approve')
    await one.redeem(id, ACT, ALICE)
    await write("UPDATE approval SET state = 'approved'")
    await assert.rejects(two.redeem(id, ACT, ALICE), IntegrityError)
  })

  test(`${store.name}: attack: others' requests hide the one that is to be decided`, async t => {
    const { make, clock } = await setting(t)
    const approvals = make({ maxPending: 1_000 })
    const { id } = await approvals.request(REQUEST)
    clock.advance(1)
    for (let i = 0; i < 250; i++)
      await approvals.request({
        ...REQUEST,
        by: 'user:accomplice',
        principal: MALLORY,
        act: { ...ACT, actor: 'user:mallory', resource: `${i}` },
      })
    assert.deepEqual(
      (await approvals.list(OLGA)).map(approval => approval.id),
      [id],
    )
    // What ran out and was not swept takes no place either.
    for (let i = 0; i < 110; i++)
      await approvals.request({ ...REQUEST, ttl: '1s', act: { ...ACT, resource: `late ${i}` } })
    clock.advance(2_000)
    assert.deepEqual(
      (await approvals.list(OLGA)).map(approval => approval.id),
      [id],
    )
    assert.equal((await approvals.listAll()).length, 100)
  })

  test(`${store.name}: a list of more than one page holds each request once`, async t => {
    const { make, clock } = await setting(t)
    const approvals = make({ maxPending: 1_000 })
    const ids: string[] = []
    for (let i = 0; i < 230; i++) {
      if (i % 7 === 0) clock.advance(1)
      const by = i % 3 === 0 ? 'role:owner' : 'user:accomplice'
      const { id } = await approvals.request({ ...REQUEST, by, act: { ...ACT, resource: `${i}` } })
      if (i % 3 === 0) ids.push(id)
    }
    const listed = (await approvals.list(OLGA)).map(({ id }) => id)
    assert.deepEqual(listed.toSorted(), ids.toSorted())
  })

  test(`${store.name}: attack: a namesake in another tenant uses up the requests of somebody`, async t => {
    const { make } = await setting(t)
    const approvals = make({ maxPending: 2 })
    const namesake = { ...ALICE, tenant: 'south' }
    for (const resource of ['1', '2'])
      await approvals.request({ ...REQUEST, principal: namesake, act: { ...ACT, resource } })
    await assert.rejects(
      approvals.request({ ...REQUEST, principal: namesake }),
      (error: unknown) => error instanceof ApprovalRefused && error.why === 'too-many',
    )
    assert.equal((await approvals.request(REQUEST)).state, 'pending')
  })

  test(`${store.name}: attack: a consent of the wrong person, or for more rows, from before the rule was tightened`, async t => {
    const { make } = await setting(t)
    const approvals = make()
    const purge = (by: string | readonly string[], rows: number, budget = 'orders.delete') =>
      guard(
        new Access({ approvals }),
        'orders.purge',
        { approve: { by, rows }, budget },
        (_input: { readonly limit: number }, permit) => permit.grant?.rows,
      )
    const ask = async (run: ReturnType<typeof purge>): Promise<Approval> => {
      await assert.rejects(run({ limit: 1 }, { principal: ALICE }))
      const known = await approvals.find({ ...ACT, resource: '' }, ALICE)
      assert.ok(known !== undefined)
      return known
    }
    const loose = await ask(purge(['role:owner', 'role:clerk'], 5))
    await approvals.decide(loose.id, { ...MALLORY, roles: ['clerk'] }, 'approve')
    const strict = await ask(purge('role:owner', 5))
    assert.notEqual(strict.id, loose.id)
    assert.deepEqual([strict.state, strict.by], ['pending', ['role:owner']])
    await approvals.decide(strict.id, OLGA, 'approve')
    const few = await ask(purge('role:owner', 2))
    assert.deepEqual([few.state, few.rows], ['pending', 2])
    await approvals.decide(few.id, OLGA, 'approve')
    const other = await ask(purge('role:owner', 2, 'users.delete'))
    assert.deepEqual(other.budgets, ['users.delete'])
    await approvals.decide(other.id, OLGA, 'approve')
    assert.equal(await purge('role:owner', 2, 'users.delete')({ limit: 1 }, { principal: ALICE }), 2)
    // A denial stays one.
    const again = await ask(purge('role:owner', 2))
    await approvals.decide(again.id, OLGA, 'deny')
    assert.equal((await ask(purge('role:owner', 3))).state, 'denied')
  })
}
