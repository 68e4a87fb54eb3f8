import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { ApprovalRefused, Approvals } from '@postern/access'
import { type Address, type Principal, parseAddress } from '@postern/core'
import type { Account, BuiltInIdentity } from '@postern/identity/built-in'
import { builtInIdentity } from '@postern/identity/built-in'
import { openSqlite } from '@postern/store'
import { type ConsoleServer, startConsole } from '../src/serve/console-server.ts'
import { ask, signIn } from './support/ask.ts'
import { type TestParts, testParts } from './support/console-parts.ts'

const HERE = parseAddress('192.0.2.7') as Address

describe('whoever changes the address of their account', () => {
  const database = openSqlite({ path: ':memory:' })
  let identity: BuiltInIdentity
  let approvals: Approvals
  let given: TestParts
  let server: ConsoleServer

  before(async () => {
    identity = await builtInIdentity({
      origin: 'http://localhost:8080',
      database,
      secret: 'x'.repeat(64),
      mailer: { send: async () => {} },
    })
    approvals = new Approvals({ database, namesOf: name => identity.accounts.namesOf(name) })
    given = await testParts({ identity, approvals })
    server = await startConsole({
      parts: given.parts,
      listen: { host: '127.0.0.1', port: 0 },
      path: '/',
      origins: [],
    })
  })
  after(async () => {
    await server.close()
    await given.close()
    await identity.close()
    database.close()
  })

  const join = async (email: string): Promise<Account> => {
    await identity.importAccounts(`email,email_verified\n${email},true\n`)
    return (await identity.accounts.named(email)) as Account
  }
  const moveTo = async (account: Account, email: string): Promise<void> =>
    assert.ok(
      await identity.accounts.setEmail(
        account,
        email as Parameters<BuiltInIdentity['accounts']['setEmail']>[1],
      ),
    )

  /** Makes a key in the console, and asks for something with it. */
  const askedWithKeyOf = async (operator: string, service: string): Promise<string> => {
    const headers = await signIn(server, operator, ['viewer', 'administrator'])
    const body = JSON.stringify({ service })
    const { json } = await ask(`${server.address}api/keys`, { method: 'POST', headers, body })
    const check = await identity.apiKeys.check(String(json['text']), HERE)
    assert.ok(check.kind === 'accepted')
    return asked(check.principal)
  }
  const asked = async (principal: Principal): Promise<string> => {
    const act = { actor: `${principal.kind}:${principal.id}`, action: 'purge', resource: '', arguments: {} }
    return (await approvals.request({ act, principal, by: 'role:owner' })).id
  }
  const decidedBy = async (operator: string, id: string): Promise<number> => {
    const headers = await signIn(server, operator, ['viewer', 'approver'])
    return (
      await ask(`${server.address}api/approvals/${id}/approve`, { method: 'POST', headers, body: '{}' })
    ).status
  }
  const owner = ({ id }: Account): Principal => ({ kind: 'user', id, roles: ['owner'] })

  test('decides under no name what is asked with a key that they made', async () => {
    const ann = await join('ann@shop.example')
    const id = await askedWithKeyOf('ann@shop.example', 'reports')
    await moveTo(ann, 'ann@new.example')
    assert.equal(await decidedBy('ann@shop.example', id), 409, 'the old address')
    assert.equal(await decidedBy('ann@new.example', id), 409, 'the new one')
    assert.equal(await decidedBy(ann.id, id), 409, 'the id of the account')
    await assert.rejects(approvals.decide(id, owner(ann), 'approve'), ApprovalRefused)
    assert.equal(await decidedBy('olga@shop.example', id), 200, 'somebody else')
  })

  test('decides under no name what they asked for as themselves', async () => {
    const ben = await join('ben@shop.example')
    const id = await asked(owner(ben))
    await moveTo(ben, 'ben@new.example')
    assert.equal(await decidedBy('ben@shop.example', id), 409)
    assert.equal(await decidedBy('Ben@Shop.example', id), 409, 'in capitals')
    assert.equal(await decidedBy('ben@new.example', id), 409)
  })

  test('has made the keys of an operator whose name their address is now', async () => {
    const id = await askedWithKeyOf('cem@shop.example', 'billing')
    const cem = await join('cem@old.example')
    assert.deepEqual((await approvals.list(owner(cem))).map(one => one.id).includes(id), true)
    await moveTo(cem, 'cem@shop.example')
    await assert.rejects(approvals.decide(id, owner(cem), 'approve'), ApprovalRefused)
    assert.deepEqual((await approvals.list(owner(cem))).map(one => one.id).includes(id), false)
    await assert.rejects(approvals.get(id, owner(cem)), ApprovalRefused)
  })

  test('has made their keys after they delete the account, as long as one of these lives', async () => {
    const dan = await join('dan@shop.example')
    const id = await askedWithKeyOf('dan@shop.example', 'mailer')
    await moveTo(dan, 'dan@new.example')
    await identity.deleteAccount(dan.id)
    assert.equal(await decidedBy('dan@shop.example', id), 409, 'the first address')
    assert.equal(await decidedBy('dan@new.example', id), 409, 'the last address')
    for (const key of await identity.apiKeys.listAll())
      if (key.createdBy === `user:${dan.id}`) await identity.apiKeys.revoke(key.id, 'operator', 'gone')
    const eve = await join('eve@shop.example')
    await moveTo(eve, 'eve@new.example')
    await identity.deleteAccount(eve.id)
    assert.deepEqual(await identity.accounts.namesOf('eve@shop.example'), [], 'nothing is kept without a key')
  })
})
