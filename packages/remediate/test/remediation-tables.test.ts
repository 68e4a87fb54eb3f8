import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { connectPostgres, connectRedis, openSqlite } from '@postern/store'
import { freshDatabase, freshPrefix, services } from '../../../test/services.ts'
import { parseActor } from '../src/actor-text.ts'
import { postgresRemediations } from '../src/postgres-remediations.ts'
import { redisRemediations } from '../src/redis-remediations.ts'
import { RemediationStore } from '../src/remediation-store.ts'
import type { RemediationTable } from '../src/remediation-table.ts'
import { sqliteRemediations } from '../src/sqlite-remediations.ts'
import { exchangeFrom, nextChange } from './support.ts'

/** Makes tables of one storage, each as another process would have it. */
type Tables = (t: TestContext) => Promise<() => Promise<RemediationTable>>

const sqlite: Tables = async t => {
  const directory = await mkdtemp(join(tmpdir(), 'postern-remediation-'))
  t.after(() => rm(directory, { recursive: true }))
  return async () => {
    const database = openSqlite({ path: join(directory, 'postern.db') })
    t.after(() => database.close())
    return sqliteRemediations({ database })
  }
}

const postgres: Tables = async t => {
  const url = await freshDatabase(t)
  return async () => {
    const database = connectPostgres({ url, max: 3 })
    t.after(() => database.close())
    return postgresRemediations({ database })
  }
}

const redis: Tables = async t => {
  const { redis: url } = await services()
  const prefix = freshPrefix(t)
  return async () => {
    const connection = connectRedis({ url })
    t.after(() => connection.disconnect())
    return redisRemediations({ redis: connection, prefix })
  }
}

for (const [name, tables] of Object.entries({ SQLite: sqlite, PostgreSQL: postgres, Redis: redis })) {
  describe(`remediations in ${name}`, () => {
    test('a ban on one instance holds on the other, and so does its lifting', async t => {
      const make = await tables(t)
      const one = await RemediationStore.open({ table: await make() })
      const two = await RemediationStore.open({ table: await make() })
      const exchange = exchangeFrom('192.0.2.7')

      const heard = nextChange(two, 'added')
      const ban = await one.add({ actor: parseActor('192.0.2.7'), for: '1h', reason: 'because' })
      assert.deepEqual(await heard, ban)
      assert.deepEqual(two.find(exchange), ban)

      const lifted = nextChange(one, 'removed')
      await two.remove(parseActor('192.0.2.7'))
      assert.equal((await lifted).id, ban.id)
      assert.equal(one.find(exchange), undefined)
      await one.close()
      await two.close()
    })

    test('what a scenario found on one instance holds on the other', async t => {
      const make = await tables(t)
      const one = await RemediationStore.open({ table: await make() })
      const two = await RemediationStore.open({ table: await make() })
      const heard = nextChange(two, 'added')
      one.apply({
        scenario: 's',
        title: 'S',
        severity: 'high',
        actor: { kind: 'principal', value: 'mallory' },
        count: 1,
        requests: [],
        respond: { measure: 'challenge', duration: 60_000 },
      })
      assert.equal((await heard).actor.value, 'mallory')
      await one.close()
      await two.close()
    })

    test('an instance that starts later finds what is in force, not what has ended', async t => {
      const make = await tables(t)
      const one = await RemediationStore.open({ table: await make() })
      const kept = await one.add({
        actor: parseActor('10.0.0.0/16'),
        for: '1h',
        reason: 'kept',
        measure: 'throttle',
      })
      const table = await make()
      await table.put({ ...kept, id: 'ended', expiresAt: Date.now() - 1_000 }).catch(() => {})
      const two = await RemediationStore.open({ table })
      assert.deepEqual(two.list(), [kept])
      await one.close()
      await two.close()
    })
  })
}

test('a SQLite file that nobody changes is read again by nobody, and not looked at once it is closed', async t => {
  t.mock.timers.enable({ apis: ['setInterval'] })
  const database = openSqlite({ path: ':memory:' })
  t.after(() => database.close())
  const table = sqliteRemediations({ database })
  const changes: string[] = []
  await table.watch(({ kind }) => changes.push(kind))
  t.mock.timers.tick(1_000)
  assert.deepEqual(changes, [])
  await table.remove('no such id')
  await table.close()
  t.mock.timers.tick(1_000)
  assert.deepEqual(changes, [])
})

test('two processes of one SQLite file hear nothing of changes that are not theirs to hear', async t => {
  const directory = await mkdtemp(join(tmpdir(), 'postern-remediation-'))
  t.after(() => rm(directory, { recursive: true }))
  const path = join(directory, 'postern.db')
  const mine = openSqlite({ path })
  const others = openSqlite({ path })
  t.after(() => {
    mine.close()
    others.close()
  })
  const table = sqliteRemediations({ database: mine })
  let loads = 0
  const store = await RemediationStore.open({
    table: {
      ...table,
      load: async (now, limit) => {
        loads++
        return table.load(now, limit)
      },
    },
  })
  others.db.exec('CREATE TABLE other (x)')
  const heard = nextChange(store, 'added')
  await sqliteRemediations({ database: others }).put({
    id: 'a',
    actor: { kind: 'address', value: '192.0.2.9' },
    measure: 'block',
    reason: '',
    origin: 'manual',
    createdAt: Date.now(),
    expiresAt: Date.now() + 60_000,
  })
  assert.equal((await heard).id, 'a')
  assert.ok(loads <= 3)
  await store.close()
})
