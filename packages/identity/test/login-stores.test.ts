import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { VirtualClock } from '@postern/core'
import { connectPostgres, connectRedis, openSqlite, redisReady } from '@postern/store'
import { freshDatabase, freshPrefix, services } from '../../../test/services.ts'
import { succeeded } from '../src/login-defence/lane-outcome.ts'
import { enter } from '../src/login-defence/lanes.ts'
import {
  DEFAULT_LANES,
  type LoginStore,
  memoryLoginStore,
  postgresLoginStore,
  redisLoginStore,
  sqliteLoginStore,
} from '../src/login-entry.ts'

const CLIENT = { device: undefined, network: 'n', address: 'a', spelling: 'ann' }
const clock = new VirtualClock()

/** Two handles of one store, as two processes have them. */
const STORES: Readonly<Record<string, (scope: TestContext) => Promise<readonly [LoginStore, LoginStore]>>> = {
  memory: async () => {
    const store = memoryLoginStore()
    return [store, store]
  },
  SQLite: async scope => {
    const folder = mkdtempSync(join(tmpdir(), 'postern-login-'))
    const path = join(folder, 'login.db')
    const first = openSqlite({ path })
    const second = openSqlite({ path })
    scope.after(() => {
      first.close()
      second.close()
      rmSync(folder, { recursive: true })
    })
    return [sqliteLoginStore({ database: first, clock }), sqliteLoginStore({ database: second, clock })]
  },
  PostgreSQL: async scope => {
    const url = await freshDatabase(scope)
    const first = connectPostgres({ url })
    const second = connectPostgres({ url })
    scope.after(async () => {
      await first.close()
      await second.close()
    })
    return [
      await postgresLoginStore({ database: first, clock }),
      await postgresLoginStore({ database: second, clock }),
    ]
  },
  Redis: async scope => {
    const { redis: url } = await services()
    const first = connectRedis({ url })
    const second = connectRedis({ url })
    await Promise.all([redisReady(first), redisReady(second)])
    const prefix = freshPrefix(scope)
    scope.after(() => {
      first.disconnect()
      second.disconnect()
    })
    return [redisLoginStore({ redis: first, prefix }), redisLoginStore({ redis: second, prefix })]
  },
}

for (const [name, open] of Object.entries(STORES)) {
  describe(`login records in ${name}`, () => {
    test('are one budget for all processes: of many tries at once ten are let in', async context => {
      const stores = await open(context)
      const now = clock.now()
      const tries = Array.from({ length: 60 }, (_, i) =>
        stores[i % 2]?.update('account', record => {
          const entry = enter(record, { ...CLIENT, address: `a${i}` }, DEFAULT_LANES, now)
          return entry.kind === 'checked' ? { record: entry.record, result: 1 } : { result: 0 }
        }),
      )
      const checked: (number | undefined)[] = []
      for (const one of await Promise.allSettled(tries))
        if (one.status === 'fulfilled') checked.push(one.value)
      assert.equal(
        checked.reduce<number>((sum, one) => sum + (one ?? 0), 0),
        10,
      )
    })

    test('keep known devices, per account', async context => {
      const [store, other] = await open(context)
      const now = clock.now()
      await store.update('one', record => ({
        record: succeeded(record, { client: CLIENT, lane: 'unknown', device: 'device' }, DEFAULT_LANES, now),
        result: undefined,
      }))
      const devices = await other.update('one', record => ({ result: record.devices.map(({ id }) => id) }))
      assert.deepEqual(devices, ['device'])
      assert.deepEqual(await other.update('two', record => ({ result: record.devices.length })), 0)
    })
  })
}

test('filling the memory with made-up accounts gives nobody a fresh budget at a real one', () => {
  const store = memoryLoginStore({ max: 50 })
  const now = clock.now()
  const tryAt = (account: string, address: string): boolean =>
    store.update(account, record => {
      const entry = enter(record, { ...CLIENT, address }, DEFAULT_LANES, now)
      return entry.kind === 'checked' ? { record: entry.record, result: true } : { result: false }
    }) as boolean
  for (let i = 0; i < 10; i++) assert.equal(tryAt('victim', `a${i}`), true)
  for (let i = 0; i < 500; i++) tryAt(`made-up-${i}`, 'b')
  assert.equal(store.size, 50)
  assert.equal(tryAt('victim', 'fresh'), false)
})
