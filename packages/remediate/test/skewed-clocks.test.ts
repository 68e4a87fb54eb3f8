import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { type Clock, systemClock } from '@postern/core'
import { connectPostgres, connectRedis } from '@postern/store'
import { freshDatabase, freshPrefix, services } from '../../../test/services.ts'
import { parseActor } from '../src/actor-text.ts'
import { postgresRemediations } from '../src/postgres-remediations.ts'
import { redisRemediations } from '../src/redis-remediations.ts'
import { RemediationStore } from '../src/remediation-store.ts'
import type { RemediationTable } from '../src/remediation-table.ts'
import { exchangeFrom, nextChange } from './support.ts'

const HOUR = 3_600_000

/** A machine whose clock is wrong. */
const shown = (ms: number): Clock => ({ ...systemClock, now: () => systemClock.now() + ms })

type Tables = (t: TestContext) => Promise<(clock: Clock) => Promise<RemediationTable>>

const TABLES: Readonly<Record<string, Tables>> = {
  PostgreSQL: async t => {
    const url = await freshDatabase(t)
    return async clock => {
      const database = connectPostgres({ url, max: 3 })
      t.after(() => database.close())
      return postgresRemediations({ database, clock })
    }
  },
  Redis: async t => {
    const { redis: url } = await services()
    const prefix = freshPrefix(t)
    return async clock => {
      const redis = connectRedis({ url })
      t.after(() => redis.disconnect())
      return redisRemediations({ redis, prefix, clock })
    }
  },
}

for (const [name, tables] of Object.entries(TABLES))
  describe(`bans in ${name} of machines whose clocks differ by an hour`, () => {
    for (const [what, ms] of [
      ['ahead', HOUR],
      ['behind', -HOUR],
    ] as const)
      test(`hold on both, as long as they were set for, where one is ${what}`, {
        timeout: 30_000,
      }, async t => {
        const make = await tables(t)
        const open = async (clock: Clock): Promise<RemediationStore> => {
          const store = await RemediationStore.open({ table: await make(clock), clock })
          t.after(() => store.close())
          return store
        }
        const wrongClock = shown(ms)
        const right = await open(systemClock)
        const wrong = await open(wrongClock)
        const until = (store: RemediationStore, address: string, clock: Clock): number => {
          const found = store.find(exchangeFrom(address))
          assert.ok(found !== undefined, `${address} is banned`)
          return found.expiresAt - clock.now()
        }
        const isQuarter = (left: number): void =>
          assert.ok(left > 13 * 60_000 && left <= 15 * 60_000 + 2_000, String(left))

        let heard = nextChange(wrong, 'added')
        await right.add({ actor: parseActor('192.0.2.1'), for: '15m', reason: '' })
        await heard
        heard = nextChange(right, 'added')
        await wrong.add({ actor: parseActor('192.0.2.2'), for: '15m', reason: '' })
        await heard
        // What is read, not heard, and after the other machine has removed what it takes for expired.
        const later = await open(systemClock)
        const laterWrong = await open(wrongClock)
        for (const address of ['192.0.2.1', '192.0.2.2']) {
          for (const store of [right, later]) isQuarter(until(store, address, systemClock))
          for (const store of [wrong, laterWrong]) isQuarter(until(store, address, wrongClock))
        }
        await right.reload()
        await wrong.reload()
        assert.equal(right.list().length, 2)
        assert.equal(wrong.list().length, 2)
      })
  })
