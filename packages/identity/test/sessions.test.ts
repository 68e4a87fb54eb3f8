import assert from 'node:assert/strict'
import { rmSync } from 'node:fs'
import { describe, type TestContext, test } from 'node:test'
import { CredentialError, StoreError } from '@postern/core'
import { connectRedis, type RedisConnection, redisReady } from '@postern/store'
import { makeWorkplace } from '../../../test/local-server.ts'
import { freshPrefix, services, startRedis, startRedisCluster } from '../../../test/services.ts'
import { until } from '../../../test/until.ts'
import { Accounts } from '../src/account/accounts.ts'
import { type Email, parseEmail } from '../src/account/email.ts'
import { OneTimeTokens } from '../src/account/one-time-tokens.ts'
import { Organisations } from '../src/account/organisations.ts'
import type { IdentityDatabase } from '../src/database/identity-database.ts'
import { RedisSessions } from '../src/session/redis-sessions.ts'
import { Sessions, type SessionsOptions } from '../src/session/sessions.ts'
import { Standings } from '../src/session/standings.ts'
import { DATABASES, oneDatabase, VirtualClock } from './support.ts'

const HERE = '192.0.2.7'

function email(text: string): Email {
  const parsed = parseEmail(text)
  assert.ok(parsed)
  return parsed
}

/** One process of several that share their sessions. */
interface Node {
  readonly database: IdentityDatabase
  sessionsWith(options?: Omit<SessionsOptions, 'database'>): Sessions
  /** Everything that is kept of sessions, as text. */
  stored(): Promise<string>
}
type Nodes = (t: TestContext) => Promise<() => Promise<Node>>

const inDatabase =
  (name: 'SQLite' | 'PostgreSQL'): Nodes =>
  async t => {
    const make = await DATABASES[name]?.(t)
    assert.ok(make)
    return async () => {
      const database = await make()
      return {
        database,
        sessionsWith: options => new Sessions({ ...options, database }),
        stored: async () => JSON.stringify(await database.rows('SELECT * FROM session', [])),
      }
    }
  }

function inRedis(redis: RedisConnection, prefix: string, database: IdentityDatabase): Node {
  return {
    database,
    sessionsWith: (options = {}) => {
      const standings = new Standings(database, options.clock ?? new VirtualClock())
      return new Sessions({ ...options, database, store: new RedisSessions({ redis, standings, prefix }) })
    },
    stored: async () => {
      const keys = await redis.keys(`${prefix}:*`)
      const held = await Promise.all(
        keys.map(key => (key.includes(':sessions-of:') ? redis.hgetall(key) : redis.get(key))),
      )
      return JSON.stringify([keys, held])
    },
  }
}

const onRedis: Nodes = async t => {
  const { redis: url } = await services()
  const prefix = freshPrefix(t)
  const database = await oneDatabase(t)
  return async () => {
    const redis = connectRedis({ url, commandTimeout: '20s' })
    t.after(() => redis.disconnect())
    return inRedis(redis, prefix, database)
  }
}

const PLACES: Readonly<Record<string, Nodes>> = {
  SQLite: inDatabase('SQLite'),
  PostgreSQL: inDatabase('PostgreSQL'),
  Redis: onRedis,
}

async function alice(database: IdentityDatabase): Promise<string> {
  const made = await new Accounts({ database }).create({
    email: email('alice@shop.example'),
    emailVerified: 'yes',
  })
  assert.ok(made)
  return made.id
}

const signIn = (accountId: string) => ({ accountId, amr: ['pwd'], address: HERE, agent: 'test' })

for (const [place, nodes] of Object.entries(PLACES)) {
  describe(`sessions in ${place}`, () => {
    test('end when idle, end in any case, and are kept alive by use', async t => {
      const { database, sessionsWith } = await (await nodes(t))()
      const clock = new VirtualClock()
      const sessions = sessionsWith({ clock, idle: '1h', lifetime: '5h' })
      const account = await new Accounts({ database, clock }).create({
        email: email('alice@shop.example'),
        emailVerified: 'yes',
      })
      assert.ok(account)
      const wish = { accountId: account.id, amr: ['pwd'], address: HERE, agent: 'test' }
      const { token } = await sessions.begin(wish)
      for (let i = 0; i < 5; i++) {
        assert.equal((await sessions.find(token, HERE))?.accountId, account.id)
        clock.advance(3_590_000)
      }
      assert.equal((await sessions.find(token, HERE))?.accountId, account.id)
      clock.advance(60_000)
      assert.equal(await sessions.find(token, HERE), undefined)
      const idle = await sessions.begin(wish)
      clock.advance(3_600_001)
      assert.equal(await sessions.find(idle.token, HERE), undefined)
      await assert.rejects(sessions.begin({ ...wish, amr: [] }), CredentialError)
    })

    test('revoked on one node do not hold on another, from the next request', async t => {
      const make = await nodes(t)
      const [one, two] = [await make(), await make()]
      const account = await new Accounts({ database: one.database }).create({
        email: email('alice@shop.example'),
        emailVerified: 'yes',
      })
      assert.ok(account)
      const here = one.sessionsWith()
      const there = two.sessionsWith()
      const wish = { accountId: account.id, amr: ['pwd'], address: HERE, agent: 'test' }
      const first = await here.begin(wish)
      const second = await here.begin(wish)
      assert.equal((await there.find(first.token, HERE))?.id, first.id)
      assert.equal(await here.revoke('another', first.id), false)
      assert.equal(await here.revoke(account.id, first.id), true)
      assert.equal(await there.find(first.token, HERE), undefined)
      await here.revokeAll(account.id, second.id)
      assert.equal((await there.find(second.token, HERE))?.id, second.id)
      await here.revokeAll(account.id)
      assert.equal(await there.find(second.token, HERE), undefined)
    })

    test('are stored as a hash, of an account at most a hundred', async t => {
      const { database, sessionsWith, stored } = await (await nodes(t))()
      const clock = new VirtualClock()
      const account = await new Accounts({ database, clock }).create({
        email: email('alice@shop.example'),
        emailVerified: 'yes',
      })
      assert.ok(account)
      const sessions = sessionsWith({ clock })
      const wish = { accountId: account.id, amr: ['pwd'], address: HERE, agent: 'test' }
      const { token } = await sessions.begin(wish)
      for (let i = 0; i < 100; i++) {
        clock.advance(1_000)
        await sessions.begin(wish)
      }
      assert.equal((await sessions.list(account.id)).length, 100)
      assert.equal(await sessions.find(token, HERE), undefined)
      assert.ok(!(await stored()).includes(token))
    })

    test('of several rotations at once on several nodes, one wins', async t => {
      const make = await nodes(t)
      const [one, two] = [await make(), await make()]
      const account = await new Accounts({ database: one.database }).create({
        email: email('alice@shop.example'),
        emailVerified: 'yes',
      })
      assert.ok(account)
      const both = [one.sessionsWith(), two.sessionsWith()]
      const { token } = (await both[0]?.begin({
        accountId: account.id,
        amr: ['pwd'],
        address: HERE,
        agent: '',
      })) ?? { token: '' }
      const session = await both[1]?.find(token, HERE)
      assert.ok(session)
      const tries = await Promise.all([...both, ...both].map(node => node.rotate(token, session, ['hwk'])))
      const won = tries.filter(made => made !== undefined)
      assert.equal(won.length, 1)
      assert.deepEqual((await both[0]?.find(won[0]?.token ?? '', HERE))?.amr, ['pwd', 'hwk'])
      assert.equal(await both[0]?.find(token, HERE), undefined)
    })
  })
}

describe('sessions in Redis', () => {
  test('roles and the state of the account are those of the database: at once here, within a second elsewhere', async t => {
    const make = await onRedis(t)
    const { database } = await make()
    const { redis: url } = await services()
    const redis = connectRedis({ url, commandTimeout: '20s' })
    t.after(() => redis.disconnect())
    const clock = new VirtualClock()
    const prefix = freshPrefix(t)
    const standings = new Standings(database, clock)
    const here = new Sessions({ database, clock, store: new RedisSessions({ redis, standings, prefix }) })
    const elsewhere = inRedis(redis, prefix, database).sessionsWith({ clock })
    const shared = { database, clock, emit: () => standings.forget() }
    const accounts = new Accounts(shared)
    const organisations = new Organisations({
      ...shared,
      tokens: new OneTimeTokens(shared),
    })
    const account = await accounts.create({ email: email('alice@shop.example'), emailVerified: 'yes' })
    assert.ok(account)
    const { token } = await here.begin(signIn(account.id))
    const rolesAt = async (node: Sessions) => {
      const session = await node.find(token, HERE)
      return session === undefined ? undefined : [...session.siteRoles, ...session.roles]
    }
    assert.deepEqual([await rolesAt(here), await rolesAt(elsewhere)], [[], []])
    await accounts.setRoles(account.id, ['support'])
    assert.deepEqual(await rolesAt(here), ['support'])
    clock.advance(1_000)
    assert.deepEqual(await rolesAt(elsewhere), ['support'])
    const session = await here.find(token, HERE)
    assert.ok(session)
    assert.equal(await here.enter(session, 'of-others'), false)
    const { id } = await organisations.create(account, 'Shop')
    assert.equal(await here.enter(session, id), true)
    assert.deepEqual(await rolesAt(here), ['support', 'owner'])
    assert.equal((await here.list(account.id))[0]?.organisationId, id)
    await accounts.disable(account.id)
    assert.equal(await rolesAt(here), undefined)
    clock.advance(1_000)
    assert.equal(await rolesAt(elsewhere), undefined)
    assert.deepEqual(await here.list(account.id), [])
  })

  test('a revocation and a rotation at once leave no session behind that nobody can end', async t => {
    const make = await onRedis(t)
    const [one, two] = [await make(), await make()]
    const id = await alice(one.database)
    const [here, there] = [one.sessionsWith(), two.sessionsWith()]
    for (let i = 0; i < 30; i++) {
      const { token, id: name } = await here.begin(signIn(id))
      const session = await there.find(token, HERE)
      assert.ok(session)
      const [rotated] = await Promise.all([
        there.rotate(token, session, ['hwk']),
        i % 2 === 0 ? here.revoke(id, name) : here.revokeAll(id),
      ])
      const live = await here.list(id)
      assert.equal(await here.find(token, HERE), undefined)
      // Whoever came last has won; either way the list says what there is, and ends it.
      assert.equal(live.length, (await here.find(rotated?.token ?? '', HERE)) === undefined ? 0 : 1)
      await here.revokeAll(id)
      assert.equal(await there.find(rotated?.token ?? '', HERE), undefined)
    }
  })

  for (const [how, end] of [
    ['all', (sessions: Sessions, account: string) => sessions.revokeAll(account)],
    ['one by one', (sessions: Sessions, account: string, id: string) => sessions.revoke(account, id)],
  ] as const)
    test(`a stolen session whose account was evicted from Redis before its sessions were ended (${how}) holds for a minute at most`, async t => {
      const prefix = freshPrefix(t)
      const { redis: url } = await services()
      const redis = connectRedis({ url, commandTimeout: '20s' })
      t.after(() => redis.disconnect())
      const { database, sessionsWith } = inRedis(redis, prefix, await oneDatabase(t))
      const clock = new VirtualClock()
      const sessions = sessionsWith({ clock })
      const account = await alice(database)
      const stolen = await sessions.begin(signIn(account))
      // What every request reads stays in a Redis that is full; what only sign-ins write goes first.
      await redis.del(`${prefix}:sessions-of:${account}`)
      await end(sessions, account, stolen.id)
      const own = await sessions.begin(signIn(account))
      clock.advance(61_000)
      assert.equal(await sessions.find(stolen.token, HERE), undefined)
      assert.equal(await sessions.find(stolen.token, HERE), undefined)
      assert.equal((await sessions.find(own.token, HERE))?.id, own.id)
      assert.deepEqual(
        (await sessions.listAll()).map(({ id }) => id),
        [own.id],
      )
    })

  test('a use that is noted while its session gets another token refuses nobody', async t => {
    const { database, sessionsWith } = await (await onRedis(t))()
    const clock = new VirtualClock()
    const sessions = sessionsWith({ clock })
    let { token } = await sessions.begin(signIn(await alice(database)))
    for (let i = 0; i < 20; i++) {
      const session = await sessions.find(token, HERE)
      assert.ok(session)
      clock.advance(61_000)
      const [rotated] = await Promise.all([
        sessions.rotate(token, session, ['hwk']),
        sessions.find(token, HERE),
      ])
      token = rotated?.token ?? ''
      assert.ok(await sessions.find(token, HERE))
    }
  })

  test('a use that is noted late does not bring back what ended', async t => {
    const { database, sessionsWith } = await (await onRedis(t))()
    const clock = new VirtualClock()
    const sessions = sessionsWith({ clock, idle: '1h' })
    const id = await alice(database)
    const { token } = await sessions.begin(signIn(id))
    clock.advance(120_000)
    await Promise.all([sessions.find(token, HERE), sessions.end(token), sessions.find(token, HERE)])
    assert.equal(await sessions.find(token, HERE), undefined)
    assert.deepEqual(await sessions.list(id), [])
  })

  test('outlive a restart of a Redis that keeps its data; while it is away nobody is taken for a stranger', async t => {
    const data = makeWorkplace('redis-data')
    t.after(() => rmSync(data.directory, { recursive: true, force: true }))
    const password = 'sessions-of-a-test'
    const settings = [`dir ${data.directory}`, 'appendonly yes', 'appendfsync always']
    const server = await startRedis({ settings, password })
    t.after(() => server.stop())
    const redis = connectRedis({ url: server.url, commandTimeout: '5s' })
    t.after(() => redis.disconnect())
    await redisReady(redis, '20s')
    const node = inRedis(redis, 'restart', await oneDatabase(t))
    const sessions = node.sessionsWith()
    const id = await alice(node.database)
    const { token } = await sessions.begin(signIn(id))
    await server.stop()
    await until(() => redis.status !== 'ready')
    await assert.rejects(async () => sessions.find(token, HERE), StoreError)
    const again = await startRedis({ settings, password, port: server.port })
    t.after(() => again.stop())
    await redisReady(redis, '20s')
    await until(async () => {
      try {
        return (await sessions.find(token, HERE))?.accountId === id
      } catch {
        return false
      }
    })
    await sessions.revokeAll(id)
    assert.equal(await sessions.find(token, HERE), undefined)
  })

  test('work on a cluster of three nodes', async t => {
    const cluster = await startRedisCluster()
    t.after(() => cluster.stop())
    const redis = connectRedis({ url: cluster.urls, commandTimeout: '5s' })
    t.after(() => redis.disconnect())
    await redisReady(redis, '20s')
    const node = inRedis(redis, 'cluster', await oneDatabase(t))
    const sessions = node.sessionsWith()
    const id = await alice(node.database)
    const issued = []
    for (let i = 0; i < 30; i++) issued.push(await sessions.begin(signIn(id)))
    assert.equal((await sessions.list(id)).length, 30)
    assert.equal((await sessions.listAll()).length, 30)
    assert.equal((await sessions.listAll(10)).length, 10)
    const [first, second] = issued
    const session = await sessions.find(first?.token ?? '', HERE)
    assert.ok(session)
    const fresh = await sessions.rotate(first?.token ?? '', session, ['hwk'])
    assert.deepEqual((await sessions.find(fresh?.token ?? '', HERE))?.amr, ['pwd', 'hwk'])
    assert.equal(await sessions.revoke(id, second?.id ?? ''), true)
    await sessions.revokeAll(id, fresh?.id)
    assert.deepEqual(
      (await sessions.list(id)).map(one => one.id),
      [fresh?.id],
    )
  })
})
