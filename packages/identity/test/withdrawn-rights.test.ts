// What a thief keeps of an account whose owner withdraws their rights on another instance, where each
// statement of the one can come between any two statements of the other.
import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { connectPostgres, connectRedis, type PostgresDatabase, redisReady } from '@postern/store'
import * as openid from 'openid-client'
import { freshDatabase } from '../../../test/services.ts'
import { parseEmail } from '../src/account/email.ts'
import { HeldStatements } from './interleaving.ts'
import { API, allow, CALLBACK, discover, oauthSite } from './oauth-site.ts'
import { freePort, type PlainAnswer, PlainBrowser, type Site, type SiteOptions } from './site.ts'
import { SoftPasskey } from './soft-passkey.ts'

const PASSWORD = 'a quiet river'
const THIEFS = 'a stolen river'
const OWNERS = 'a new quiet river'

/** Two instances of one site, each with its statements in the hands of the test. */
interface World {
  readonly here: Site
  readonly there: Site
  readonly statements: { readonly thief: HeldStatements; readonly owner: HeldStatements }
  /** For what the test looks up. */
  readonly database: PostgresDatabase
}

/** In the long form sessions are in Redis, and each of its commands is held back too. */
const IN_REDIS = process.env['POSTERN_TEST_LONG'] === '1'

async function sessionsOf(
  t: TestContext,
  statements: HeldStatements,
): Promise<Pick<SiteOptions, 'sessions'>> {
  if (!IN_REDIS) return {}
  const redis = connectRedis({ url: process.env['POSTERN_TEST_REDIS'] ?? '', commandTimeout: '30s' })
  t.after(() => redis.disconnect())
  await redisReady(redis)
  statements.holdRedis(redis)
  return { sessions: { redis } }
}

async function world(t: TestContext): Promise<World> {
  const url = await freshDatabase(t)
  const connect = (): PostgresDatabase => {
    const database = connectPostgres({ url, max: 8 })
    t.after(() => database.close())
    return database
  }
  const [one, two] = [connect(), connect()]
  const statements = { thief: new HeldStatements(one), owner: new HeldStatements(two) }
  const here = await oauthSite(t, { database: one, ...(await sessionsOf(t, statements.thief)) })
  const there = await oauthSite(t, {
    database: two,
    port: await freePort(),
    origin: here.origin,
    ...(await sessionsOf(t, statements.owner)),
  })
  return { here, there, statements, database: connect() }
}

/** An account, its owner at one instance and a thief at the other, both with a session just proven. */
interface Round extends World {
  readonly id: string
  readonly email: string
  readonly owner: PlainBrowser
  readonly thief: PlainBrowser
}

async function round(made: World, email: string): Promise<Round> {
  const { accounts, passwords } = made.here.identity
  const address = parseEmail(email) ?? assert.fail()
  const passwordHash = await passwords.hash(PASSWORD)
  const account = await accounts.create({ email: address, passwordHash, emailVerified: 'yes' })
  const owner = new PlainBrowser(`http://localhost:${made.there.port}`)
  const thief = new PlainBrowser(made.here.origin)
  for (const browser of [owner, thief])
    assert.equal((await browser.post('/.postern/sign-in', { email, password: PASSWORD })).status, 303)
  return { ...made, id: account?.id ?? '', email, owner, thief }
}

const tokenIn = async (site: Site): Promise<string> =>
  new URL(await site.link()).searchParams.get('token') ?? ''

/** What a thief does: prepared, then begun. */
type Act = (round: Round) => Promise<() => Promise<unknown>>

async function addPasskey({ here, thief }: Round): Promise<[SoftPasskey, () => Promise<PlainAnswer>]> {
  const passkey = new SoftPasskey(here.origin)
  const options = JSON.parse((await thief.postJson('/.postern/passkey/register-options', {})).text)
  const answer = passkey.create(options)
  return [passkey, () => thief.postJson('/.postern/passkey/register', answer)]
}

const BY_SESSION: Readonly<Record<string, Act>> = {
  'changes the password':
    async ({ thief }) =>
    () =>
      thief.post('/.postern/account/password', { password: THIEFS }),
  'asks for another address':
    async ({ thief }) =>
    () =>
      thief.post('/.postern/account/email', { email: 'mallory@evil.example' }),
  'confirms another address': async ({ thief, here }) => {
    await thief.post('/.postern/account/email', { email: `mallory-${Math.random()}@evil.example` })
    const token = await tokenIn(here)
    return () => new PlainBrowser(here.origin).post('/.postern/account/email/confirm', { token })
  },
  'adds a passkey': async made => (await addPasskey(made))[1],
  'proves the password again':
    async ({ thief }) =>
    () =>
      thief.post('/.postern/step-up', { password: PASSWORD }),
  'makes an API key':
    async ({ thief }) =>
    () =>
      thief.post('/.postern/keys', { name: 'planted', days: '' }),
}

const BY_CREDENTIAL: Readonly<Record<string, Act>> = {
  'signs in with the password':
    async ({ here, email }) =>
    () =>
      new PlainBrowser(here.origin).post('/.postern/sign-in', { email, password: PASSWORD }),
  'opens a mailed link': async ({ here, email }) => {
    await new PlainBrowser(here.origin).post('/.postern/sign-in/link', { email })
    const token = await tokenIn(here)
    return () => new PlainBrowser(here.origin).post('/.postern/sign-in/open', { token })
  },
  'resets the password by a mail': async ({ here, email }) => {
    await new PlainBrowser(here.origin).post('/.postern/recover', { email })
    const token = await tokenIn(here)
    return () => new PlainBrowser(here.origin).post('/.postern/recover/reset', { token, password: THIEFS })
  },
}

const BY_PASSKEY = 'signs in with a passkey that they added'

const BY_WHAT_WAS_MADE: Readonly<Record<string, Act>> = {
  [BY_PASSKEY]: async made => {
    const [passkey, add] = await addPasskey(made)
    await add()
    const browser = new PlainBrowser(made.here.origin)
    const offer = JSON.parse((await browser.postJson('/.postern/passkey/sign-in-options', {})).text)
    const answer = passkey.get(offer)
    return () => browser.postJson('/.postern/passkey/sign-in', answer)
  },
  'rotates an API key': async ({ thief, here, id }) => {
    await thief.post('/.postern/keys', { name: 'planted', days: '' })
    const [key] = await here.identity.apiKeys.list({ kind: 'user', id })
    return () => thief.post('/.postern/keys/rotate', { id: key?.id ?? '' })
  },
  'allows a program': async ({ thief, here }) => {
    const config = await discover(here, 'native')
    const verifier = openid.randomPKCECodeVerifier()
    const start = openid.buildAuthorizationUrl(config, {
      ...{ redirect_uri: CALLBACK, scope: 'openid offline_access orders:read', resource: API },
      ...{ prompt: 'consent', code_challenge_method: 'S256' },
      code_challenge: await openid.calculatePKCECodeChallenge(verifier),
    })
    return async () => {
      const ended = await allow(thief, start).catch(() => undefined)
      const code = ended?.url.searchParams.get('code') ?? ''
      const fields = { grant_type: 'authorization_code', code, code_verifier: verifier, client_id: 'native' }
      const body = new URLSearchParams({ ...fields, redirect_uri: CALLBACK, resource: API })
      await fetch(`${here.origin}/.postern/oauth/token`, { method: 'POST', body })
    }
  },
}

/** What the owner does: prepared, then begun. */
type Withdrawal = (round: Round) => Promise<() => Promise<PlainAnswer>>

const recover: Withdrawal = async ({ there, owner, email }) => {
  await owner.post('/.postern/recover', { email })
  const token = await tokenIn(there)
  return () => owner.post('/.postern/recover/reset', { token, password: OWNERS, compromised: 'yes' })
}
const changePassword: Withdrawal =
  async ({ owner }) =>
  () =>
    owner.post('/.postern/account/password', { password: OWNERS })
const changeAddress: Withdrawal = async ({ there, owner, email }) => {
  await owner.post('/.postern/account/email', { email: `new-${email}` })
  const token = await tokenIn(there)
  return () => owner.post('/.postern/account/email/confirm', { token })
}

/** What is left to the thief, in words. */
async function left({ here, database, id }: Round, owners: number): Promise<readonly string[]> {
  const { accounts, passwords, sessions } = here.identity
  const found: string[] = []
  if ((await sessions.list(id)).length > owners) found.push('a session')
  if ((await passwords.verify(THIEFS, await accounts.passwordHash(id))).matches) found.push('the password')
  if ((await accounts.byId(id))?.email.startsWith('mallory') === true) found.push('the address')
  const tokens = await database.query<{ kind: string }>(
    `SELECT kind FROM one_time WHERE account_id = $1 AND kind IN ('reset', 'sign-in-link', 'change-email', 'second-factor')`,
    [id],
  )
  return [...found, ...tokens.rows.map(({ kind }) => `a token (${kind})`)]
}

/** What the thief made that outlives a session, in words. */
async function madeBefore({ here, database, id }: Round): Promise<readonly string[]> {
  const { apiKeys, passkeys } = here.identity
  const found = (await passkeys.list(id)).map(() => 'a passkey')
  for (const { revokedAt } of await apiKeys.list({ kind: 'user', id }))
    if (revokedAt === undefined) found.push('an API key')
  const grants = await database.query<{ model: string }>(
    `SELECT model FROM oauth_record WHERE account_id = $1 AND model IN ('AccessToken', 'RefreshToken', 'AuthorizationCode')`,
    [id],
  )
  return [...found, ...grants.rows.map(({ model }) => model)]
}

const MOST_STATEMENTS = 60

/** Holds one of the two back at each of its statements, while the other runs to its end. */
async function everyOrder(
  t: TestContext,
  act: Act,
  withdraw: Withdrawal,
  remains: (round: Round) => Promise<readonly string[]>,
  side: 'thief' | 'owner' = 'thief',
): Promise<void> {
  const made = await world(t)
  const kept: string[] = []
  for (let at = 0, reached = true; reached; at++) {
    assert.ok(at < MOST_STATEMENTS)
    const one = await round(made, `alice-${at}@shop.example`)
    const withdrawing = await withdraw(one)
    const acting = await act(one)
    let answer: PlainAnswer | undefined
    const owner = async (): Promise<void> => {
      answer = await withdrawing()
    }
    const held = made.statements[side]
    reached = await (side === 'thief' ? held.between(at, acting, owner) : held.between(at, owner, acting))
    await made.here.identity.close()
    await made.there.identity.close()
    // Who came too late gets another answer, and asks again.
    if (answer?.status === 200)
      for (const what of await remains(one)) kept.push(`${side} held at ${at}: ${what}`)
  }
  assert.deepEqual(kept, [])
}

describe('while the owner recovers an account', () => {
  const remains = async (one: Round): Promise<readonly string[]> => [
    ...(await left(one, 0)),
    ...(await madeBefore(one)),
  ]
  for (const [what, act] of Object.entries({ ...BY_SESSION, ...BY_CREDENTIAL, ...BY_WHAT_WAS_MADE }))
    test(`attack: who ${what} keeps nothing of it`, t => everyOrder(t, act, recover, remains))

  for (const what of ['changes the password', 'adds a passkey'])
    test(`attack: between any two of its statements, who ${what} keeps nothing of it`, t =>
      everyOrder(t, BY_SESSION[what] ?? assert.fail(), recover, remains, 'owner'))

  test('attack: between any two of its statements, who has a passkey keeps no session', t =>
    everyOrder(t, BY_WHAT_WAS_MADE[BY_PASSKEY] ?? assert.fail(), recover, remains, 'owner'))
})

describe('while the owner changes the password', () => {
  const acts = { 'asks for another address': BY_SESSION['asks for another address'], ...BY_CREDENTIAL }
  for (const [what, act] of Object.entries(acts))
    test(`attack: who ${what} keeps no session, address, password or link`, t =>
      everyOrder(t, act ?? assert.fail(), changePassword, one => left(one, 1)))
})

describe('while the owner changes the address', () => {
  for (const what of ['opens a mailed link', 'resets the password by a mail'])
    test(`attack: who ${what} to the old one keeps nothing`, t =>
      everyOrder(t, BY_CREDENTIAL[what] ?? assert.fail(), changeAddress, one => left(one, 1)))
})
