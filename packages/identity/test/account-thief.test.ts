// What somebody who had an account for a while tries to keep of it, or to hide.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { openSqlite } from '@postern/store'
import { QueueFull } from '../src/password/work-queue.ts'
import type { Session } from '../src/session/session.ts'
import { WRONG_PROOFS, WrongProofs } from '../src/step-up/wrong-proofs.ts'
import { credentialOf } from '../src/verify-entry.ts'
import { PlainBrowser, type Site, signUp, startSite, whoIs } from './site.ts'
import { VirtualClock } from './support.ts'
import { exchangeOf } from './verify-harness.ts'

async function askForOtherAddress(site: Site, thief: PlainBrowser): Promise<string> {
  await thief.post('/.postern/account/email', { email: 'mallory@evil.example' })
  return new URL(await site.link()).searchParams.get('token') ?? ''
}

async function secondBrowser(site: Site): Promise<PlainBrowser> {
  const browser = new PlainBrowser(site.origin)
  const fields = { email: 'alice@shop.example', password: 'a quiet river' }
  assert.equal((await browser.post('/.postern/sign-in', fields)).status, 303)
  return browser
}

describe('a change of the address that a thief began', () => {
  for (const [what, end] of [
    [
      'the owner changed the password',
      async (_site: Site, owner: PlainBrowser) =>
        owner.post('/.postern/account/password', { password: 'another quiet river' }),
    ],
    [
      'the owner signed all other devices out',
      async (_site: Site, owner: PlainBrowser) => owner.post('/.postern/sessions/revoke-others'),
    ],
    [
      'an operator ended all sessions',
      async (site: Site, owner: PlainBrowser) => site.identity.endSessions((await whoIs(owner)).id),
    ],
    [
      'an operator disabled the account, and enabled it again',
      async (site: Site, owner: PlainBrowser) => {
        const { id } = await whoIs(owner)
        await site.identity.disableAccount(id)
        await site.identity.enableAccount(id)
      },
    ],
    [
      'the account is disabled',
      async (site: Site, owner: PlainBrowser) => site.identity.accounts.disable((await whoIs(owner)).id),
    ],
  ] as const)
    test(`attack: is not finished after ${what}`, async t => {
      const site = await startSite(t)
      const owner = await signUp(site, 'alice@shop.example')
      const { id } = await whoIs(owner)
      const thief = await secondBrowser(site)
      const token = await askForOtherAddress(site, thief)
      assert.match(token, /^[\w-]{43}$/)
      await end(site, owner)
      const confirmed = await new PlainBrowser(site.origin).post('/.postern/account/email/confirm', { token })
      assert.equal(confirmed.status, 410)
      assert.equal((await site.identity.accounts.byId(id))?.email, 'alice@shop.example')
    })
})

describe('a sign-in that is under way', () => {
  test('attack: leaves no session behind when the password is changed while the old one is verified', async t => {
    const clock = new VirtualClock()
    const site = await startSite(t, { clock })
    const { id } = await whoIs(await signUp(site, 'alice@shop.example'))
    const { accounts, sessions, passwords } = site.identity
    const verify = passwords.verify.bind(passwords)
    passwords.verify = async (password, stored) => {
      const check = await verify(password, stored)
      clock.advance(1)
      const account = (await accounts.byId(id)) ?? assert.fail()
      await accounts.setPassword(account, await passwords.hash('another quiet river'))
      await sessions.revokeAll(id)
      return check
    }
    const thief = new PlainBrowser(site.origin)
    const fields = { email: 'alice@shop.example', password: 'a quiet river' }
    assert.equal((await thief.post('/.postern/sign-in', fields)).status, 401)
    assert.deepEqual(await sessions.list(id), [])
  })
})

describe('notices of what was changed', () => {
  test('attack: reach the owner whatever number of mails a thief asks for first', async t => {
    const site = await startSite(t)
    const thief = await signUp(site, 'alice@shop.example')
    for (let i = 0; i < 8; i++) await thief.post('/.postern/recover', { email: 'alice@shop.example' })
    await site.identity.close()
    assert.equal(site.mails.filter(({ to }) => to === 'alice@shop.example').length, 5)
    await thief.post('/.postern/account/password', { password: 'another quiet river' })
    await site.identity.close()
    assert.match(site.mails.at(-1)?.subject ?? '', /was changed/)
  })
})

describe('an impersonator', () => {
  test('attack: gets no secret of the owner by rotating a key', async t => {
    const site = await startSite(t)
    const owner = { kind: 'user' as const, id: (await whoIs(await signUp(site, 'alice@shop.example'))).id }
    const { key } = await site.identity.apiKeys.create(owner, { name: 'deploy' })
    const impersonator = { ...owner, actor: 'user:support' }
    await assert.rejects(site.identity.apiKeys.rotate(key.id, impersonator), { code: 'POSTERN_CREDENTIAL' })
    assert.ok((await site.identity.apiKeys.rotate(key.id, owner)).text)
  })
})

describe('the header that tells the backend who acts', () => {
  test('attack: is never one that the client sent, below the path of the pages either', async t => {
    const site = await startSite(t, {
      backend: {},
      application: exchange => ({
        status: 200,
        body:
          (exchange.requestChanges?.has('x-identity-jwt') === true
            ? exchange.requestChanges.get('x-identity-jwt')
            : exchange.header('x-identity-jwt')) ?? 'nobody',
      }),
    })
    for (const path of ['/', '/.postern/', '/.postern/no-such-page', '/.postern/oauth/x']) {
      const answer = await fetch(site.origin + path, { headers: { 'x-identity-jwt': 'forged' } })
      assert.equal(await answer.text(), 'nobody', path)
    }
  })
})

describe('whoever has a stolen session', () => {
  test('attack: guesses at the password where a fresh proof is asked for, five times', async t => {
    const site = await startSite(t)
    const owner = await signUp(site, 'alice@shop.example')
    const thief = new PlainBrowser(site.origin)
    for (const [name, value] of owner.cookies) thief.cookies.set(name, value)
    const guess = async (password: string): Promise<number> =>
      (await thief.post('/.postern/step-up', { password })).status
    for (let i = 0; i < 5; i++) assert.equal(await guess(`guess ${i}`), 401)
    await guess('a quiet river')
    assert.equal((await whoIs(thief)).kind, 'anonymous')
    assert.equal((await whoIs(owner)).kind, 'anonymous')
  })
})

describe('proofs of one session at the same instant', () => {
  const copies = (owner: PlainBrowser, origin: string, many: number): readonly PlainBrowser[] =>
    Array.from({ length: many }, () => {
      const copy = new PlainBrowser(origin)
      for (const [name, value] of owner.cookies) copy.cookies.set(name, value)
      return copy
    })

  test('end no session when they are right', async t => {
    // Long enough that all have begun before one has ended.
    const site = await startSite(t, { passwords: { cost: { memory: 32_768, passes: 3, parallelism: 1 } } })
    const owner = await signUp(site, 'alice@shop.example')
    const tabs = copies(owner, site.origin, 12)
    await Promise.all(tabs.map(tab => tab.post('/.postern/step-up', { password: 'a quiet river' })))
    const kinds = await Promise.all(tabs.map(async tab => (await whoIs(tab)).kind))
    // The one that was first has the new token; the others had the old one.
    assert.equal(kinds.filter(kind => kind === 'user').length, 1)
  })

  test('attack: forty guesses at once are five, and then a right one comes too late', async t => {
    const site = await startSite(t)
    const owner = await signUp(site, 'alice@shop.example')
    const checked = (): number => site.events.filter(({ data }) => data?.['method'] === 'step-up').length
    const thieves = copies(owner, site.origin, 40)
    await Promise.all(thieves.map((thief, i) => thief.post('/.postern/step-up', { password: `guess ${i}` })))
    assert.equal(checked(), 5)
    assert.equal((await thieves[0]?.post('/.postern/step-up', { password: 'a quiet river' }))?.status, 303)
    assert.equal(checked(), 5)
    assert.equal((await whoIs(owner)).kind, 'anonymous')
  })
})

test('a proof whose process died while it was checked counts as wrong after half a minute', async () => {
  const clock = new VirtualClock()
  const ended: string[] = []
  const revoke = async (_account: string, id: string): Promise<boolean> => ended.push(id) > 0
  const proofs = new WrongProofs({ revoke }, undefined, clock)
  const session = { id: 's', accountId: 'a' } as Session
  for (let i = 0; i < 5; i++) void proofs.try(session, () => new Promise(() => {}))
  assert.equal(await proofs.try(session, async () => 'right'), 'later')
  assert.deepEqual(ended, [])
  clock.advance(31_000)
  assert.equal(await proofs.try(session, async () => 'right'), 'ended')
  assert.deepEqual(ended, ['s'])
})

test('a check that fails counts as a wrong proof, and a right one resets the count', async () => {
  const proofs = new WrongProofs({ revoke: async () => true })
  const session = { id: 's', accountId: 'a' } as Session
  const fails = (): Promise<string> => Promise.reject(new Error('the database is away'))
  for (let i = 0; i < 4; i++) await assert.rejects(proofs.try(session, fails))
  assert.deepEqual(await proofs.try(session, async () => 'right'), { proof: 'right' })
  for (let i = 0; i < 5; i++)
    assert.deepEqual(await proofs.try(session, async () => undefined), { proof: undefined })
  assert.equal(await proofs.try(session, async () => 'right'), 'ended')
})

test('a check that was not begun, for the queue of passwords is full, counts as no proof', async () => {
  const proofs = new WrongProofs({ revoke: async () => true })
  const session = { id: 's', accountId: 'a' } as Session
  const wrong = async (): Promise<undefined> => undefined
  for (let i = 0; i < 4; i++) await proofs.try(session, wrong)
  for (let i = 0; i < 20; i++)
    await assert.rejects(
      proofs.try(session, () => Promise.reject(new QueueFull(1))),
      QueueFull,
    )
  await proofs.try(session, wrong)
  assert.equal(await proofs.try(session, async () => 'right'), 'ended')
})

test('what counts proofs in a store reads what earlier versions wrote', () => {
  assert.deepEqual(WRONG_PROOFS.read('3'), { wrong: 3, begun: [] })
  assert.deepEqual(WRONG_PROOFS.read(undefined), { wrong: 0, begun: [] })
  // What an earlier version makes of "0 1700" beside this one, in a rolling update.
  assert.deepEqual(WRONG_PROOFS.read('NaN'), { wrong: 5, begun: [] })
  for (const kept of [
    { wrong: 0, begun: [] },
    { wrong: 2, begun: [1_700, 1_800] },
  ])
    assert.deepEqual(WRONG_PROOFS.read(WRONG_PROOFS.write(kept)), kept)
})

describe('several processes of one site', () => {
  test('attack: guesses at the password of a stolen session are counted over all of them', async t => {
    const database = openSqlite({ path: ':memory:' })
    t.after(() => database.close())
    const sites = [await startSite(t, { database }), await startSite(t, { database })] as const
    const owner = await signUp(sites[0], 'alice@shop.example')
    const thieves = sites.map(({ origin }) => {
      const thief = new PlainBrowser(origin)
      for (const [name, value] of owner.cookies) thief.cookies.set(name, value)
      return thief
    })
    let refused = 0
    for (let i = 0; i < 5; i++)
      for (const thief of thieves)
        refused += Number((await thief.post('/.postern/step-up', { password: `guess ${i}` })).status === 401)
    assert.equal(refused, 5)
    assert.equal((await whoIs(owner)).kind, 'anonymous')
  })
})

describe('what is open by an API key', () => {
  test('attack: does not outlive the key, nor the account', async t => {
    const site = await startSite(t)
    const { apiKeys, accounts } = site.identity
    const owner = { kind: 'user' as const, id: (await whoIs(await signUp(site, 'alice@shop.example'))).id }
    const holds = async (text: string): Promise<unknown> => {
      const exchange = exchangeOf({ headers: ['x-api-key', text] })
      const principal = await site.identity.identify(exchange)
      assert.ok(principal)
      return credentialOf(principal)?.again
    }
    const { text, key } = await apiKeys.create(owner, { name: 'stream' })
    const again = (await holds(text)) as () => Promise<boolean>
    assert.equal(await again(), true)
    await accounts.disable(owner.id)
    assert.equal(await again(), false)
    await accounts.enable(owner.id)
    assert.equal(await again(), true)
    await apiKeys.revoke(key.id, owner)
    assert.equal(await again(), false)
  })
})
