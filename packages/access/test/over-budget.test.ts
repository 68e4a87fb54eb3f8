import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import {
  actingAs,
  budgetAnswer,
  budgetError,
  claimSigner,
  delayOverBudget,
  dryRun,
  guardPool,
  ReadBudgetExceeded,
  RowBudgetExceeded,
  RowBudgetHeld,
  rows,
} from '@postern/access'
import { VirtualClock } from '@postern/core'
import pg from 'pg'
import { CLAIM_KEY, count, guarded } from './support/guarded.ts'

const place = await guarded(
  { after },
  `CREATE TABLE customers (id int PRIMARY KEY); CREATE TABLE orders (id int PRIMARY KEY, customer int REFERENCES customers ON DELETE CASCADE);
   INSERT INTO customers SELECT generate_series(1, 4); INSERT INTO orders SELECT g, 1 + g % 4 FROM generate_series(1, 4812) g;
   GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO APP`,
  { '*.delete': rows(10, '1h'), '*.update': rows(10, '2s', { over: 'delay' }) },
)
const pool = guardPool(new pg.Pool({ connectionString: place.url, max: 2 }), {
  claim: claimSigner({ key: CLAIM_KEY }),
})
pool.on('error', () => {})
after(() => pool.end())
const alice = { actor: 'user:alice' }

test('a dry run says what a change would do, and does nothing', async () => {
  const run = await actingAs(alice, () =>
    dryRun(pool, async client => {
      await client.query('DELETE FROM customers')
      await client.query('INSERT INTO customers VALUES (9)')
    }),
  )
  assert.equal(run.sentence, 'this would delete 4,816 rows of 2 tables')
  assert.deepEqual(run.tables, [
    { table: 'public.customers', action: 'delete', rows: 4 },
    { table: 'public.orders', action: 'delete', rows: 4_812 },
  ])
  assert.equal(await count(place.owner, 'orders'), 4_812)
  assert.equal(await count(place.owner, 'postern_budgets.counters'), 0)
})

test('a dry run that commits is refused by the database', async () => {
  await actingAs(alice, () =>
    assert.rejects(
      dryRun(pool, async client => {
        await client.query('DELETE FROM customers')
        await client.query('COMMIT')
      }),
      /a dry run cannot be committed/,
    ),
  )
  assert.equal(await count(place.owner, 'orders'), 4_812)
})

test('a change waits for its budget when it is to be delayed', async () => {
  const waits: number[] = []
  await actingAs(alice, async () => {
    await pool.query('UPDATE orders SET customer = 2 WHERE id <= 10')
    const late = await delayOverBudget(() => pool.query('UPDATE orders SET customer = 3 WHERE id <= 5'), {
      wait: async ms => {
        waits.push(ms)
        await new Promise(resolve => setTimeout(resolve, ms))
      },
    })
    assert.equal(late.rowCount, 5)
    assert.ok(waits.length >= 1)
    await assert.rejects(
      delayOverBudget(() => pool.query('DELETE FROM orders WHERE id <= 11')),
      RowBudgetExceeded,
    )
  })
})

test('a browser gets the answer as a page', () => {
  const detail = { budget: 'orders.delete', scope: 'actor', over: 'approval' } as const
  const error = new RowBudgetExceeded({ ...detail, allowed: 50, asked: 400, retryAt: Date.now() })
  const accept = 'text/html,application/xhtml+xml,*/*;q=0.8'
  const page = budgetAnswer(error, { accept, approvals: '/.postern/approvals' })
  assert.equal(page?.headers['content-type'], 'text/html; charset=utf-8')
  assert.match(page.body, /Nothing was changed\. 50 rows are left.*href="\/\.postern\/approvals"/s)
  assert.match(String(budgetAnswer(error, { accept: 'application/json' })?.body), /^\{/)
})

test('the page is in the language of its reader', () => {
  const accept = 'text/html'
  for (const over of ['deny', 'delay', 'stepUp', 'approval'] as const) {
    const error = new RowBudgetExceeded({
      ...{ budget: 'orders.delete', scope: 'actor', over, allowed: 50, asked: 400, retryAt: 0 },
    })
    const pages = ['en', 'de', 'es', 'fr', 'ja', 'ar'].map(language => {
      const body = budgetAnswer(error, { accept, acceptLanguage: language, approvals: '/a?b&c' })?.body ?? ''
      assert.ok(body.includes(`<html lang="${language}"`))
      assert.match(body, /50.*400|400.*50/s)
      assert.doesNotMatch(body, /\{\w+\}<|\{(?:allowed|asked|place)\}|undefined/)
      assert.equal(body.includes('href="/a?b&#38;c"'), over === 'approval')
      return body
    })
    assert.equal(new Set(pages).size, 6)
  }
})

test('the answer says what is left, what was asked, when to retry and where to ask for an approval', () => {
  const clock = new VirtualClock()
  const error = new RowBudgetExceeded({
    budget: 'orders.delete',
    scope: 'tenant',
    allowed: 3,
    asked: 4_812,
    retryAt: clock.now() + 90_500,
    over: 'approval',
  })
  const answer = budgetAnswer(new Error('query failed', { cause: error }), {
    approvals: '/.postern/approvals',
    clock,
  })
  assert.equal(answer?.status, 403)
  assert.equal(answer?.headers['retry-after'], '91')
  assert.deepEqual(JSON.parse(answer?.body ?? ''), {
    type: 'urn:postern:refusal:budget',
    title: 'Row budget exceeded',
    status: 403,
    detail: '3 rows are left in this window, 4812 were to be changed. Ask a second person for an approval.',
    budget: 'orders.delete',
    scope: 'tenant',
    allowed: 3,
    asked: 4_812,
    retryAt: '2026-01-01T00:01:30.500Z',
    approval: '/.postern/approvals',
  })
  assert.equal(budgetAnswer(new Error('another')), undefined)
})

test('a refusal of which a query builder kept only code and message is read from its words', () => {
  const detail = {
    budget: 'orders.select',
    scope: 'tenant',
    allowed: 7,
    asked: 8,
    retryAt: 1_800_000_000_000,
    over: 'approval',
  } as const
  for (const Refusal of [RowBudgetExceeded, ReadBudgetExceeded]) {
    const { code, message } = new Refusal(detail)
    const read = budgetError(Object.assign(new Error(`Invalid invocation:\n\n${message}`), { code }))
    assert.ok(read instanceof RowBudgetExceeded)
    assert.equal(read instanceof ReadBudgetExceeded, Refusal === ReadBudgetExceeded)
    const { budget, scope, allowed, asked, retryAt, over } = read
    assert.deepEqual({ budget, scope, allowed, asked, retryAt, over }, detail)
  }
})

const HELD = { budget: 'orders.delete', scope: 'actor' } as const

test('a budget that others hold is to be tried again, whatever a query builder makes of the error', () => {
  const driver = Object.assign(new Error('budget "orders.delete" is held'), {
    code: '40001',
    detail: JSON.stringify({ heldBudget: HELD.budget, scope: HELD.scope }),
  })
  const meant = budgetError(driver)
  assert.ok(meant instanceof RowBudgetHeld)
  assert.equal(meant.cause, driver)
  const { code, message } = meant
  for (const error of [
    meant,
    new Error('Failed query', { cause: meant }),
    Object.assign(new Error(), { parent: driver }),
    Object.assign(new Error(`Invalid invocation:\n\n${message}`), { code }),
  ]) {
    const read = budgetError(error)
    assert.ok(read instanceof RowBudgetHeld)
    assert.deepEqual(
      [read.budget, read.scope, read.retryable, read.statusCode, read.headers['retry-after']],
      ['orders.delete', 'actor', true, 503, '1'],
    )
    const answer = budgetAnswer(error)
    assert.equal(answer?.status, 503)
    assert.equal(answer?.headers['retry-after'], '1')
    assert.equal(JSON.parse(answer?.body ?? '').type, 'urn:postern:refusal:budget-held')
  }
  const page = budgetAnswer(meant, { accept: 'text/html', acceptLanguage: 'de' })
  assert.match(page?.body ?? '', /Versuchen Sie es noch einmal/)
  for (const other of [{ code: '40001' }, { code: '40001', detail: '{}' }, { code: '40001', detail: 'x' }])
    assert.equal(budgetError(other), other)
})

test('a change that waits for its budget is tried again while others hold it, but not longer than it may wait', async () => {
  const clock = new VirtualClock(0)
  const wait = async (ms: number): Promise<void> => clock.advance(ms)
  let tries = 0
  const held = async (): Promise<string> => {
    tries++
    if (tries < 4) throw new RowBudgetHeld(HELD)
    return 'done'
  }
  assert.equal(await delayOverBudget(held, { clock, wait }), 'done')
  const always = async (): Promise<never> => {
    throw new RowBudgetHeld(HELD)
  }
  await assert.rejects(delayOverBudget(always, { clock, wait, atMost: '1s' }), RowBudgetHeld)
  assert.equal(clock.now(), 1_300)
})

for (const over of ['deny', 'delay', 'stepUp', 'approval'] as const)
  test(`the error of a budget with over: ${over} names an approval only where one lifts it, and is found again in its words`, () => {
    const error = new RowBudgetExceeded({
      budget: 'orders.delete',
      scope: 'actor',
      allowed: 3,
      asked: 40,
      retryAt: Date.UTC(2026, 0, 1),
      over,
    })
    assert.equal(/approval \(/.test(error.message), over === 'approval')
    const copied = Object.assign(new Error(error.message), { code: error.code })
    const found = budgetError(copied)
    assert.ok(found instanceof RowBudgetExceeded)
    const { budget, scope, allowed, asked, retryAt } = found
    assert.deepEqual(
      { budget, scope, allowed, asked, retryAt, over: found.over, message: found.message },
      {
        budget: 'orders.delete',
        scope: 'actor',
        allowed: 3,
        asked: 40,
        retryAt: error.retryAt,
        over,
        message: error.message,
      },
    )
  })

test('the hint of the database names an approval or a proof only where it lifts the budget', async t => {
  const tables = ['denied', 'delayed', 'proven', 'approved']
  const guardedTables = await guarded(
    t,
    tables
      .map(name => `CREATE TABLE ${name} AS SELECT 1 AS id; GRANT SELECT, DELETE ON ${name} TO APP;`)
      .join('\n'),
    {
      'denied.delete': rows(0, '1h'),
      'delayed.delete': rows(0, '1h', { over: 'delay' }),
      'proven.delete': rows(0, '1h', { over: 'stepUp' }),
      'approved.delete': rows(0, '1h', { over: 'approval' }),
    },
  )
  const own = guardPool(new pg.Pool({ connectionString: guardedTables.url, max: 1 }), {
    claim: claimSigner({ key: CLAIM_KEY }),
  })
  own.on('error', () => {})
  t.after(() => own.end())
  const hints = []
  for (const name of tables)
    hints.push(
      await actingAs(alice, () => own.query(`DELETE FROM ${name}`)).then(
        () => 'not refused',
        ({ cause }: { cause?: { hint?: string } }) => cause?.hint,
      ),
    )
  assert.deepEqual(hints, [
    'Wait until then, or change fewer rows.',
    'Wait until then, or change fewer rows.',
    'Wait until then, change fewer rows, or confirm that it is you.',
    'Wait until then, change fewer rows, or ask for an approval.',
  ])
})
