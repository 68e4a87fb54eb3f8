import assert from 'node:assert/strict'
import { once } from 'node:events'
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { after, before, describe, test } from 'node:test'
import { until } from '../../../test/until.ts'
import { SoftPasskey } from '../../identity/test/soft-passkey.ts'
import { AccountConsole, type PasskeyOptions, sessionOf } from './support/account-console.ts'
import { ask, signIn } from './support/ask.ts'
import { kept, request } from './support/events.ts'
import { watch } from './support/watch.ts'

describe('attacks on the accounts of the console', () => {
  let opened: AccountConsole
  before(async () => {
    opened = await AccountConsole.open()
  })
  after(() => opened.close())
  /** Attempts to sign in are bounded for everybody together, a minute long. */
  const nextMinute = (): void => void opened.given.clock.advance(60_000)

  test('an invitation that two follow at once makes one account with one passkey', async () => {
    const { json } = await opened.invite('race@shop.example', ['operator'])
    const { invitation } = json
    const both = await Promise.all(
      [0, 1, 2].map(async () => {
        const asked = await opened.call('POST', '/invitation/options', { invitation })
        const answer = new SoftPasskey(opened.origin).create(asked.json['options'] as PasskeyOptions)
        return { invitation, answer }
      }),
    )
    const answers = await Promise.all(both.map(body => opened.call('POST', '/invitation', body)))
    assert.deepEqual(answers.map(({ status }) => status).sort(), [200, 401, 401])
    const made = (await opened.operators.list()).filter(({ name }) => name === 'race@shop.example')
    assert.equal(made.length, 1)
    assert.equal(made[0]?.passkeys.length, 1)
    nextMinute()
  })

  test('a link that many follow at once signs one of them in', async () => {
    const link = /#link=(.*)$/.exec(opened.server.link('late'))?.[1]
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => opened.call('POST', '/session', { link })),
    )
    assert.equal(answers.filter(({ status }) => status === 200).length, 1)
    nextMinute()
  })

  test('whoever is removed, or loses a role, in the moment of signing in is not signed in with what they had', async t => {
    const accounts = opened.operators
    const { id, passkey } = await opened.member('gone@shop.example', ['viewer'])
    const signInAs = accounts.signIn.bind(accounts)
    t.mock.method(accounts, 'signIn', async (...given: Parameters<typeof signInAs>) => {
      const who = await signInAs(...given)
      await accounts.setRoles(id, ['viewer', 'approver'])
      return who
    })
    assert.equal((await opened.signInBy(passkey)).status, 401, 'other roles than were read')
    t.mock.restoreAll()
    t.mock.method(accounts, 'signIn', async (...given: Parameters<typeof signInAs>) => {
      const who = await signInAs(...given)
      await accounts.setRoles(id, ['viewer'])
      await accounts.remove(id)
      return who
    })
    const { passkey: other } = await opened.member('other@shop.example', ['approver'])
    const answer = await opened.signInBy(passkey)
    assert.equal(answer.status, 401)
    assert.equal(answer.headers['set-cookie'], undefined)
    t.mock.restoreAll()
    assert.equal((await opened.signInBy(other)).status, 200, 'others sign in as before')
    nextMinute()
  })

  test('the live stream of somebody who is removed, or has other roles, is cut before anything more is sent', async () => {
    const removed = await opened.member('removed@shop.example', ['viewer'])
    const demoted = await opened.member('demoted@shop.example', ['operator'])
    const streams = [await watch(opened.server, removed.session), await watch(opened.server, demoted.session)]
    await until(() => streams.every(({ text }) => text().includes(': connected')))
    assert.equal((await opened.call('DELETE', `/operators/${removed.id}`, {}, opened.opal)).status, 200)
    const roles = { roles: ['viewer'] }
    assert.equal(
      (await opened.call('POST', `/operators/${demoted.id}/roles`, roles, opened.opal)).status,
      200,
    )
    opened.given.parts.live.take(kept(request(1)))
    await until(() => streams.every(({ ended }) => ended()))
    for (const { text } of streams) assert.doesNotMatch(text(), /event:/)
    nextMinute()
  })

  test('whoever holds a body back until they are removed, or have other roles, does nothing with it', async () => {
    for (const change of ['removed', 'demoted'] as const) {
      const { id, session } = await opened.member(`slow-${change}@shop.example`, ['operator'])
      const ban = JSON.stringify({ actor: `principal:${change}` })
      const sent = httpRequest(`${opened.server.address}api/bans`, {
        method: 'POST',
        headers: { ...session, 'Content-Length': Buffer.byteLength(ban), Expect: '100-continue' },
      })
      const answered = once(sent, 'response') as Promise<[IncomingMessage]>
      sent.flushHeaders()
      await once(sent, 'continue')
      sent.write(ban.slice(0, 5))
      const done =
        change === 'removed'
          ? await opened.call('DELETE', `/operators/${id}`, {}, opened.opal)
          : await opened.call('POST', `/operators/${id}/roles`, { roles: ['viewer'] }, opened.opal)
      assert.equal(done.status, 200)
      sent.end(ban.slice(5))
      const [{ statusCode }] = await answered
      assert.equal(statusCode, 401, change)
      nextMinute()
    }
  })

  test('the last approver stays, also when two of them are removed at once; who has a role keeps it without being granted it', async () => {
    for (const operator of await opened.operators.list())
      if (operator.roles.includes('approver')) await opened.operators.remove(operator.id)
    const one = await opened.member('one@shop.example', ['operator', 'approver'])
    const two = await opened.member('two@shop.example', ['operator', 'approver'])
    for (const { name, id } of await opened.operators.list())
      if (!['one@shop.example', 'two@shop.example'].includes(name)) await opened.operators.remove(id)
    const both = await Promise.all(
      [one, two].map(({ id }) =>
        opened.call('POST', `/operators/${id}/roles`, { roles: ['operator'] }, opened.opal),
      ),
    )
    assert.deepEqual(both.map(({ status }) => status).sort(), [200, 409])
    const refused = both.find(({ status }) => status === 409)
    assert.match(String(refused?.json['error']), /last approver/)
    const left = (await opened.operators.list()).filter(({ roles }) => roles.includes('approver'))
    assert.equal(left.length, 1)
    const [last] = left
    assert.equal(
      (await opened.call('DELETE', `/operators/${last?.id}`, {}, opened.opal)).status,
      409,
      'nor is it removed',
    )
    const plain = await signIn(opened.server, 'plain', ['operator', 'administrator'])
    const keeps = { roles: ['operator', 'approver'] }
    assert.equal((await opened.call('POST', `/operators/${last?.id}/roles`, keeps, plain)).status, 200)
    const lacks = (await opened.operators.list()).find(({ id }) => id !== last?.id)
    assert.equal((await opened.call('POST', `/operators/${lacks?.id}/roles`, keeps, plain)).status, 403)
    nextMinute()
  })

  test('a cookie of one with the token of another, a planted cookie, and a token elsewhere sign nobody in', async () => {
    const ann = await signIn(opened.server, 'ann')
    const eve = await signIn(opened.server, 'eve', ['viewer'])
    const url = `${opened.server.address}api/session`
    const tries: Record<string, Record<string, string>> = {
      'the cookie of one, the token of another': {
        Cookie: ann.Cookie,
        'Console-Token': eve['Console-Token'],
      },
      'a planted cookie alone, with the own token': {
        Cookie: `${eve.Cookie}; ${eve.Cookie}`,
        'Console-Token': ann['Console-Token'],
      },
      'a token as a bearer': { Cookie: ann.Cookie, Authorization: `Bearer ${ann['Console-Token']}` },
      'a token as a cookie': { Cookie: `${ann.Cookie}; Console-Token=${ann['Console-Token']}` },
      'no cookie': { 'Console-Token': ann['Console-Token'] },
      'an empty token': { Cookie: ann.Cookie, 'Console-Token': '' },
    }
    for (const [what, headers] of Object.entries(tries))
      assert.equal((await ask(url, { headers })).status, 401, what)
    const inQuery = await ask(`${url}?token=${ann['Console-Token']}`, { headers: { Cookie: ann.Cookie } })
    assert.equal(inQuery.status, 401)
    assert.equal((await ask(url, { headers: ann })).json['name'], 'ann', 'the session itself holds')
    const beside = { ...ann, Cookie: `${eve.Cookie}; ${ann.Cookie}` }
    assert.equal((await ask(url, { headers: beside })).json['name'], 'ann', 'a planted cookie changes nobody')
    nextMinute()
  })

  test('one viewer who signs in again and again signs nobody else out, and takes every place of the live stream from nobody', async () => {
    const owner = await signIn(opened.server, 'owner')
    const eve = await opened.member('eve@shop.example', ['viewer'])
    const sessions = [eve.session]
    for (let i = 0; i < 70; i++) {
      if (i % 25 === 0) nextMinute()
      const came = await opened.signInBy(eve.passkey)
      assert.equal(came.status, 200, JSON.stringify(came.json))
      sessions.push(sessionOf(came))
    }
    const url = `${opened.server.address}api/session`
    assert.equal((await ask(url, { headers: owner })).status, 200, 'the owner is signed in')
    const last = sessions.at(-1) ?? eve.session
    assert.equal((await ask(url, { headers: last })).status, 200, 'the newest session holds')
    assert.equal((await ask(url, { headers: eve.session })).status, 401, 'of their own the oldest ended')
    const open = await Promise.all(
      sessions.slice(-10).flatMap(session => [watch(opened.server, session), watch(opened.server, session)]),
    )
    const own = await watch(opened.server, owner)
    assert.equal(own.status, 200, 'others still watch')
    for (const { response } of [...open, own]) response.destroy()
    nextMinute()
  })
})
