// Row budgets on PostgreSQL: what a guarded statement and transaction cost, with and without
// undo, against the same table unguarded, and against one whose trigger is handed the rows and does nothing:
// the least that any count in triggers costs.
import { spawnSync } from 'node:child_process'
import { actingAs, claimSigner, guardPool, installBudgets, rows, type SigningKey } from '@postern/access'
import { connectPostgres } from '@postern/store'
import pg from 'pg'
import { findBinary } from '../test/local-server.ts'
import { startPostgres } from '../test/services.ts'
import { type Candidate, interleave, isQuick, median, printTimings, report } from './support/harness.ts'

const ROUNDS = isQuick ? 3 : 7
const SINGLES = isQuick ? 100 : 200
const BULK = 10_000
const KEY: SigningKey = { id: 1, secret: new Uint8Array(32).fill(1) }
const PLENTY = 1e12
const KINDS = ['plain', 'floor', 'guarded', 'undo'] as const
type Kind = (typeof KINDS)[number]

const server = await startPostgres()
const database = connectPostgres({ url: server.url, statementTimeout: '60s' })
await database.query(`CREATE ROLE bench_app LOGIN PASSWORD 'app'`)
for (const kind of KINDS)
  await database.query(
    `CREATE TABLE ${kind}_rows (id int PRIMARY KEY, note text, n int DEFAULT 0); GRANT ALL ON ${kind}_rows TO bench_app`,
  )
await database.query(`
  CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
  CREATE TRIGGER u AFTER UPDATE ON floor_rows REFERENCING OLD TABLE AS o FOR EACH STATEMENT EXECUTE FUNCTION nothing();
  CREATE TRIGGER d AFTER DELETE ON floor_rows REFERENCING OLD TABLE AS o FOR EACH STATEMENT EXECUTE FUNCTION nothing();
  CREATE TRIGGER i AFTER INSERT ON floor_rows REFERENCING NEW TABLE AS o FOR EACH STATEMENT EXECUTE FUNCTION nothing()`)
const unlimited = (undo: boolean, tables: readonly string[]) =>
  rows(PLENTY, '1h', { undo, tables, actions: undo ? ['delete', 'update'] : ['delete', 'update', 'insert'] })
await installBudgets(database, {
  budgets: { guarded: unlimited(false, ['guarded_rows']), undo: unlimited(true, ['undo_rows']) },
  claimKeys: [KEY],
})
const url = new URL(server.url)
url.username = 'bench_app'
url.password = 'app'

function poolFor(kind: Kind, max: number, settings = ''): pg.Pool {
  const pool = new pg.Pool({ connectionString: url.href, max, ...(settings !== '' && { options: settings }) })
  pool.on('error', () => {})
  return kind === 'plain' || kind === 'floor' ? pool : guardPool(pool, { claim: claimSigner({ key: KEY }) })
}

async function refill(kind: Kind): Promise<void> {
  await database.query(
    `SET session_replication_role = replica; TRUNCATE ${kind}_rows;
     INSERT INTO ${kind}_rows SELECT g, 'some text of a row ' || g FROM generate_series(1, ${BULK}) g;
     TRUNCATE postern_budgets.journal; RESET session_replication_role; ANALYZE ${kind}_rows`,
    undefined,
    '60s',
  )
}

type Work = (client: pg.PoolClient, kind: Kind, i: number) => Promise<unknown>

/** The same work on the three tables, each on one connection of its own. */
async function compare(
  title: string,
  operations: number,
  settings: string,
  work: Work,
): Promise<Record<Kind, number>> {
  const open = await Promise.all(
    KINDS.map(async kind => {
      const pool = poolFor(kind, 1, settings)
      return { kind, pool, client: await pool.connect() }
    }),
  )
  const candidates = open.map(
    ({ kind, client }): Candidate => ({
      name: kind,
      operations,
      prepare: () => refill(kind),
      run: () =>
        actingAs({ actor: 'user:bench' }, async () => {
          for (let i = 1; i <= operations; i++) await work(client, kind, i)
        }),
    }),
  )
  const timings = await interleave(candidates, ROUNDS)
  printTimings(title, timings)
  for (const { pool, client } of open) {
    client.release()
    await pool.end()
  }
  const time = (kind: Kind): number => timings.find(({ name }) => name === kind)?.median ?? Number.NaN
  return { plain: time('plain'), floor: time('floor'), guarded: time('guarded'), undo: time('undo') }
}

const ratios: Record<string, number> = {}
const figures: Record<string, number> = {}
function note(name: string, times: Record<Kind, number>): void {
  ratios[name] = times.guarded / times.plain
  ratios[`${name}_undo`] = times.undo / times.plain
  ratios[`${name}_floor`] = times.floor / times.plain
  for (const kind of KINDS) figures[`us.${name}.${kind}`] = Math.round(times[kind] / 1_000)
}

const transaction: Work = async (client, kind, i) => {
  await client.query('BEGIN')
  await client.query(`UPDATE ${kind}_rows SET n = n + 1 WHERE id = $1`, [i])
  await client.query('COMMIT')
}
note('client_transaction', await compare('BEGIN, 1-row UPDATE, COMMIT', SINGLES, '', transaction))
note(
  'client_transaction_async_commit',
  await compare('the same with synchronous_commit = off', SINGLES, '-c synchronous_commit=off', transaction),
)
note(
  'update_1',
  await compare('1-row UPDATE', SINGLES, '', (c, kind, i) =>
    c.query(`UPDATE ${kind}_rows SET n = n + 1 WHERE id = $1`, [i]),
  ),
)
note(
  'delete_1',
  await compare('1-row DELETE', SINGLES, '', (c, kind, i) =>
    c.query(`DELETE FROM ${kind}_rows WHERE id = $1`, [i]),
  ),
)
note(
  'insert_1',
  await compare('1-row INSERT', SINGLES, '', (c, kind, i) =>
    c.query(`INSERT INTO ${kind}_rows VALUES ($1, $2)`, [i + BULK, 'x']),
  ),
)
const update10k = await compare('UPDATE of 10,000 rows', 1, '', (c, kind) =>
  c.query(`UPDATE ${kind}_rows SET n = n + 1`),
)
const delete10k = await compare('DELETE of 10,000 rows', 1, '', (c, kind) =>
  c.query(`DELETE FROM ${kind}_rows`),
)
note('update_10k', update10k)
note('delete_10k', delete10k)
ratios['rows_10k'] = Math.max(ratios['update_10k'] ?? Number.NaN, ratios['delete_10k'] ?? Number.NaN)
ratios['rows_10k_floor'] = Math.max(
  ratios['update_10k_floor'] ?? Number.NaN,
  ratios['delete_10k_floor'] ?? Number.NaN,
)
ratios['rows_10k_undo'] = Math.max(
  ratios['update_10k_undo'] ?? Number.NaN,
  ratios['delete_10k_undo'] ?? Number.NaN,
)

/** Sixteen clients, one actor, different rows. */
async function contention(): Promise<void> {
  const pools = KINDS.map(kind => ({ kind, pool: poolFor(kind, 16) }))
  const perClient = isQuick ? 20 : 100
  const candidates = pools.map(
    ({ kind, pool }): Candidate => ({
      name: kind,
      operations: 16 * perClient,
      prepare: () => refill(kind),
      run: () =>
        actingAs({ actor: 'user:bench' }, async () => {
          await Promise.all(
            Array.from({ length: 16 }, async (_, lane) => {
              const client = await pool.connect()
              for (let i = 0; i < perClient; i++) await transaction(client, kind, 1 + lane * perClient + i)
              client.release()
            }),
          )
        }),
    }),
  )
  const timings = await interleave(candidates, ROUNDS)
  printTimings('16 clients of one actor, BEGIN, 1-row UPDATE, COMMIT', timings)
  const time = (kind: Kind): number => timings.find(({ name }) => name === kind)?.median ?? Number.NaN
  note('contention_16', {
    plain: time('plain'),
    floor: time('floor'),
    guarded: time('guarded'),
    undo: time('undo'),
  })
  for (const kind of KINDS) figures[`per_second.contention_16.${kind}`] = Math.round(1e9 / time(kind))
  for (const { pool } of pools) await pool.end()
}
await contention()

/**
 * pgbench's own TPC-B script. It signs no claims: the database counts for the role,
 * and makes the claim itself.
 */
async function tpcb(): Promise<void> {
  const pgbench = findBinary('pgbench')
  if (pgbench === undefined)
    throw new Error('pgbench is not installed; it comes with PostgreSQL (postgresql-contrib)')
  const run = (name: string, ...args: string[]): string => {
    const done = spawnSync(pgbench, ['-n', ...args, name], {
      encoding: 'utf8',
      env: {
        ...process.env,
        PGHOST: url.hostname,
        PGPORT: url.port,
        PGUSER: 'postgres',
        PGPASSWORD: new URL(server.url).password,
      },
    })
    if (done.status !== 0) throw new Error(done.stderr)
    return done.stdout
  }
  for (const name of ['bench_plain', 'bench_guarded']) {
    await database.query(`CREATE DATABASE ${name}`)
    run(name, '-i', '-q', '-s', '10')
  }
  const guarded = new URL(server.url)
  guarded.pathname = '/bench_guarded'
  const own = connectPostgres({ url: guarded.href })
  await installBudgets(own, {
    budgets: {
      '*.update': rows(PLENTY, '1h', { undo: false }),
      '*.delete': rows(PLENTY, '1h', { undo: false }),
    },
    claimKeys: [KEY],
    unclaimed: 'count',
  })
  await own.close()
  const seen: Record<string, number[]> = { bench_plain: [], bench_guarded: [] }
  for (let round = 0; round < (isQuick ? 1 : 3); round++) {
    for (const name of round % 2 === 0
      ? ['bench_plain', 'bench_guarded']
      : ['bench_guarded', 'bench_plain']) {
      const output = run(name, '-c', '8', '-j', '1', '-T', isQuick ? '3' : '8')
      seen[name]?.push(Number(/tps = ([\d.]+)/.exec(output)?.[1]))
    }
  }
  const [plain, with_] = [median(seen['bench_plain'] ?? []), median(seen['bench_guarded'] ?? [])]
  ratios['tpcb'] = plain / with_
  figures['per_second.tpcb.plain'] = Math.round(plain)
  figures['per_second.tpcb.guarded'] = Math.round(with_)
}
await tpcb()

report({
  bench: 'access-budget',
  ratios,
  figures,
  unequal: [
    'A ratio is the guarded time over the plain time: 1.3 is 30 % slower. _undo keeps the old rows as well; _floor has a trigger for each statement that is handed the rows and does nothing.',
    'PostgreSQL runs as installed, with fsync and synchronous_commit on, except where it says async_commit: there the wait for the disk is gone, and the work itself shows.',
    'The guarded client signs a claim for every transaction and sends it in the packet of its first statement.',
    'tpcb runs as the owner with unclaimed: count, for pgbench signs no claims: the database makes one for each of its four guarded statements.',
    'All clients of contention_16 change different rows; only the counter of their actor is shared.',
  ],
})
await database.close()
await server.stop()
process.exit(0)
