import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { Access, AccessGuard, AGENT_COUNTS, agent, ToolGuard } from '@postern/access'
import { type Config, loadConfig } from '@postern/config'
import { type Outcome, type Principal, VirtualClock } from '@postern/core'
import { recordsIn } from '@postern/identity/stores'
import { openSqlite } from '@postern/store'
import { freshDatabase, services } from '../../../test/services.ts'
import { exchangeOf } from '../../access/test/support/exchange.ts'
import { openAccess } from '../src/access/open-access.ts'
import { Connections } from '../src/stores/connections.ts'

const MALLORY: Principal = { kind: 'user', id: 'mallory' }
const ROUTES = { 'DELETE /orders/:id': { budget: 'orders.delete' } }
const BUDGETS: Config = {
  identify: () => MALLORY,
  budgets: { 'orders.delete': { rows: 10, window: '1h' } },
  routes: ROUTES,
}

/** A process with these stores: what it answers to a DELETE. */
type Instance = () => Promise<number>

interface Place {
  readonly stores?: Config['stores']
  /** Data directories of two instances; the same for two threads, or before and after a restart. */
  readonly folders: readonly [string, string]
}

function folder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'postern-budgets-'))
  t.after(() => rmSync(path, { recursive: true, force: true }))
  return path
}

async function instance(t: TestContext, path: string, config: Config, outcome?: Outcome): Promise<Instance> {
  const clock = new VirtualClock()
  const loaded = await loadConfig({ config, folder: path, environment: {} })
  const connections = new Connections(loaded.config, path)
  t.after(() => connections.close())
  const opened = await openAccess({ loaded, connections, clock, notices: 'leave' })
  t.after(() => opened.close())
  const guard = new AccessGuard(opened.access, opened.budgets, clock)
  return async () => {
    const exchange = exchangeOf({ routes: ROUTES, method: 'DELETE', target: '/orders/1', principal: MALLORY })
    const said = await guard.decide(exchange)
    if (outcome !== undefined) guard.settle(exchange, outcome)
    return said.effect === 'allow' ? 200 : said.status
  }
}

const PLACES: Readonly<Record<string, (t: TestContext) => Promise<Place>>> = {
  'threads that share a data directory': async t => {
    const shared = folder(t)
    return { folders: [shared, shared] }
  },
  'instances on PostgreSQL': async t => ({
    stores: { postgres: await freshDatabase(t) },
    folders: [folder(t), folder(t)],
  }),
  'instances on Redis': async t => {
    const { redis } = await services()
    return { stores: { redis }, folders: [folder(t), folder(t)] }
  },
}

describe('a budget of a route holds over', () => {
  for (const [name, place] of Object.entries(PLACES))
    test(`${name}: attack: a stolen session spreads its deletes over them`, async t => {
      const { stores, folders } = await place(t)
      // In Redis other runs of this test may have counted.
      const who = { identify: () => MALLORY, ...(stores !== undefined && { stores }) }
      const budget = `orders${process.pid}${Math.trunc(performance.now())}.delete`
      ROUTES['DELETE /orders/:id'].budget = budget
      const config: Config = { ...BUDGETS, ...who, budgets: { [budget]: { rows: 10, window: '1h' } } }
      const one = await instance(t, folders[0], config)
      const two = await instance(t, folders[1], config)
      const answers = await Promise.all(Array.from({ length: 40 }, (_, i) => (i % 2 === 0 ? one() : two())))
      assert.equal(answers.filter(status => status === 200).length, 10, answers.join(' '))
      // Nor does a restart forget.
      const restarted = await instance(t, folders[0], config)
      assert.equal(await restarted(), 429)
    })
})

test('what the backend refused is given back for all', async t => {
  const shared = folder(t)
  ROUTES['DELETE /orders/:id'].budget = 'orders.delete'
  const outcome = { status: 404, duration: 1, bytes: 0, aborted: false }
  const one = await instance(t, shared, BUDGETS, outcome)
  const two = await instance(t, shared, BUDGETS)
  for (let i = 0; i < 20; i++) assert.equal(await one(), 200)
  for (let i = 0; i < 10; i++) assert.equal(await two(), 200)
  assert.equal(await two(), 429)
})

test('attack: the store is made to fail, and each process goes on from what it knows', async t => {
  for (const [failure, expected] of [
    ['local', 429],
    ['open', 429],
    ['closed', 'error'],
  ] as const) {
    ROUTES['DELETE /orders/:id'].budget = 'orders.delete'
    const path = folder(t)
    const postgres = await freshDatabase(t)
    const config: Config = { ...BUDGETS, stores: { postgres, failure } }
    const loaded = await loadConfig({ config, folder: path, environment: {} })
    const connections = new Connections(loaded.config, path)
    const opened = await openAccess({ loaded, connections, notices: 'leave' })
    const guard = new AccessGuard(opened.access, opened.budgets)
    const ask = async (): Promise<number | 'error'> => {
      const request = { routes: ROUTES, method: 'DELETE', target: '/orders/1', principal: MALLORY }
      try {
        const said = await guard.decide(exchangeOf(request))
        return said.effect === 'allow' ? 200 : said.status
      } catch {
        return 'error'
      }
    }
    for (let i = 0; i < 10; i++) assert.equal(await ask(), 200)
    await connections.postgres?.close()
    assert.equal(await ask(), expected, failure)
    await opened.close()
    await connections.close()
  }
})

test('attack: an agent spreads its calls over processes, and each has the budget of all', async t => {
  const sqlite = openSqlite({ path: ':memory:' })
  t.after(() => sqlite.close())
  const clock = new VirtualClock()
  const agentCounts = await recordsIn({ sqlite, clock }, 'agent', AGENT_COUNTS)
  const bot: Principal = { kind: 'service', id: 'bot' }
  const budget = { window: '1h', calls: 8, rows: 3 } as const
  const declared = agent({ owner: MALLORY, actions: ['order.*'], budget })
  const processes = [1, 2].map(() => {
    const access = new Access({
      agentOf: ({ id }) => (id === 'bot' ? declared : undefined),
      agentCounts,
      clock,
    })
    return new ToolGuard(access, { look: { action: 'order.look' }, wipe: { action: 'order.wipe' } })
  })
  const call = async (at: number, name: string, rows: number): Promise<boolean> => {
    const said = await processes[at % 2]?.call(name, {}, { principal: bot }, (_args, { changed }) => {
      changed(rows)
      return { content: [], isError: false }
    })
    return said?.isError === false
  }
  assert.equal(await call(0, 'wipe', 3), true)
  assert.equal(await call(1, 'wipe', 1), false)
  clock.advance(2 * 3_600_000)
  const done = await Promise.all(Array.from({ length: 20 }, (_, at) => call(at, 'look', 0)))
  assert.equal(done.filter(Boolean).length, 8)
})
