import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { ConfigError } from '@postern/core'
import { SoftPasskey } from '../../identity/test/soft-passkey.ts'
import type { OperatorAccounts } from '../src/api/operator-accounts.ts'
import type { ConsoleServer } from '../src/serve/console-server.ts'
import { AccountConsole, type PasskeyOptions as Options, sessionOf } from './support/account-console.ts'
import { type SignedIn, signIn } from './support/ask.ts'
import type { TestParts } from './support/console-parts.ts'

describe('accounts of the console', () => {
  let opened: AccountConsole
  let operators: OperatorAccounts
  let given: TestParts
  let server: ConsoleServer
  let origin = ''
  let opal: SignedIn

  before(async () => {
    opened = await AccountConsole.open()
    ;({ operators, given, server, origin, opal } = opened)
  })
  after(() => opened.close())

  const call: AccountConsole['call'] = (...asked) => opened.call(...asked)
  const invite: AccountConsole['invite'] = (...asked) => opened.invite(...asked)
  const accept: AccountConsole['accept'] = (...asked) => opened.accept(...asked)
  const signInBy: AccountConsole['signInBy'] = passkey => opened.signInBy(passkey)
  const idOf: AccountConsole['idOf'] = name => opened.idOf(name)

  const ann = (): SoftPasskey => (annsKey ??= new SoftPasskey(origin))
  let annsKey: SoftPasskey | undefined

  test('somebody who is invited makes a passkey, is signed in with the roles of the invitation, and signs in again', async () => {
    const { json } = await invite('Ann@Shop.example', ['operator'])
    const shown = await call('POST', '/invitation/options', { invitation: json['invitation'] })
    assert.deepEqual([shown.json['name'], shown.json['roles']], ['ann@shop.example', ['operator', 'viewer']])
    const came = await accept(json['invitation'], ann())
    assert.equal(came.status, 200, JSON.stringify(came.json))
    assert.deepEqual(came.json['roles'], ['viewer', 'operator'])
    assert.equal((await call('GET', '/session', undefined, sessionOf(came))).json['name'], 'ann@shop.example')
    assert.equal((await signInBy(ann())).status, 200)
    assert.deepEqual(
      given.acts.slice(-3).map(({ action, operator, data }) => [action, operator, data?.['by']]),
      [
        ['operators.invite', 'opal', undefined],
        ['console.sign-in', 'ann@shop.example', 'invitation'],
        ['console.sign-in', 'ann@shop.example', 'passkey'],
      ],
    )
  })

  test('an invitation is good once, and an earlier one is worth nothing', async () => {
    const first = (await invite('bob@shop.example', [])).json['invitation']
    const second = (await invite('bob@shop.example', [])).json['invitation']
    assert.equal((await accept(first, new SoftPasskey(origin))).status, 401)
    assert.equal((await accept(second, new SoftPasskey(origin))).status, 200)
    assert.equal((await accept(second, new SoftPasskey(origin))).status, 401)
    assert.equal(
      (await invite('bob@shop.example', ['operator'])).status,
      400,
      'who can sign in is not invited',
    )
    for (const wrong of [undefined, 7, '', 'x'.repeat(43), 'x'.repeat(5_000)])
      assert.equal((await call('POST', '/invitation/options', { invitation: wrong })).status, 401)
  })

  test('nobody grants a role they lack, nobody makes an approver, and operators say nothing about who may', async () => {
    const operator = sessionOf(await signInBy(ann()))
    const bob = await idOf('bob@shop.example')
    assert.equal((await invite('eve@shop.example', ['viewer'], operator)).status, 403)
    assert.equal((await call('POST', `/operators/${bob}/roles`, { roles: [] }, operator)).status, 403)
    assert.equal((await call('DELETE', `/operators/${bob}`, {}, operator)).status, 403)
    const alone = await signIn(server, 'alone', ['administrator'])
    const every = await signIn(server, 'every')
    for (const [who, role] of [
      [alone, 'operator'],
      [alone, 'approver'],
      [every, 'approver'],
    ] as const) {
      assert.equal((await invite('eve@shop.example', [role], who)).status, 403, role)
      assert.equal((await call('POST', `/operators/${bob}/roles`, { roles: [role] }, who)).status, 403, role)
    }
    assert.equal(await idOf('eve@shop.example'), '', 'nothing was made')
    await assert.rejects(operators.invite('eve@shop.example', ['administrator', 'approver']), ConfigError)
    await assert.rejects(operators.setRoles(bob, ['approver', 'administrator']), ConfigError)
    for (const roles of [['root'], 'operator', [['operator']]])
      assert.equal((await call('POST', '/operators', { name: 'x@shop.example', roles }, opal)).status, 400)
  })

  test('the last operator who can sign in is not removed and keeps the role, also when two try at once', async () => {
    const id = await idOf('ann@shop.example')
    await invite('invited@shop.example', ['operator'])
    assert.equal(
      (await call('DELETE', `/operators/${id}`, {}, opal)).status,
      409,
      'who is only invited does not count',
    )
    assert.equal((await call('POST', `/operators/${id}/roles`, { roles: [] }, opal)).status, 409)
    const { json } = await invite('carl@shop.example', ['operator'])
    assert.equal((await accept(json['invitation'], new SoftPasskey(origin))).status, 200)
    const carl = await idOf('carl@shop.example')
    const both = await Promise.all([
      call('DELETE', `/operators/${id}`, {}, opal),
      call('DELETE', `/operators/${carl}`, {}, opal),
    ])
    assert.deepEqual(both.map(({ status }) => status).sort(), [200, 409])
    const left = (await operators.list()).filter(
      ({ roles, isInvited }) => roles.includes('operator') && !isInvited,
    )
    assert.equal(left.length, 1)
  })

  test('whoever is removed, or has other roles, is signed out at once', async () => {
    const key = new SoftPasskey(origin)
    const { json } = await invite('dora@shop.example', ['operator'])
    const session = sessionOf(await accept(json['invitation'], key))
    const id = await idOf('dora@shop.example')
    assert.equal((await call('POST', `/operators/${id}/roles`, { roles: ['viewer'] }, opal)).status, 200)
    assert.equal((await call('GET', '/session', undefined, session)).status, 401)
    const again = sessionOf(await signInBy(key))
    assert.equal((await call('POST', '/bans', { actor: '192.0.2.1' }, again)).status, 403)
    assert.equal((await call('DELETE', `/operators/${id}`, {}, opal)).status, 200)
    assert.equal((await call('GET', '/session', undefined, again)).status, 401)
    assert.equal((await signInBy(key)).status, 401)
    given.clock.advance(60_000)
  })

  test('a passkey of another site, a replayed answer and a copied authenticator do not sign in', async () => {
    const key = new SoftPasskey(origin)
    const { json } = await invite('finn@shop.example', ['viewer'])
    assert.equal((await accept(json['invitation'], key)).status, 200)
    const { json: asked } = await call('POST', '/session/passkey/options', {})
    key.counter++
    const answer = key.get(asked['options'] as Options)
    assert.equal((await call('POST', '/session/passkey', { answer })).status, 200)
    assert.equal((await call('POST', '/session/passkey', { answer })).status, 401, 'a challenge is good once')
    key.counter = 0
    const { json: next } = await call('POST', '/session/passkey/options', {})
    assert.equal(
      (await call('POST', '/session/passkey', { answer: key.get(next['options'] as Options) })).status,
      401,
      'a counter that went back',
    )
    const { json: invited } = await invite('gus@shop.example', [])
    const phished = new SoftPasskey('https://evil.example', 'localhost')
    assert.equal((await accept(invited['invitation'], phished)).status, 401)
    for (const nonsense of [undefined, null, 7, 'x', [], { id: '', response: {} }])
      assert.equal((await call('POST', '/session/passkey', { answer: nonsense })).status, 401)
    given.clock.advance(60_000)
  })

  test('passkeys need a name: at an address in numbers the answer says where to go', async () => {
    const { host } = new URL(server.address)
    const answer = await call(
      'POST',
      '/session/passkey/options',
      {},
      { Host: host, Origin: `http://${host}` },
    )
    assert.equal(answer.status, 409)
    assert.match(String(answer.json['error']), /localhost/)
    assert.match(server.invitationLink('abc'), /^http:\/\/localhost:\d+\/#invitation=abc$/)
  })

  test('a sign-in that the log cannot take lets nobody in', async () => {
    given.log.isBroken = true
    const refused = await call('POST', '/session', {
      link: /#link=(.*)$/.exec(server.link('late'))?.[1],
    })
    given.log.isBroken = false
    assert.deepEqual([refused.status, refused.headers['set-cookie']], [500, undefined])
  })

  test('a flood of attempts to sign in is bounded, ends, and does not keep out who has a link', async () => {
    given.clock.advance(60_000)
    const attempt = (client: string) =>
      call('POST', '/session/passkey', { answer: {} }, { 'X-Forwarded-For': client }).then(
        ({ status }) => status,
      )
    const statuses = await Promise.all(Array.from({ length: 70 }, () => attempt('203.0.113.7')))
    assert.equal(statuses.filter(status => status === 429).length, 10)
    // Nobody else waits for it, and an address of one's own is not a client of its own.
    assert.equal(await attempt('203.0.113.8'), 401)
    const ofOneNetwork = Array.from({ length: 70 }, (_, i) => `2001:db8::${i.toString(16)}`)
    const alike = await Promise.all(ofOneNetwork.map(attempt))
    assert.equal(alike.filter(status => status === 429).length, 10)
    const link = /#link=(.*)$/.exec(server.link('in time'))?.[1]
    assert.equal((await call('POST', '/session', { link })).status, 200)
    given.clock.advance(60_000)
    assert.equal(await attempt('203.0.113.7'), 401)
    // Many networks together are bounded too.
    const many = Array.from({ length: 650 }, (_, i) => `198.51.${i >> 8}.${i & 255}`)
    const refused: string[] = []
    for (const client of many) if ((await attempt(client)) === 429) refused.push(client)
    assert.equal(refused.length, 51)
    given.clock.advance(60_000)
  })
})
