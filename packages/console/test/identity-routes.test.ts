import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { Approvals } from '@postern/access'
import { VirtualClock } from '@postern/core'
import { type BuiltInIdentity, builtInIdentity, fileOutbox } from '@postern/identity/built-in'
import { openSqlite, type SqliteDatabase } from '@postern/store'
import { type ConsoleServer, startConsole } from '../src/serve/console-server.ts'
import { type Answer, ask, type SignedIn, signIn } from './support/ask.ts'
import { type TestParts, testParts } from './support/console-parts.ts'
import { misfits } from './support/fits-schema.ts'

describe('keys, users and sessions in the console', () => {
  const folder = mkdtempSync(join(tmpdir(), 'postern-console-identity-'))
  let database: SqliteDatabase
  let identity: BuiltInIdentity
  let approvals: Approvals
  let given: TestParts
  let server: ConsoleServer
  let operator: SignedIn
  let viewer: SignedIn
  let paths: Readonly<Record<string, Readonly<Record<string, { responses: Record<string, unknown> }>>>>
  let ann = ''
  let bob = ''

  before(async () => {
    database = openSqlite({ path: join(folder, 'identity.db') })
    const outbox = fileOutbox(join(folder, 'outbox'))
    identity = await builtInIdentity({
      origin: 'http://localhost:8080',
      database,
      secret: 'x'.repeat(64),
      mailer: outbox,
    })
    await identity.importAccounts(
      'email,name,email_verified\nann@shop.example,Ann,true\nbob@shop.example,Bob,true\n',
    )
    for (const { id, email } of await identity.accounts.list())
      if (email.startsWith('ann')) ann = id
      else bob = id
    approvals = new Approvals({
      database,
      clock: new VirtualClock(1_800_000_000_000),
      namesOf: name => identity.accounts.namesOf(name),
    })
    given = await testParts({ identity, approvals })
    server = await startConsole({
      parts: given.parts,
      listen: { host: '127.0.0.1', port: 0 },
      path: '/',
      origins: [],
    })
    operator = await signIn(server, 'opal', ['viewer', 'operator', 'administrator'])
    viewer = await signIn(server, 'vic', ['viewer'])
    const { json } = await ask(`${server.address}api/openapi.json`, { headers: viewer })
    paths = json['paths'] as typeof paths
  })
  after(async () => {
    await server.close()
    await given.close()
    await identity.close()
    database.close()
    rmSync(folder, { recursive: true, force: true })
  })

  /** Asks, and holds the answer against the document of the API. */
  const call = async (
    method: string,
    template: string,
    { who = operator, id = '', body }: { who?: SignedIn; id?: string; body?: object } = {},
  ): Promise<Answer> => {
    const answer = await ask(`${server.address}api${template.replace(/\{\w+\}/, id)}`, {
      method,
      headers: who,
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
    if (answer.status === 200) {
      const said = paths[template]?.[method.toLowerCase()]?.responses['200'] as {
        readonly content: { readonly 'application/json': { readonly schema: object } }
      }
      assert.deepEqual(misfits(answer.json, said.content['application/json'].schema), [], template)
    }
    return answer
  }

  test('a key is made and shown once, listed without itself, and revoked', async () => {
    const made = await call('POST', '/keys', {
      body: { service: 'billing', scopes: ['orders:read'], networks: ['10.0.0.0/8'], expires: '90d' },
    })
    assert.equal(made.status, 200, JSON.stringify(made.json))
    const text = String(made.json['text'])
    const listed = await call('GET', '/keys', { who: viewer })
    const [key] = listed.json['keys'] as readonly Readonly<Record<string, unknown>>[]
    assert.deepEqual(
      [key?.['id'], key?.['owner'], key?.['createdBy'], key?.['isLive'], key?.['usedAt']],
      [made.json['id'], { kind: 'service', id: 'billing' }, 'user:opal', true, undefined],
    )
    assert.equal(JSON.stringify(listed.json).includes(text.split('_')[3] ?? 'none'), false)
    const id = String(made.json['id'])
    assert.equal((await call('DELETE', '/keys/{key}', { id, body: {} })).status, 200)
    assert.equal((await call('DELETE', '/keys/{key}', { id, body: {} })).status, 404)
    assert.deepEqual(
      given.acts.slice(-4).map(({ action, operator: who, data }) => [action, who, data?.['failed']]),
      [
        ['keys.create', 'opal', undefined],
        ['keys.revoke', 'opal', undefined],
        ['keys.revoke', 'opal', undefined],
        ['keys.revoke', 'opal', 'refused with 404'],
      ],
    )
    assert.equal(JSON.stringify(given.acts).includes(text), false, 'the log never holds the key')
  })

  test('a key is not made when the log cannot take it, and bad wishes are refused with a sentence', async () => {
    const before = (await identity.apiKeys.listAll()).length
    given.log.isBroken = true
    assert.equal((await call('POST', '/keys', { body: { service: 'late' } })).status, 500)
    given.log.isBroken = false
    for (const body of [
      {},
      { service: '' },
      { service: 'two words' },
      { service: 'a', scopes: 'all' },
      { service: 'a', scopes: [7] },
      { service: 'a', networks: ['nowhere'] },
      { service: 'a', expires: 'soon' },
      { service: 'a', environment: 'LIVE' },
    ])
      assert.equal((await call('POST', '/keys', { body })).status, 400, JSON.stringify(body))
    assert.equal((await identity.apiKeys.listAll()).length, before)
  })

  test('a user is shown with factors, sessions and keys; sessions end, all or one', async () => {
    const begin = (accountId: string): ReturnType<typeof identity.sessions.begin> =>
      identity.sessions.begin({ accountId, amr: ['pwd'], address: '203.0.113.9', agent: 'Firefox' })
    const [first] = [await begin(ann), await begin(ann), await begin(bob)]
    const users = await call('GET', '/users', { who: viewer })
    assert.equal((users.json['users'] as readonly unknown[]).length, 2)
    const searched = await ask(`${server.address}api/users?search=${encodeURIComponent(' BOB@ ')}`, {
      headers: viewer,
    })
    const found = searched.json['users'] as readonly { readonly id: string }[]
    assert.deepEqual(
      found.map(({ id }) => id),
      [bob],
    )
    const shown = await call('GET', '/users/{user}', { who: viewer, id: ann })
    assert.equal(shown.status, 200, JSON.stringify(shown.json))
    assert.equal((shown.json['sessions'] as readonly unknown[]).length, 2)
    const all = await call('GET', '/sessions', { who: viewer })
    assert.equal((all.json['sessions'] as readonly unknown[]).length, 3)
    assert.equal(JSON.stringify(all.json).includes(first?.token ?? 'none'), false)
    const end = async (body: object): Promise<unknown> =>
      (await call('POST', '/users/{user}/sessions/end', { id: ann, body })).json['ended']
    assert.equal(await end({ session: first?.id }), 1)
    assert.equal(await end({}), 1)
    assert.equal(await end({}), 0)
    assert.equal((await identity.sessions.list(bob)).length, 1, 'those of others go on')
  })

  test('a disabled account is out from the next request on, and back when it is enabled', async () => {
    const disable = (): Promise<Answer> =>
      call('POST', '/users/{user}/disable', { id: bob, body: { reason: 'left' } })
    assert.equal((await disable()).json['changed'], true)
    assert.equal((await disable()).json['changed'], false)
    assert.equal((await identity.sessions.list(bob)).length, 0)
    assert.equal((await call('POST', '/users/{user}/enable', { id: bob, body: {} })).json['changed'], true)
    const roles = await call('POST', '/users/{user}/roles', { id: bob, body: { roles: ['support'] } })
    assert.equal(roles.json['changed'], true)
    assert.deepEqual((await identity.accounts.byId(bob))?.roles, ['support'])
    const owner = { id: bob, body: { roles: ['support', 'owner'] } }
    const refused = await call('POST', '/users/{user}/roles', owner)
    assert.equal(refused.status, 403, 'a role that consents makes the second person of an act')
    assert.match(String(refused.json['error']), /postern users roles/)
    await identity.accounts.setRoles(bob, ['support', 'owner'])
    assert.equal(
      (await call('POST', '/users/{user}/roles', owner)).status,
      200,
      'it stays with whoever has it',
    )
    assert.equal((await call('POST', '/users/{user}/roles', { id: bob, body: { roles: [] } })).status, 200)
    const self = await signIn(server, 'BOB@shop.example', ['viewer', 'operator', 'administrator'])
    const own = { id: bob, body: { roles: ['support'] } }
    assert.equal(
      (await call('POST', '/users/{user}/roles', { ...own, who: self })).status,
      403,
      'nor of the own account',
    )
    await identity.accounts.setRoles(bob, ['support'])
    assert.equal(JSON.stringify(given.acts).includes('bob@'), false, 'the log never holds an address')
  })

  test('a viewer changes none of it', async () => {
    for (const [method, template] of [
      ['POST', '/keys'],
      ['DELETE', '/keys/{key}'],
      ['POST', '/users/{user}/disable'],
      ['POST', '/users/{user}/enable'],
      ['POST', '/users/{user}/roles'],
      ['POST', '/users/{user}/sessions/end'],
      ['POST', '/principals/end'],
    ] as const)
      assert.equal((await call(method, template, { who: viewer, id: ann, body: {} })).status, 403, template)
  })

  test('what is not there is said so', async () => {
    assert.equal((await call('GET', '/users/{user}', { id: 'nobody' })).status, 404)
    assert.equal((await call('GET', '/users/{user}', { id: '..%2Fkeys' })).status, 404)
    assert.equal((await call('POST', '/principals/end', { body: { principal: 'ann' } })).status, 404)
  })

  test('who asks for consent is called by their address, and does not decide under it', async () => {
    const { id } = await approvals.request({
      act: { actor: `user:${ann}`, action: 'orders.purge', resource: 'orders', arguments: {} },
      principal: { kind: 'user', id: ann },
      by: 'role:owner',
    })
    const { json } = await call('GET', '/approvals', { who: viewer })
    assert.deepEqual(json['names'], { [`user:${ann}`]: 'ann@shop.example (Ann)' })
    for (const verb of ['approve', 'deny']) {
      const who = await signIn(server, 'ANN@shop.example', ['viewer', 'approver'])
      const answer = await call('POST', `/approvals/{id}/${verb}`, { who, id, body: {} })
      assert.equal(answer.status, 409)
      assert.match(JSON.stringify(answer.json), /Nobody decides a request of their own/)
    }
    const bobs = await signIn(server, 'bob@shop.example', ['viewer', 'approver'])
    assert.equal((await call('POST', '/approvals/{id}/deny', { who: bobs, id, body: {} })).status, 200)
  })
})
