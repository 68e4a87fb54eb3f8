import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { VirtualClock } from '@postern/core'
import { connectPostgres, openSqlite, type PostgresDatabase } from '@postern/store'
import * as openid from 'openid-client'
import { freshDatabase } from '../../../test/services.ts'
import { API, codeFlow, discover, oauthSite, replays } from './oauth-site.ts'
import { freePort, type PlainBrowser, type Site, type SiteOptions, signUp } from './site.ts'
import { testSecret } from './support.ts'

const GRACE = 10_000
const SCOPE = 'openid offline_access orders:read'

/** One site, on one instance or two. */
interface World {
  readonly sites: readonly Site[]
  /** Where each instance accepts connections. */
  readonly at: readonly string[]
  readonly browser: PlainBrowser
  readonly config: openid.Configuration
  readonly clock: VirtualClock
}

interface Answer {
  readonly access_token?: string
  readonly refresh_token?: string
  readonly error?: string
}

const STORES: readonly (readonly [string, (t: TestContext) => Promise<World>])[] = [
  [
    'the embedded store',
    async t => {
      const clock = new VirtualClock(Date.now())
      const site = await oauthSite(t, { clock, oauth: { refreshGraceMs: GRACE } })
      return worldOf([site], [site.origin], clock)
    },
  ],
  [
    'two instances over PostgreSQL',
    async t => {
      const url = await freshDatabase(t)
      const clock = new VirtualClock(Date.now())
      const optionsOf = (): SiteOptions & { readonly database: PostgresDatabase } => {
        const database = connectPostgres({ url, max: 8 })
        t.after(() => database.close())
        return { clock, oauth: { refreshGraceMs: GRACE }, database }
      }
      const one = await oauthSite(t, optionsOf())
      const port = await freePort()
      const two = await oauthSite(t, { ...optionsOf(), port, origin: one.origin })
      return worldOf([one, two], [one.origin, `http://localhost:${port}`], clock)
    },
  ],
]

async function worldOf(sites: readonly Site[], at: readonly string[], clock: VirtualClock): Promise<World> {
  const [site] = sites
  assert.ok(site)
  const browser = await signUp(site, 'alice@shop.example')
  return { sites, at, browser, config: await discover(site, 'native'), clock }
}

async function refreshed(
  at: string | undefined,
  token: string,
  fields: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  const body = new URLSearchParams({
    ...{ grant_type: 'refresh_token', refresh_token: token, client_id: 'native', resource: API },
    ...fields,
  })
  const answer = await fetch(`${at}/.postern/oauth/token`, { method: 'POST', body })
  return JSON.parse(await answer.text())
}

async function kindOf(at: string | undefined, access = ''): Promise<string> {
  const answer = await fetch(`${at}/api`, { headers: { authorization: `Bearer ${access}` } })
  return JSON.parse(await answer.text()).kind
}

/** Allows the client, and gets its first refresh token. */
async function allowed({ browser, config }: World): Promise<string> {
  const { exchange } = await codeFlow(browser, config, SCOPE)
  return (await exchange()).refresh_token ?? ''
}

const repeats = ({ sites }: World): number =>
  sites.flatMap(({ events }) => events).filter(({ type }) => type === 'grant.repeated').length
const ends = ({ sites }: World): number => sites.flatMap(site => replays(site)).length

for (const [name, open] of STORES)
  describe(`a refresh token that comes twice within seconds, on ${name}`, () => {
    test('bug class: redeem and rotate races: tabs that refresh at once get one and the same next token', async t => {
      const world = await open(t)
      let token = await allowed(world)
      for (let round = 1; round <= 4; round++) {
        const tabs = [...world.at, ...world.at, ...world.at]
        const answers = await Promise.all(tabs.map(at => refreshed(at, token)))
        assert.deepEqual(
          answers.map(({ error }) => error),
          tabs.map(() => undefined),
        )
        assert.equal(new Set(answers.map(answer => answer.refresh_token)).size, 1)
        for (const { access_token: access } of answers)
          for (const at of world.at) assert.equal(await kindOf(at, access), 'user')
        assert.equal(repeats(world), round * (tabs.length - 1))
        assert.notEqual(answers[0]?.refresh_token, token)
        token = answers[0]?.refresh_token ?? ''
      }
      assert.equal(ends(world), 0)
    })

    test('a client whose answer was lost asks again, at another instance too', async t => {
      const world = await open(t)
      const first = await allowed(world)
      const lost = await refreshed(world.at[0], first)
      world.clock.advance(GRACE - 1)
      const again = await refreshed(world.at.at(-1), first)
      assert.equal(again.refresh_token, lost.refresh_token)
      assert.notEqual(again.access_token, lost.access_token)
      assert.equal((await refreshed(world.at[0], again.refresh_token ?? '')).error, undefined)
      assert.equal(ends(world), 0)
      const told = world.sites.flatMap(({ events }) => events).filter(({ type }) => type === 'grant.repeated')
      assert.deepEqual(
        told.map(({ data, actor }) => [data, actor?.address?.toString()]),
        [[{ client: 'native' }, '127.0.0.1']],
      )
    })

    test('attack: the token before the last, and the last once its time is over, end the grant', async t => {
      for (const isLate of [false, true]) {
        const world = await open(t)
        const first = await allowed(world)
        let next = await refreshed(world.at[0], first)
        if (isLate) world.clock.advance(GRACE)
        else next = await refreshed(world.at[0], next.refresh_token ?? '')
        assert.equal((await refreshed(world.at.at(-1), first)).error, 'invalid_grant')
        for (const at of world.at) {
          assert.equal(await kindOf(at, next.access_token), 'anonymous')
          assert.equal((await refreshed(at, next.refresh_token ?? '')).error, 'invalid_grant')
        }
        assert.deepEqual([repeats(world), ends(world)], [0, 1])
      }
    })

    test('attack: a thief shares the one token that there is, and whoever refreshes second ends the grant', async t => {
      const world = await open(t)
      const first = await allowed(world)
      const stolen = await refreshed(world.at[0], first)
      const owner = await refreshed(world.at.at(-1), first)
      assert.equal(stolen.refresh_token, owner.refresh_token)
      world.clock.advance(GRACE)
      const next = await refreshed(world.at[0], stolen.refresh_token ?? '')
      world.clock.advance(GRACE)
      assert.equal((await refreshed(world.at[0], owner.refresh_token ?? '')).error, 'invalid_grant')
      for (const { access_token: access } of [stolen, owner, next])
        assert.equal(await kindOf(world.at[0], access), 'anonymous')
      assert.equal((await refreshed(world.at[0], next.refresh_token ?? '')).error, 'invalid_grant')
      assert.deepEqual([repeats(world), ends(world)], [1, 1])
    })

    test('attack: another client, more rights, and a grant that was taken back get nothing', async t => {
      const world = await open(t)
      const first = await allowed(world)
      const next = await refreshed(world.at[0], first)
      const at = world.at.at(-1)
      assert.equal((await refreshed(at, first, { client_id: 'desk' })).error, 'invalid_grant')
      assert.equal((await refreshed(at, first, { client_id: 'web' })).error, 'invalid_client')
      assert.equal((await refreshed(at, first, { scope: `${SCOPE} orders:write` })).error, 'invalid_scope')
      const { active } = await openid.tokenIntrospection(world.config, first)
      assert.equal(active, false)
      assert.equal(repeats(world), 0)
      const page = (await world.browser.get('/.postern/grants')).text
      const id = /name="id" value="([^"]+)"/.exec(page)?.[1] ?? ''
      assert.equal((await world.browser.post('/.postern/grants/revoke', { id })).status, 303)
      for (const token of [first, next.refresh_token ?? ''])
        assert.equal((await refreshed(at, token)).error, 'invalid_grant')
      assert.equal(repeats(world), 0)
    })
  })

describe('a refresh token that comes twice within seconds', () => {
  test('attack: a token bound to a key (DPoP) is answered again to that key alone', async t => {
    const site = await oauthSite(t, { oauth: { refreshGraceMs: GRACE } })
    const browser = await signUp(site, 'alice@shop.example')
    const config = await discover(site, 'native')
    const { exchange } = await codeFlow(browser, config, SCOPE)
    const keyed = async (): Promise<openid.DPoPHandle> =>
      openid.getDPoPHandle(config, await openid.randomDPoPKeyPair('ES256'))
    const [own, other] = [await keyed(), await keyed()]
    const first = await exchange({ DPoP: own })
    const ask = (DPoP: openid.DPoPHandle) =>
      openid.refreshTokenGrant(config, first.refresh_token ?? '', { resource: API }, { DPoP })
    const next = await ask(own)
    assert.equal((await ask(own)).refresh_token, next.refresh_token)
    await assert.rejects(ask(other), { error: 'invalid_grant' })
    assert.equal((await ask(own)).refresh_token, next.refresh_token)
  })

  test('attack: the database and the secret of the site together hold no token that works', async t => {
    const database = openSqlite({ path: ':memory:' })
    t.after(() => database.close())
    const site = await oauthSite(t, { database, oauth: { refreshGraceMs: GRACE } })
    const browser = await signUp(site, 'alice@shop.example')
    const { exchange } = await codeFlow(browser, await discover(site, 'native'), SCOPE)
    const first = (await exchange()).refresh_token ?? ''
    const next = (await refreshed(site.origin, first)).refresh_token ?? ''
    const rows = database.db.prepare('SELECT model, id, payload FROM oauth_record').all()
    assert.ok(!JSON.stringify(rows).includes(next))
    const successor = rows.find(({ model }) => model === 'RefreshSuccessor')
    assert.ok(successor)
    assert.throws(() => testSecret().open('RefreshSuccessor', String(successor['payload'])))
  })
})
