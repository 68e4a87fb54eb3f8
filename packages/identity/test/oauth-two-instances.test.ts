import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { connectPostgres, type PostgresDatabase } from '@postern/store'
import * as openid from 'openid-client'
import { freshDatabase } from '../../../test/services.ts'
import { identityDatabase } from '../src/database/identity-database.ts'
import { migrateIdentity } from '../src/database/identity-migrations.sql.ts'
import { OauthStore } from '../src/oauth/store/oauth-store.ts'
import { API, allowDevice, CALLBACK, codeFlow, discover, oauthSite, replays } from './oauth-site.ts'
import { freePort, type PlainBrowser, type Site, signUp } from './site.ts'
import { testSecret, VirtualClock } from './support.ts'

/** Two instances of one site over one PostgreSQL, as behind a load balancer. */
interface Pair {
  readonly one: Site
  readonly two: Site
  /** Where each accepts connections; the origin of both is that of the first. */
  readonly at: readonly string[]
  readonly browser: PlainBrowser
  readonly config: openid.Configuration
}

async function pair(t: TestContext): Promise<Pair> {
  const url = await freshDatabase(t)
  const connect = (): PostgresDatabase => {
    const database = connectPostgres({ url, max: 8 })
    t.after(() => database.close())
    return database
  }
  const one = await oauthSite(t, { database: connect() })
  const port = await freePort()
  const two = await oauthSite(t, { database: connect(), port, origin: one.origin })
  const browser = await signUp(one, 'alice@shop.example')
  const at = [one.origin, `http://localhost:${port}`]
  return { one, two, at, browser, config: await discover(one, 'native') }
}

interface Tokens {
  readonly access_token?: string
  readonly refresh_token?: string
  readonly error?: string
}

async function token(at: string, fields: Readonly<Record<string, string>>): Promise<Tokens> {
  const body = new URLSearchParams({ client_id: 'native', resource: API, ...fields })
  const answer = await fetch(`${at}/.postern/oauth/token`, { method: 'POST', body })
  const made: Tokens = JSON.parse(await answer.text())
  return made
}

async function kindOf(at: string, access = ''): Promise<string> {
  const answer = await fetch(`${at}/api`, { headers: { authorization: `Bearer ${access}` } })
  return JSON.parse(await answer.text()).kind
}

const refreshed = (at: string, refresh = ''): Promise<Tokens> =>
  token(at, { grant_type: 'refresh_token', refresh_token: refresh })

/** Sends one redemption to both instances, twice each, at once. */
function raced({ at }: Pair, fields: Readonly<Record<string, string>>): Promise<readonly Tokens[]> {
  return Promise.all([...at, ...at].map(where => token(where, fields)))
}

/** Of a race one was answered at most, nothing of what it got works on either, and one event tells of it. */
async function nothingLives(made: Pair, answers: readonly Tokens[], told: number): Promise<void> {
  const won = answers.filter(({ error }) => error === undefined)
  assert.ok(won.length <= 1, `${won.length} were answered`)
  assert.equal(answers.filter(({ error }) => error === 'invalid_grant').length, answers.length - won.length)
  for (const { access_token, refresh_token } of won)
    for (const at of made.at) {
      assert.equal(await kindOf(at, access_token), 'anonymous')
      if (refresh_token !== undefined)
        assert.equal((await refreshed(at, refresh_token)).error, 'invalid_grant')
    }
  const { one, two } = made
  assert.deepEqual(
    [...replays(one), ...replays(two)],
    Array.from({ length: told }, () => ({ client: 'native', why: 'replayed' })),
  )
}

const ROUNDS = 4
const SCOPE = 'openid offline_access orders:read'

describe('the OAuth server on two instances with one PostgreSQL', () => {
  test('attack: both are sent one code at once', async t => {
    const made = await pair(t)
    for (let round = 1; round <= ROUNDS; round++) {
      const { url, verifier } = await codeFlow(made.browser, made.config, SCOPE)
      const fields = {
        grant_type: 'authorization_code',
        code: url.searchParams.get('code') ?? '',
        code_verifier: verifier,
        redirect_uri: CALLBACK,
      }
      await nothingLives(made, await raced(made, fields), round)
    }
  })

  test('attack: both are sent one refresh token at once', async t => {
    const made = await pair(t)
    for (let round = 1; round <= ROUNDS; round++) {
      const { exchange } = await codeFlow(made.browser, made.config, SCOPE)
      const first = await exchange()
      const next = await refreshed(made.at[1] ?? '', first.refresh_token)
      assert.equal(await kindOf(made.at[0] ?? '', next.access_token), 'user')
      const fields = { grant_type: 'refresh_token', refresh_token: next.refresh_token ?? '' }
      await nothingLives(made, await raced(made, fields), round)
      assert.equal(await kindOf(made.at[0] ?? '', next.access_token), 'anonymous')
      assert.equal(await kindOf(made.at[1] ?? '', first.access_token), 'anonymous')
    }
  })

  test('attack: both are sent one device code at once, while it waits and once it is allowed', async t => {
    const made = await pair(t)
    for (let round = 1; round <= ROUNDS; round++) {
      const started = await openid.initiateDeviceAuthorization(made.config, { scope: SCOPE, resource: API })
      const fields = {
        grant_type: 'urn:ietf:params:oauth:grant-type:device_code',
        device_code: started.device_code,
      }
      const errors = (await raced(made, fields)).map(({ error }) => error)
      assert.deepEqual(errors.toSorted(), ['authorization_pending', 'slow_down', 'slow_down', 'slow_down'])
      assert.match(await allowDevice(made.browser, made.one, started), /connected/)
      await nothingLives(made, await raced(made, fields), round)
    }
  })

  test('attack: a code or refresh token that was used is sent to the other instance', async t => {
    const made = await pair(t)
    const { exchange } = await codeFlow(made.browser, made.config, SCOPE)
    const first = await exchange()
    const next = await refreshed(made.at[0] ?? '', first.refresh_token)
    assert.equal((await refreshed(made.at[1] ?? '', first.refresh_token)).error, 'invalid_grant')
    await nothingLives(made, [next], 1)
    assert.equal(
      made.two.events.find(({ type }) => type === 'grant.revoked')?.actor?.address?.toString(),
      '127.0.0.1',
    )
  })

  test('attack: a token is written while another instance revokes its grant, and committed after it', async t => {
    const url = await freshDatabase(t)
    const connect = (): PostgresDatabase => {
      const database = connectPostgres({ url, max: 4 })
      t.after(() => database.close())
      return database
    }
    const [writer, revoker] = [connect(), connect()]
    await migrateIdentity(writer)
    // Holds the transaction that writes an access token until the test lets it go on.
    const GATE = 4_711
    await writer.query(`CREATE FUNCTION hold() RETURNS trigger LANGUAGE plpgsql AS
      $$ BEGIN IF NEW.model = 'AccessToken' THEN PERFORM pg_advisory_xact_lock(${GATE}); END IF; RETURN NULL; END $$`)
    await writer.query(
      'CREATE TRIGGER hold AFTER INSERT ON oauth_record FOR EACH ROW EXECUTE FUNCTION hold()',
    )
    const storeOf = (database: PostgresDatabase): OauthStore =>
      new OauthStore(
        { database: identityDatabase(database), secret: testSecret(), clock: new VirtualClock() },
        () => new Error('replayed'),
      )
    const [first, second] = [storeOf(writer), storeOf(revoker)]
    const of = { grantId: 'grant', accountId: 'alice' }
    await first.adapter('Grant').upsert('grant', { accountId: 'alice', clientId: 'web' }, 600)
    await first.adapter('RefreshToken').upsert('refresh', of, 600)
    await first.adapter('RefreshToken').consume('refresh')
    let written: Promise<unknown> | undefined
    await revoker.transaction(async gate => {
      await gate.query('SELECT pg_advisory_lock($1)', [GATE])
      written = Promise.resolve(first.adapter('AccessToken').upsert('token', of, 600))
      for (;;) {
        const { rows } = await gate.query<{ readonly n: string }>(
          `SELECT count(*) AS n FROM pg_locks WHERE locktype = 'advisory' AND objid = ${GATE} AND NOT granted`,
        )
        if (Number(rows[0]?.n) === 1) break
      }
      await assert.rejects(async () => second.adapter('RefreshToken').consume('refresh'), /replayed/)
      await gate.query('SELECT pg_advisory_unlock($1)', [GATE])
    })
    await written
    assert.equal(await first.adapter('AccessToken').find('token'), undefined)
    assert.equal(await second.adapter('AccessToken').find('token'), undefined)
  })
})
