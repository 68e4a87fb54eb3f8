import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { type Clock, StoreError, systemClock, VirtualClock } from '@postern/core'
import { connectPostgres, connectRedis, openSqlite, redisReady } from '@postern/store'
import { freshDatabase, freshPrefix, services } from '../../../test/services.ts'
import { until } from '../../../test/until.ts'
import { Revocations } from '../src/index.ts'
import type { Revocation } from '../src/revocation/revocation.ts'
import {
  postgresRevocations,
  type RevocationTable,
  redisRevocations,
  sqliteRevocations,
} from '../src/revocation-entry.ts'

/** Two instances' tables over one store. */
const TABLES: Readonly<
  Record<string, (scope: TestContext, clock?: Clock) => Promise<readonly [RevocationTable, RevocationTable]>>
> = {
  SQLite: async scope => {
    const folder = mkdtempSync(join(tmpdir(), 'postern-revocation-'))
    const path = join(folder, 'r.db')
    const [first, second] = [openSqlite({ path }), openSqlite({ path })]
    scope.after(() => {
      first.close()
      second.close()
      rmSync(folder, { recursive: true })
    })
    return [sqliteRevocations(first), sqliteRevocations(second)]
  },
  PostgreSQL: async (scope, clock) => {
    const url = await freshDatabase(scope)
    const [first, second] = [connectPostgres({ url }), connectPostgres({ url })]
    scope.after(async () => {
      await first.close()
      await second.close()
    })
    return [await postgresRevocations(first), await postgresRevocations(second, clock)]
  },
  Redis: async (scope, clock) => {
    const { redis: url } = await services()
    const [first, second] = [connectRedis({ url }), connectRedis({ url })]
    await Promise.all([redisReady(first), redisReady(second)])
    const prefix = freshPrefix(scope)
    scope.after(() => {
      first.disconnect()
      second.disconnect()
    })
    return [
      redisRevocations({ redis: first, prefix }),
      redisRevocations({ redis: second, prefix, ...(clock && { clock }) }),
    ]
  },
}

for (const [name, open] of Object.entries(TABLES)) {
  test(`a revocation in ${name} holds at once here, within a second elsewhere, and after a restart`, {
    timeout: 20_000,
  }, async context => {
    const [one, two] = await open(context)
    const here = await new Revocations({ table: one }).start()
    const there = await new Revocations({ table: two }).start()
    context.after(() => there.close())
    const changed = new Promise<string>(resolve =>
      there.onRevoked(({ kind, value }) => kind === 'change' && resolve(value)),
    )
    const told = new Promise<void>(resolve => there.onRevoked(({ kind }) => kind === 'session' && resolve()))
    const before = Date.now()
    await here.noteChange('alice')
    assert.equal(await changed, 'alice')
    assert.equal(there.isRevoked(undefined, 'alice', before - 1), false)
    const durable = here.revokeSession('session-1')
    assert.equal(here.isRevoked('session-1', 'alice', before), true)
    await durable
    await told
    assert.equal(there.isRevoked('session-1', 'alice', before), true)
    assert.equal(there.isRevoked('session-2', 'alice', before), false)
    await here.close()
    const again = await new Revocations({ table: one }).start()
    assert.equal(again.isRevoked('session-1', 'alice', before), true)
    assert.equal(again.health().ok, true)
    await again.close()
  })
}

for (const name of ['PostgreSQL', 'Redis'] as const)
  test(`a principal revoked in ${name}, then again by a machine whose clock is an hour back, stays revoked`, {
    timeout: 20_000,
  }, async context => {
    const back = { ...systemClock, now: () => systemClock.now() - 3_600_000 }
    const [one, two] = (await TABLES[name]?.(context, back)) ?? []
    assert.ok(one !== undefined && two !== undefined)
    const here = await new Revocations({ table: one }).start()
    const late = await new Revocations({ table: two, clock: back }).start()
    context.after(() => Promise.all([here.close(), late.close()]))
    const issued = Date.now()
    await here.revokePrincipal('alice')
    await late.revokePrincipal('alice')
    await late.revokePrincipal('bob')
    const again = await new Revocations({ table: one }).start()
    context.after(() => again.close())
    assert.equal(again.isRevoked(undefined, 'alice', issued), true)
    assert.equal(again.isRevoked(undefined, 'bob', issued), true)
  })

describe('the revocation list', () => {
  test('what the store has lost, or never got, is kept again for those who start later', async () => {
    const kept: Revocation[] = []
    let missed: (entry: Revocation | undefined) => void = () => {}
    let isAway = false
    const table: RevocationTable = {
      name: 'forgetful',
      load: async () => [...kept],
      put: async entry => {
        if (isAway) throw new StoreError('is away', { store: 'forgetful', retryable: true })
        kept.push(entry)
      },
      watch: async changed => {
        missed = changed
      },
      close: async () => {},
    }
    const list = await new Revocations({ table }).start()
    await list.revokeSession('one')
    await list.revokePrincipal('alice')
    await list.noteChange('bob')
    kept.length = 0
    isAway = true
    await assert.rejects(list.revokeSession('two'), { code: 'POSTERN_STORE' })
    isAway = false
    missed(undefined)
    await until(() => kept.length >= 3)
    assert.deepEqual(kept.map(({ kind }) => kind).sort(), ['principal', 'session', 'session'])
    const later = await new Revocations({ table }).start()
    assert.equal(later.isRevoked('two', 'x', Date.now()), true)
    missed(undefined)
    await later.close()
    await list.close()
    assert.equal(kept.length, 3)
  })

  test('a table that fails after it was watched is read again, and not watched twice', async t => {
    t.mock.timers.enable({ apis: ['setInterval', 'setTimeout'] })
    let [loads, watches] = [0, 0]
    const table: RevocationTable = {
      name: 'away',
      load: async () => {
        if (++loads < 3) throw new StoreError('is away', { store: 'away', retryable: true })
        return []
      },
      put: async () => {},
      watch: async () => {
        watches++
      },
      close: async () => {},
    }
    const list = await new Revocations({ table }).start({ whenAway: 'start' })
    assert.equal(list.health().ok, false)
    for (let second = 0; second < 2; second++) {
      t.mock.timers.tick(1_000)
      await new Promise(resolve => setImmediate(resolve))
    }
    assert.equal(list.health().ok, true)
    assert.deepEqual([loads, watches], [3, 1])
    await list.close()
  })

  test('a principal is revoked up to now: what is issued later holds', async () => {
    const clock = new VirtualClock()
    const list = new Revocations({ clock })
    const before = clock.now()
    await list.revokePrincipal('alice')
    assert.equal(list.isRevoked(undefined, 'alice', before), true)
    assert.equal(list.isRevoked(undefined, 'bob', before), false)
    assert.equal(list.isRevoked(undefined, 'alice', before + 1), false)
  })

  test('is bounded, and what no longer fits stays revoked with all of its age', async () => {
    const clock = new VirtualClock()
    const list = new Revocations({ clock })
    const start = clock.now()
    for (let i = 0; i < 100_010; i++) {
      clock.advance(1)
      list.revokeSession(`s${i}`)
    }
    for (const i of [0, 5, 50_000, 100_009])
      assert.equal(list.isRevoked(`s${i}`, 'x', start), true, String(i))
    assert.equal(list.isRevoked('other', 'x', clock.now()), false)
  })

  test('keeps no session id', async () => {
    const kept: unknown[] = []
    const table: RevocationTable = {
      name: 'spy',
      load: async () => [],
      put: async entry => {
        kept.push(entry)
      },
      watch: async () => {},
      close: async () => {},
    }
    await new Revocations({ table }).revokeSession('very-secret-session')
    assert.doesNotMatch(JSON.stringify(kept), /very-secret/)
  })
})
