import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { type TestContext, test } from 'node:test'
import {
  type Approval,
  ApprovalRefused,
  type ApprovalRequest,
  Approvals,
  type ApprovalsOptions,
} from '@postern/access'
import {
  type Act,
  actDigest,
  ConfigError,
  IntegrityError,
  type Principal,
  StoreError,
  VirtualClock,
} from '@postern/core'
import { PostgresDatabase, type SqliteDatabase } from '@postern/store'
import { STORES } from '../support/approval-stores.ts'
import { Log } from '../support/log.ts'

const MINUTE = 60_000
const ALICE: Principal = { kind: 'user', id: 'alice', tenant: 'north', roles: ['support'] }
const OLGA: Principal = { kind: 'user', id: 'olga', tenant: 'north', roles: ['owner'] }
const OTTO: Principal = { kind: 'user', id: 'otto', tenant: 'north', roles: ['owner'] }
const ACT: Act = {
  actor: 'user:alice',
  action: 'orders.purge',
  resource: 'account/7',
  arguments: { before: '2020-01-01', limit: 4_812 },
}

interface Setting {
  readonly approvals: Approvals
  readonly clock: VirtualClock
  readonly log: Log
  readonly database: SqliteDatabase | PostgresDatabase
}

for (const store of STORES) {
  const setting = async (t: TestContext, options: Partial<ApprovalsOptions> = {}): Promise<Setting> => {
    const cleanups: (() => Promise<void>)[] = []
    t.after(async () => {
      for (const work of cleanups) await work()
    })
    const database = await store.open({ after: work => cleanups.push(work) })
    const clock = new VirtualClock()
    const log = new Log()
    return { approvals: new Approvals({ database, clock, recorder: log, ...options }), clock, log, database }
  }
  const request: ApprovalRequest = {
    act: ACT,
    principal: ALICE,
    by: 'role:owner',
    rows: 5_000,
    budgets: ['orders.delete'],
  }
  const refusedFor =
    (why: string) =>
    (error: unknown): boolean =>
      error instanceof ApprovalRefused && error.why === why

  test(`${store.name}: a consent is given by another person and used once`, async t => {
    const { approvals, log } = await setting(t)
    const asked = await approvals.request({
      ...request,
      reason: 'GDPR case 12',
      preview: { summary: 'deletes 4,812 rows', rows: { orders: 4_000, items: 812 }, sample: [{ id: 1 }] },
    })
    assert.equal(asked.state, 'pending')
    assert.deepEqual((await approvals.get(asked.id, OLGA)).preview.rows, { orders: 4_000, items: 812 })
    assert.deepEqual(
      (await approvals.list(OLGA)).map(({ id }) => id),
      [asked.id],
    )
    await assert.rejects(approvals.redeem(asked.id, ACT, ALICE), refusedFor('not-approved'))
    const approved = await approvals.decide(asked.id, OLGA, 'approve', 'go \0ahead')
    assert.deepEqual(
      [approved.state, approved.decidedBy, approved.note],
      ['approved', 'user:olga', 'go ahead'],
    )
    const grant = await approvals.redeem(asked.id, ACT, ALICE)
    assert.deepEqual(grant, {
      id: asked.id,
      actor: 'user:alice',
      tenant: 'north',
      act: Buffer.from(actDigest(ACT, asked.requestedAt, asked.id)).toString('hex'),
      budgets: ['orders.delete'],
      rows: 5_000,
      expiresAt: approved.expiresAt,
      approvedBy: 'user:olga',
    })
    await assert.rejects(approvals.redeem(asked.id, ACT, ALICE), refusedFor('not-approved'))
    assert.deepEqual(log.types, [
      'approval.requesting',
      'approval.requested',
      'approval.refused',
      'approval.deciding',
      'approval.approved',
      'approval.redeeming',
      'approval.used',
      'approval.refused',
    ])
  })

  const others: readonly (readonly [string, Principal])[] = [
    ['the one who asked', { ...ALICE, roles: ['owner'] }],
    ['an owner who impersonates the one who asked', { ...ALICE, roles: ['owner'], actor: 'olga' }],
    ['the one who asked, impersonating an owner', { ...OLGA, actor: 'alice' }],
    ['the same, with the kind spelled out', { ...OLGA, actor: 'user:alice' }],
    ['a stranger impersonating an owner', { ...OLGA, actor: 'mallory' }],
    ['a person without the role', { ...OTTO, roles: ['support'] }],
    ['an owner of another tenant', { ...OLGA, tenant: 'south' }],
    ['an owner without a tenant', { kind: 'user', id: 'olga', roles: ['owner'] }],
    ['an API key with the role', { ...OLGA, kind: 'apiKey' }],
    ['a service with the role', { ...OLGA, kind: 'service' }],
    ['nobody', { kind: 'anonymous', id: '', tenant: 'north', roles: ['owner'] }],
  ]
  for (const [name, principal] of others)
    test(`${store.name}: ${name} cannot decide`, async t => {
      const { approvals, log } = await setting(t)
      const { id } = await approvals.request(request)
      for (const decision of ['approve', 'deny'] as const)
        await assert.rejects(approvals.decide(id, principal, decision), refusedFor('approver'))
      assert.deepEqual(log.types.slice(2), ['approval.refused', 'approval.refused'])
      assert.equal((await approvals.get(id, OLGA)).state, 'pending')
      assert.deepEqual(await approvals.list(principal), [])
    })

  test(`${store.name}: whoever asked in another's name cannot decide in their own`, async t => {
    const { approvals } = await setting(t)
    const { id } = await approvals.request({ ...request, principal: { ...ALICE, actor: 'olga' } })
    await assert.rejects(approvals.decide(id, OLGA, 'approve'), refusedFor('approver'))
    await approvals.decide(id, OTTO, 'approve')
    // The real Alice did not ask.
    await assert.rejects(approvals.redeem(id, ACT, ALICE), refusedFor('not-yours'))
  })

  for (const id of ['idp:4711', 'user:olga', 'service:olga', 'urn:people:olga'])
    test(`${store.name}: attack: whoever is called ${id} asks in another's name, and decides in their own`, async t => {
      const { approvals } = await setting(t)
      const { id: asked } = await approvals.request({ ...request, principal: { ...ALICE, actor: id } })
      await assert.rejects(approvals.decide(asked, { ...OLGA, id }, 'approve'), refusedFor('approver'))
      await approvals.decide(asked, OTTO, 'approve')
      await approvals.redeem(asked, ACT, { ...ALICE, actor: id })
    })

  test(`${store.name}: an agent's owner decides only where the owner is named`, async t => {
    const { approvals } = await setting(t)
    const agent: Principal = { kind: 'service', id: 'helper', tenant: 'north' }
    const act = { ...ACT, actor: 'service:helper' }
    const asked = { ...request, act, principal: agent, owner: 'user:olga' }
    const byRole = await approvals.request(asked)
    await assert.rejects(approvals.decide(byRole.id, OLGA, 'approve'), refusedFor('approver'))
    await approvals.cancel(byRole.id, agent)
    const byOwner = await approvals.request({ ...asked, by: 'owner' })
    await assert.rejects(approvals.decide(byOwner.id, OTTO, 'approve'), refusedFor('approver'))
    assert.equal((await approvals.decide(byOwner.id, OLGA, 'approve')).state, 'approved')
  })

  test(`${store.name}: whoever made the key of a service decides nothing that is asked with it, but for their own agent`, async t => {
    const { approvals } = await setting(t)
    const key: Principal = {
      ...{ kind: 'apiKey', id: 'k1', tenant: 'north', actor: 'service:billing', issuedBy: 'user:olga' },
    }
    const act = { ...ACT, actor: 'apiKey:k1' }
    const { id } = await approvals.request({ ...request, act, principal: key })
    for (const decision of ['approve', 'deny'] as const)
      await assert.rejects(approvals.decide(id, OLGA, decision), refusedFor('approver'))
    await assert.rejects(approvals.decideAsOperator(id, 'olga', 'approve'), refusedFor('approver'))
    assert.deepEqual(await approvals.list(OLGA), [])
    await approvals.decide(id, OTTO, 'approve')
    // With a key that somebody else made it is another requester.
    await assert.rejects(approvals.redeem(id, act, { ...key, issuedBy: 'user:eve' }), refusedFor('not-yours'))
    assert.equal((await approvals.redeem(id, act, key)).approvedBy, 'user:otto')
    const own = { ...request, act, principal: key, owner: 'user:olga', by: 'owner' }
    const asked = await approvals.request(own)
    await approvals.decide(asked.id, OLGA, 'approve')
    assert.equal((await approvals.redeem(asked.id, act, key)).approvedBy, 'user:olga')
  })

  test(`${store.name}: of two approvers who decide at once, one decides`, async t => {
    const { approvals } = await setting(t)
    const { id } = await approvals.request(request)
    const answers = await Promise.allSettled([
      approvals.decide(id, OLGA, 'approve'),
      approvals.decide(id, OTTO, 'approve'),
      approvals.decide(id, OLGA, 'approve'),
      approvals.decide(id, OTTO, 'approve'),
    ])
    assert.equal(answers.filter(({ status }) => status === 'fulfilled').length, 1)
    for (const answer of answers)
      if (answer.status === 'rejected') assert.ok(refusedFor('not-pending')(answer.reason))
  })

  test(`${store.name}: a consent that is not used yet is taken back by whoever may decide, and by nobody else`, async t => {
    const { approvals, log } = await setting(t)
    const { id } = await approvals.request(request)
    await approvals.decide(id, OLGA, 'approve')
    await assert.rejects(approvals.decide(id, { ...OTTO, roles: [] }, 'deny'), refusedFor('approver'))
    const denied = await approvals.decide(id, OTTO, 'deny', 'not today')
    assert.deepEqual([denied.state, denied.decidedBy, denied.note], ['denied', 'user:otto', 'not today'])
    await assert.rejects(approvals.redeem(id, ACT, ALICE), refusedFor('not-approved'))
    await assert.rejects(approvals.decide(id, OLGA, 'approve'), refusedFor('not-pending'))
    await assert.rejects(approvals.decide(id, OLGA, 'deny'), refusedFor('not-pending'))
    assert.ok(log.types.includes('approval.denied'))
    assert.equal((await approvals.request(request)).state, 'denied')
  })

  test(`${store.name}: of a use and a denial at once, one happens`, async t => {
    const { approvals } = await setting(t)
    const { id } = await approvals.request(request)
    await approvals.decide(id, OLGA, 'approve')
    const [used, denied] = await Promise.allSettled([
      approvals.redeem(id, ACT, ALICE),
      approvals.decide(id, OTTO, 'deny'),
    ])
    assert.notEqual(used.status, denied.status)
    await assert.rejects(approvals.redeem(id, ACT, ALICE), refusedFor('not-approved'))
  })

  test(`${store.name}: attack: a consent is used of somebody who may no longer give one`, async t => {
    let standing: 'good' | 'lost' | 'unknown' = 'lost'
    const { approvals, log } = await setting(t, {
      standing: async ({ decidedBy }) => {
        if (standing === 'unknown') throw new StoreError('away', { store: 'accounts', retryable: true })
        return decidedBy !== 'user:olga' || standing === 'good'
      },
    })
    const { id } = await approvals.request(request)
    await approvals.decide(id, OLGA, 'approve')
    await assert.rejects(approvals.redeem(id, ACT, ALICE), refusedFor('not-approved'))
    standing = 'unknown'
    await assert.rejects(approvals.redeem(id, ACT, ALICE), StoreError)
    assert.ok(!log.types.includes('approval.redeeming'))
    standing = 'good'
    assert.equal((await approvals.redeem(id, ACT, ALICE)).approvedBy, 'user:olga')
  })

  test(`${store.name}: of twenty who use a consent at once, one does`, async t => {
    const { approvals } = await setting(t)
    const { id } = await approvals.request(request)
    await approvals.decide(id, OLGA, 'approve')
    const uses = await Promise.allSettled(Array.from({ length: 20 }, () => approvals.redeem(id, ACT, ALICE)))
    assert.equal(uses.filter(({ status }) => status === 'fulfilled').length, 1)
  })

  test(`${store.name}: a consent is good for nothing but its act`, async t => {
    const { approvals } = await setting(t)
    const { id } = await approvals.request(request)
    await approvals.decide(id, OLGA, 'approve')
    for (const act of [
      { ...ACT, action: 'orders.purge2' },
      { ...ACT, resource: 'account/8' },
      { ...ACT, arguments: { before: '2020-01-01', limit: 4_813 } },
      { ...ACT, arguments: {} },
    ])
      await assert.rejects(approvals.redeem(id, act, ALICE), refusedFor('other-act'))
    for (const [act, principal] of [
      [
        { ...ACT, actor: 'user:bob' },
        { ...ALICE, id: 'bob' },
      ],
      [ACT, { ...ALICE, id: 'bob' }],
      [ACT, { ...ALICE, tenant: 'south' }],
      [ACT, { ...ALICE, actor: 'mallory' }],
    ] as const)
      await assert.rejects(approvals.redeem(id, act, principal), refusedFor('not-yours'))
    // The order of names is not part of the act.
    await approvals.redeem(id, { ...ACT, arguments: { limit: 4_812, before: '2020-01-01' } }, ALICE)
  })

  test(`${store.name}: requests and consents expire`, async t => {
    const { approvals, clock, log } = await setting(t)
    const first = await approvals.request({ ...request, ttl: '1h' })
    clock.advance(60 * MINUTE)
    await assert.rejects(approvals.decide(first.id, OLGA, 'approve'), refusedFor('not-pending'))
    const second = await approvals.request(request)
    assert.notEqual(second.id, first.id)
    clock.advance(50 * MINUTE)
    await approvals.decide(second.id, OLGA, 'approve')
    clock.advance(14 * MINUTE)
    assert.equal((await approvals.find(ACT, ALICE))?.state, 'approved')
    clock.advance(MINUTE)
    await assert.rejects(approvals.redeem(second.id, ACT, ALICE), refusedFor('not-approved'))
    assert.deepEqual(await approvals.sweep(), { expired: 1, forgotten: 0 })
    assert.equal(log.types.at(-1), 'approval.expired')
    clock.advance(91 * 24 * 60 * MINUTE)
    assert.deepEqual(await approvals.sweep(), { expired: 0, forgotten: 2 })
    await assert.rejects(approvals.get(first.id, ALICE), refusedFor('unknown'))
  })

  test(`${store.name}: the same act asked for again is the same request, also at the same moment`, async t => {
    const { approvals, log } = await setting(t)
    const all = await Promise.all(Array.from({ length: 8 }, () => approvals.request(request)))
    assert.equal(new Set(all.map(({ id }) => id)).size, 1)
    assert.equal(log.types.filter(type => type === 'approval.requested').length, 1)
    const other = await approvals.request({ ...request, act: { ...ACT, resource: 'account/8' } })
    assert.notEqual(other.id, all[0]?.id)
  })

  test(`${store.name}: a denial is not worn down by asking again`, async t => {
    const { approvals, clock } = await setting(t)
    const asked = await approvals.request(request)
    await approvals.decide(asked.id, OLGA, 'deny', 'no')
    const again = await approvals.request(request)
    assert.deepEqual([again.id, again.state, again.note], [asked.id, 'denied', 'no'])
    assert.equal((await approvals.find(ACT, ALICE))?.state, 'denied')
    clock.advance(15 * MINUTE)
    assert.equal((await approvals.request(request)).state, 'pending')
  })

  test(`${store.name}: cancelling is no way to notify people without end`, async t => {
    const { approvals } = await setting(t, { maxPending: 3 })
    for (let n = 0; n < 3; n++) await approvals.cancel((await approvals.request(request)).id, ALICE)
    await assert.rejects(approvals.request(request), refusedFor('too-many'))
  })

  test(`${store.name}: requests at once are counted one after the other, in two processes too`, async t => {
    const { approvals, database, clock } = await setting(t, { maxPending: 3 })
    const other = new Approvals({ database, clock, maxPending: 3 })
    await approvals.list(OLGA)
    // An insert that lasts, so that the others begin before it ends.
    if (database instanceof PostgresDatabase)
      await database.query(`
        CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(0.1); RETURN NULL; END';
        CREATE TRIGGER slow AFTER INSERT ON approval FOR EACH ROW EXECUTE FUNCTION slow()`)
    const asked = await Promise.allSettled(
      Array.from({ length: 40 }, (_, n) =>
        (n % 2 === 0 ? approvals : other).request({ ...request, act: { ...ACT, resource: `account/${n}` } }),
      ),
    )
    const refused = asked.flatMap(result => (result.status === 'rejected' ? [result.reason] : []))
    assert.equal(refused.length, 37)
    assert.ok(refused.every(refusedFor('too-many')), String(refused[0]))
    assert.equal((await approvals.list(OLGA)).length, 3)
  })

  test(`${store.name}: one actor cannot flood the approvers`, async t => {
    const { approvals, clock } = await setting(t, { maxPending: 3 })
    const ask = (n: number): Promise<Approval> =>
      approvals.request({ ...request, act: { ...ACT, resource: `account/${n}` } })
    for (let n = 0; n < 3; n++) await ask(n)
    await assert.rejects(ask(3), refusedFor('too-many'))
    await approvals.request({ ...request, act: { ...ACT, actor: 'user:otto' }, principal: OTTO })
    clock.advance(61 * MINUTE)
    await ask(3)
  })

  test(`${store.name}: who may neither ask nor decide does not learn that a request exists`, async t => {
    const { approvals } = await setting(t)
    const { id } = await approvals.request(request)
    const stranger: Principal = { kind: 'user', id: 'eve', tenant: 'south', roles: ['owner'] }
    const messages = await Promise.all(
      [id, '0'.repeat(32), "' OR 1=1", ''].map(one =>
        approvals.get(one, stranger).catch((error: Error) => error.message),
      ),
    )
    assert.equal(new Set(messages).size, 1)
    assert.equal((await approvals.get(id, ALICE)).id, id)
    await assert.rejects(approvals.cancel(id, stranger), refusedFor('not-yours'))
    const namesake = { ...ALICE, tenant: 'another' }
    await assert.rejects(approvals.cancel(id, namesake), refusedFor('not-yours'))
    assert.equal((await approvals.cancel(id, ALICE)).state, 'cancelled')
    await assert.rejects(approvals.decide(id, OLGA, 'approve'), refusedFor('not-pending'))
  })

  test(`${store.name}: who runs the machine decides under a name, and not about what is theirs`, async t => {
    const { approvals } = await setting(t)
    const { id } = await approvals.request(request)
    assert.deepEqual(
      (await approvals.listAll()).map(one => one.id),
      [id],
    )
    for (const name of ['alice', ''])
      await assert.rejects(approvals.decideAsOperator(id, name, 'approve'), refusedFor('approver'))
    assert.equal((await approvals.decideAsOperator(id, 'root', 'approve')).decidedBy, 'user:root')
    const named = await approvals.request({ ...request, act: { ...ACT, resource: 'x' }, by: 'user:bob' })
    await assert.rejects(approvals.decideAsOperator(named.id, 'root', 'approve'), refusedFor('approver'))
    await approvals.decideAsOperator(named.id, 'bob', 'deny')
  })

  test(`${store.name}: nobody consents by writing to the database`, async t => {
    const { approvals, database } = await setting(t, { key: randomBytes(32) })
    const write = async (sql: string): Promise<void> => {
      if (database instanceof PostgresDatabase) await database.query(sql)
      else database.db.exec(sql)
    }
    const forged = await approvals.request(request)
    await write("UPDATE approval SET state = 'approved', decided_by = 'user:olga', decided_at = 1")
    await assert.rejects(approvals.redeem(forged.id, ACT, ALICE), IntegrityError)
    await approvals.cancel(forged.id, ALICE)
    const real = await approvals.request(request)
    await approvals.decide(real.id, OLGA, 'approve')
    await write('UPDATE approval SET rows_allowed = 1000000')
    await assert.rejects(approvals.redeem(real.id, ACT, ALICE), IntegrityError)
    await write('UPDATE approval SET rows_allowed = 5000')
    assert.equal((await approvals.redeem(real.id, ACT, ALICE)).rows, 5_000)
  })

  test(`${store.name}: what cannot be written down is not done`, async t => {
    const { approvals, log } = await setting(t)
    const { id } = await approvals.request(request)
    log.isBroken = true
    await assert.rejects(approvals.decide(id, OLGA, 'approve'), /cannot be written/)
    assert.equal((await approvals.get(id, OLGA)).state, 'pending')
    log.isBroken = false
    await approvals.decide(id, OLGA, 'approve')
    log.isBroken = true
    await assert.rejects(approvals.redeem(id, ACT, ALICE), /cannot be written/)
    log.isBroken = false
    await approvals.redeem(id, ACT, ALICE)
  })

  test(`${store.name}: refuses requests out of bounds`, async t => {
    const { approvals } = await setting(t)
    for (const wrong of [
      { by: [] },
      { by: 'owners' },
      { by: 'role:' },
      { ttl: '8d' },
      { ttl: '10ms' },
      { rows: 0 },
      { rows: 1.5 },
      { act: { ...ACT, resource: 'x'.repeat(257) } },
      { act: { ...ACT, arguments: 'x'.repeat(70_000) } },
      { preview: { rows: { orders: -1 } } },
      { preview: { rows: Object.fromEntries(Array.from({ length: 51 }, (_, i) => [`t${i}`, 1])) } },
    ])
      await assert.rejects(
        approvals.request({ ...request, ...wrong }),
        ConfigError,
        JSON.stringify(wrong).slice(0, 80),
      )
    const { preview } = await approvals.request({
      ...request,
      preview: { sample: Array.from({ length: 30 }, () => ({ text: 'x'.repeat(3_000) })) },
    })
    assert.equal(preview.sample?.length, 10)
  })
}
