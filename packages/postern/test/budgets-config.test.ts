import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { actingAs, budgetAnswer, claimSigner, guard, guardPool, installBudgets } from '@postern/access'
import { connectPostgres, type PostgresDatabase } from '@postern/store'
import pg from 'pg'
import { freshDatabase } from '../../../test/fresh.ts'
import { until } from '../../../test/until.ts'
import {
  type Config,
  ConfigError,
  type Event,
  type Exchange,
  type Postern,
  type Principal,
  postern,
} from '../src/index.ts'

/** `Authorization: ID ROLE`, as no real application would have it; everybody has just signed in. */
function identify(exchange: Exchange): Principal | undefined {
  const [id, role] = exchange.header('authorization')?.split(' ') ?? []
  if (id === undefined) return undefined
  return { kind: 'user', id, authenticatedAt: exchange.time, ...(role !== undefined && { roles: [role] }) }
}

interface Shop {
  readonly layer: Postern
  readonly pool: pg.Pool
  readonly owner: PostgresDatabase
  /** Ids of the requests, in order. */
  readonly requests: readonly string[]
  ask(
    who: string,
    method: string,
    path: string,
    headers?: Readonly<Record<string, string>>,
    body?: string,
  ): Promise<Response>
  orders(): Promise<number>
}

const BUDGETS = { 'orders.delete': { rows: 5, window: '1h', over: 'approval' } } as const
const key = (id: number): { readonly id: number; readonly secret: Uint8Array } => ({
  id,
  secret: randomBytes(32),
})
const text = ({ id, secret }: ReturnType<typeof key>): string =>
  `${id}:${Buffer.from(secret).toString('base64')}`

/**
 * A shop of 100 orders on PostgreSQL, whose handlers say nothing of who acts. `POST
 * /wipe?above=N` deletes all orders above N.
 */
async function shop(t: TestContext, routes: Config['routes']): Promise<Shop> {
  const dropped: (() => Promise<void>)[] = []
  const url = await freshDatabase({ after: work => dropped.push(work) })
  const folder = mkdtempSync(join(tmpdir(), 'postern-budgets-'))
  const [claim, grant, journal] = [key(1), key(2), key(3)]
  const owner = connectPostgres({ url })
  const requests: string[] = []
  await owner.query('CREATE TABLE orders (id int PRIMARY KEY)')
  await owner.query('INSERT INTO orders SELECT generate_series(1, 100)')
  await installBudgets(owner, { budgets: BUDGETS, claimKeys: [claim], grantKeys: [grant] })
  const layer = await postern({
    folder,
    identify: exchange => {
      requests.push(exchange.id)
      return identify(exchange)
    },
    config: {
      budgets: BUDGETS,
      budgetDatabase: {
        url,
        claimKeys: [text(claim)],
        grantKeys: [text(grant)],
        journalKeys: [text(journal)],
      },
      routes,
    },
  })
  const pool = guardPool(new pg.Pool({ connectionString: url }), { claim: claimSigner({ key: claim }) })
  t.after(async () => {
    await layer.close()
    await pool.end()
    await owner.close()
    for (const work of dropped) await work()
    rmSync(folder, { recursive: true, force: true })
  })
  const handle = layer.fetch(
    async request => {
      const above = Number(new URL(request.url).searchParams.get('above'))
      try {
        const { rowCount } = await pool.query('DELETE FROM orders WHERE id > $1', [above])
        return new Response(`${rowCount} deleted`)
      } catch (error) {
        const answer = budgetAnswer(error)
        if (answer === undefined) throw error
        return new Response(answer.body, answer)
      }
    },
    { peer: () => '203.0.113.9' },
  )
  return {
    layer,
    pool,
    owner,
    requests,
    ask: async (who, method, path, headers = {}, body) =>
      handle(
        new Request(`http://shop.example${path}`, {
          method,
          headers: { authorization: who, ...headers },
          ...(body !== undefined && { body }),
        }),
      ),
    orders: async () =>
      (await owner.query<{ n: number }>('SELECT count(*)::int AS n FROM orders')).rows[0]?.n ?? -1,
  }
}

const PAGE = readFileSync(join(import.meta.dirname, '../../../docs/budgets-reads.md'), 'utf8')

describe('budgets on reads', { timeout: 120_000 }, () => {
  test('of a YAML file count what the connections of the application read, as the page shows it', async t => {
    const folder = mkdtempSync(join(tmpdir(), 'postern-reads-'))
    const yaml = /```yaml\n(# postern\.config\.yaml\nbudgets:\n {2}customers\.select[\s\S]*?)```/.exec(
      PAGE,
    )?.[1]
    assert.ok(yaml)
    writeFileSync(join(folder, 'postern.config.yaml'), yaml)
    const url = await freshDatabase(t)
    const layer = await postern({ folder, identify, log: 'none' })
    const claim = claimSigner({ key: key(1) })
    const { reads } = layer
    assert.ok(reads)
    const pool = guardPool(new pg.Pool({ connectionString: url, max: 1 }), { claim, reads })
    t.after(async () => {
      await pool.end()
      await layer.close()
      rmSync(folder, { recursive: true, force: true })
    })
    await pool.query('CREATE TABLE customers AS SELECT generate_series(1, 600) AS id')
    const read = (who: string, rows: number): Promise<number | null> =>
      actingAs({ actor: who }, () => pool.query('SELECT id FROM customers LIMIT $1', [rows])).then(
        ({ rowCount }) => rowCount,
      )
    assert.equal(await read('user:sam', 500), 500)
    await assert.rejects(read('user:sam', 1), { code: 'POSTERN_BUDGET_EXCEEDED' })
    assert.equal(await read('user:kim', 1), 1)
  })

  test('are absent where no budget is about reads', async t => {
    const layer = await postern({
      config: { budgets: BUDGETS, audit: false, dataDirectory: false },
      log: 'none',
    })
    t.after(() => layer.close())
    assert.equal(layer.reads, undefined)
  })
})

const JSON_TYPE = { 'content-type': 'application/json' }
const ASK = { 'postern-approval': 'ask' }

describe('row budgets and approvals', { timeout: 300_000 }, () => {
  test('what the database refuses is asked for, approved by another, and done once within the granted rows', async t => {
    const { ask, orders, requests } = await shop(t, {
      'POST /wipe': { budget: 'orders.delete', approve: { by: 'role:owner', rows: 40, when: 'over' } },
    })
    const refused = await ask('finn', 'POST', '/wipe?above=60')
    assert.equal(refused.status, 403)
    const said = (await refused.json()) as {
      allowed: number
      asked: number
      retryAt: string
      instance: string
    }
    assert.deepEqual([said.allowed, said.asked], [5, 40])
    assert.equal(said.instance, `urn:postern:request:${requests.at(-1)}`)
    assert.equal(await orders(), 100)

    const pending = await ask('finn', 'POST', '/wipe?above=60', ASK)
    assert.equal(pending.status, 403)
    const follow = pending.headers.get('location') ?? ''
    const decide = (who: string): Promise<Response> =>
      ask(who, 'POST', follow, JSON_TYPE, '{"decision":"approve"}')
    assert.equal((await decide('finn owner')).status, 403)
    assert.equal((await decide('olga owner')).status, 200)
    // The attacks: another actor, another act, more rows than granted.
    assert.equal((await ask('eve', 'POST', '/wipe?above=60', ASK)).status, 403)
    assert.equal((await ask('finn', 'POST', '/wipe?above=10', ASK)).status, 403)
    assert.equal(await orders(), 100)

    assert.equal(await (await ask('finn', 'POST', '/wipe?above=60', ASK)).text(), '40 deleted')
    assert.equal((await ask('finn', 'POST', '/wipe?above=60', ASK)).status, 403)
    assert.equal((await ask('finn', 'POST', '/wipe?above=10')).status, 403)
    assert.equal(await orders(), 60)
    // The budget itself was not touched by what was granted.
    assert.equal(await (await ask('finn', 'POST', '/wipe?above=55')).text(), '5 deleted')
  })

  test('a grant of fewer rows than the act changes does nothing', async t => {
    const { ask, orders } = await shop(t, {
      'POST /wipe': { budget: 'orders.delete', approve: { by: 'role:owner', rows: 10 } },
    })
    const pending = await ask('finn', 'POST', '/wipe?above=60')
    await ask(
      'olga owner',
      'POST',
      pending.headers.get('location') ?? '',
      JSON_TYPE,
      '{"decision":"approve"}',
    )
    assert.equal((await ask('finn', 'POST', '/wipe?above=60')).status, 403)
    assert.equal(await orders(), 100)
  })

  test('the journal is sealed by itself, whatever advisory locks the role of the application holds', async t => {
    const { ask, owner } = await shop(t, undefined)
    await owner.query('SELECT pg_advisory_lock(n) FROM generate_series(5783290, 5783310) AS n')
    assert.equal(await (await ask('sam', 'POST', '/wipe?above=95')).text(), '5 deleted')
    const open = async (): Promise<number> =>
      (
        await owner.query<{ n: number }>(
          'SELECT count(*)::int AS n FROM postern_budgets.journal WHERE sealed IS NULL',
        )
      ).rows[0]?.n ?? -1
    await until(async () => (await open()) === 0)
  })

  test('a journal that cannot be sealed is an event, and shows in readiness', async t => {
    const url = await freshDatabase(t)
    const folder = mkdtempSync(join(tmpdir(), 'postern-journal-'))
    t.after(() => rmSync(folder, { recursive: true, force: true }))
    const events: Event[] = []
    const budgetDatabase = { url, claimKeys: [text(key(1))], journalKeys: [text(key(3))] }
    const layer = await postern({ folder, config: { budgetDatabase }, onEvent: event => events.push(event) })
    const failed = (): Event | undefined => events.find(({ type }) => type === 'journal.failed')
    await until(() => failed() !== undefined)
    const health = layer.health().find(({ name }) => name === 'journal of row budgets')
    await layer.close()
    assert.equal(health?.ok, false)
    assert.match(health?.detail ?? '', /postern_budgets/)
  })

  test('a guarded function runs under its grant', async t => {
    const { layer, pool, orders } = await shop(t, undefined)
    const { access, approvals } = layer
    assert.ok(access !== undefined && approvals !== undefined)
    const wipe = guard(
      access,
      'orders.wipe',
      { approve: { by: 'role:owner', rows: 40 }, budget: 'orders.delete' },
      async ({ above }: { above: number }) =>
        (await pool.query('DELETE FROM orders WHERE id > $1', [above])).rowCount,
    )
    const finn: Principal = { kind: 'user', id: 'finn' }
    const olga: Principal = { kind: 'user', id: 'olga', roles: ['owner'] }
    await assert.rejects(wipe({ above: 60 }, { principal: finn }), /consent of a second person/)
    const [waiting] = await approvals.list(olga)
    await approvals.decide(waiting?.id ?? '', olga, 'approve')
    assert.equal(await wipe({ above: 60 }, { principal: finn }), 40)
    await assert.rejects(wipe({ above: 60 }, { principal: finn }))
    await assert.rejects(
      actingAs({ actor: 'user:finn' }, () => pool.query('DELETE FROM orders')),
      /budget/,
    )
    assert.equal(await orders(), 60)
  })
})

describe('routes.*.budget', { timeout: 120_000 }, () => {
  const counting = async (t: TestContext, routes: Config['routes']): Promise<Shop['ask']> => {
    const folder = mkdtempSync(join(tmpdir(), 'postern-edge-'))
    const layer = await postern({ folder, identify, config: { budgets: BUDGETS, routes } })
    t.after(async () => {
      await layer.close()
      rmSync(folder, { recursive: true, force: true })
    })
    const handle = layer.fetch(
      request => new Response('handled', { status: request.url.endsWith('/missing') ? 404 : 200 }),
      { peer: () => '203.0.113.9' },
    )
    return async (who, method, path, headers = {}, body) =>
      handle(
        new Request(`http://shop.example${path}`, {
          method,
          headers: { authorization: who, ...headers },
          ...(body !== undefined && { body }),
        }),
      )
  }

  test('counts what requests name, per actor, and says what is left and when to retry', async t => {
    const ask = await counting(t, { 'DELETE /orders/**': { budget: 'orders.delete' } })
    for (let id = 1; id <= 3; id++) assert.equal((await ask('sam', 'DELETE', `/orders/${id}`)).status, 200)
    const over = await ask('sam', 'DELETE', '/orders/batch?ids=4,5,6')
    assert.equal(over.status, 403)
    assert.ok(Number(over.headers.get('retry-after')) > 3_000)
    const { budget, allowed, asked, retryAt, detail } = (await over.json()) as Record<string, string | number>
    assert.deepEqual([budget, allowed, asked], ['orders.delete', 2, 3])
    assert.ok(Date.parse(String(retryAt)) > Date.now())
    assert.match(String(detail), /Ask a second person for an approval/)
    assert.equal((await ask('kim', 'DELETE', '/orders/4')).status, 200)
    // What changed nothing is given back, once its answer is out.
    assert.equal(await (await ask('sam', 'DELETE', '/orders/missing')).text(), 'handled')
    assert.equal((await ask('sam', 'DELETE', '/orders/4')).status, 200)
    assert.equal((await ask('sam', 'DELETE', '/orders/5')).status, 200)
    assert.equal((await ask('sam', 'DELETE', '/orders/6')).status, 403)
  })

  test('holds where no answer is ever seen: as the proxy of Next', async t => {
    const folder = mkdtempSync(join(tmpdir(), 'postern-edge-'))
    const routes = { 'DELETE /orders/**': { budget: 'orders.delete' } }
    const layer = await postern({ folder, identify, config: { budgets: BUDGETS, routes } })
    t.after(async () => {
      await layer.close()
      rmSync(folder, { recursive: true, force: true })
    })
    const proxy = layer.next({ peer: () => '203.0.113.9' })
    const statuses: number[] = []
    for (let id = 1; id <= 7; id++) {
      const headers = { authorization: 'sam' }
      const answer = await proxy(
        new Request(`http://shop.example/orders/${id}`, { method: 'DELETE', headers }),
      )
      statuses.push(answer.status)
    }
    assert.deepEqual(statuses, [200, 200, 200, 200, 200, 403, 403])
  })

  test('an approval is asked for what goes over, and only for that', async t => {
    const ask = await counting(t, {
      'POST /purge': { budget: 'orders.delete', approve: { by: 'role:owner', when: 'over' } },
    })
    const purge = (ids: readonly number[]): Promise<Response> =>
      ask('sam', 'POST', '/purge', JSON_TYPE, JSON.stringify({ ids }))
    assert.equal((await purge([1, 2])).status, 200)
    const pending = await purge([3, 4, 5, 6])
    assert.equal(pending.status, 403)
    const { why, allowed, asked } = (await pending.json()) as Record<string, string | number>
    assert.deepEqual([why, allowed, asked], ['approval-pending', 3, 4])
    await ask(
      'olga owner',
      'POST',
      pending.headers.get('location') ?? '',
      JSON_TYPE,
      '{"decision":"approve"}',
    )
    assert.equal((await purge([3, 4, 5, 6])).status, 200)
    assert.equal((await purge([3, 4, 5, 6])).status, 403)
    assert.equal((await purge([7, 8, 9])).status, 200)
  })

  for (const [name, routes, message] of [
    ['an unknown budget', { 'DELETE /x': { budget: 'x.delete' } }, /there is no budget "x.delete"/],
    [
      'a consent over no budget',
      { 'DELETE /x': { approve: { by: 'role:owner', when: 'over' } } },
      /names no budget/,
    ],
  ] as const)
    test(`refuses ${name}`, async () => {
      await assert.rejects(
        postern({
          folder: mkdtempSync(join(tmpdir(), 'postern-edge-')),
          config: { budgets: BUDGETS, identify: () => undefined, routes },
        }),
        (error: unknown) => error instanceof ConfigError && message.test(error.message),
      )
    })
})
