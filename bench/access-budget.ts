// Row budgets on PostgreSQL: what a guarded statement and transaction cost, with and without undo, against
// the same table unguarded, and against the parts that a count is made of, one by one: a trigger that does
// nothing, one that is handed the rows, one that reads the statistics of the transaction instead, one that
// raises a counter, and a round trip more. What is below those no count in the transaction can reach.
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
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
const KINDS = [
  'plain',
  'empty',
  'statistics',
  'rows',
  'counter',
  'counted',
  'claimed',
  'trip',
  'guarded',
  'undo',
] as const
/** What each floor adds to the plain table; see the triggers below. */
const FLOORS = [
  'empty',
  'statistics',
  'rows',
  'counter',
  'counted',
  'claimed',
  'trip',
] as const satisfies readonly (typeof KINDS)[number][]
type Kind = (typeof KINDS)[number]

const server = await startPostgres()
const database = connectPostgres({ url: server.url, statementTimeout: '60s' })
await database.query(`CREATE ROLE bench_app LOGIN PASSWORD 'app'`)
for (const kind of KINDS)
  await database.query(
    `CREATE TABLE ${kind}_rows (id int PRIMARY KEY, note text, n int DEFAULT 0); GRANT ALL ON ${kind}_rows TO bench_app`,
  )
await database.query(`
  CREATE TABLE bench_counter (id int PRIMARY KEY, n bigint NOT NULL) WITH (fillfactor = 50);
  INSERT INTO bench_counter VALUES (1, 0);
  CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
  CREATE FUNCTION read_statistics() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    PERFORM pg_stat_get_xact_tuples_deleted(TG_RELID) + pg_stat_get_xact_tuples_updated(TG_RELID); RETURN NULL; END $$;
  CREATE FUNCTION raise_counter() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN
    UPDATE bench_counter SET n = n + 1 WHERE id = 1; RETURN NULL; END $$;
  CREATE FUNCTION raise_by_rows() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN
    UPDATE bench_counter AS c SET n = c.n + s.n FROM (SELECT count(*) AS n FROM o) AS s WHERE c.id = 1; RETURN NULL; END $$;
  CREATE UNLOGGED TABLE bench_claims (nonce uuid PRIMARY KEY, xid xid8 NOT NULL);
  CREATE FUNCTION raise_once_claimed() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN
    UPDATE bench_counter AS c SET n = c.n + s.n FROM (SELECT count(*) AS n FROM o) AS s WHERE c.id = 1;
    INSERT INTO bench_claims SELECT gen_random_uuid(), pg_current_xact_id()
    WHERE sha256('\\x00'::bytea || sha256('\\x01'::bytea || convert_to(TG_NAME, 'UTF8'))) <> '\\x00'::bytea; RETURN NULL; END $$`)
const TRIGGERS: Readonly<Record<string, readonly [name: string, takes: 'rows' | 'nothing']>> = {
  empty: ['nothing', 'nothing'],
  statistics: ['read_statistics', 'nothing'],
  rows: ['nothing', 'rows'],
  counter: ['raise_counter', 'nothing'],
  counted: ['raise_by_rows', 'rows'],
  claimed: ['raise_once_claimed', 'rows'],
}
for (const [kind, [name, takes]] of Object.entries(TRIGGERS))
  for (const action of ['UPDATE', 'DELETE', 'INSERT'])
    await database.query(
      `CREATE TRIGGER ${action} AFTER ${action} ON ${kind}_rows ${takes === 'rows' ? `REFERENCING ${action === 'INSERT' ? 'NEW' : 'OLD'} TABLE AS o` : ''} FOR EACH STATEMENT EXECUTE FUNCTION ${name}()`,
    )
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
  return kind === 'guarded' || kind === 'undo' ? guardPool(pool, { claim: claimSigner({ key: KEY }) }) : pool
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

interface Times {
  readonly wall: Record<Kind, number>
  /** CPU time of the server process, as the kernel counts it; NaN where it does not say. */
  readonly cpu: Record<Kind, number>
}

/** Nanoseconds that a process has been on a CPU. */
function cpuOf(pid: number): number {
  try {
    return Number(readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ', 1)[0])
  } catch {
    return Number.NaN
  }
}

/** The same work on each table, on one connection of its own. */
async function compare(title: string, operations: number, settings: string, work: Work): Promise<Times> {
  const open = await Promise.all(
    KINDS.map(async kind => {
      const pool = poolFor(kind, 1, settings)
      const client = await pool.connect()
      const { rows: found } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')
      return { kind, pool, client, pid: found[0]?.pid ?? 0, cpu: [] as number[] }
    }),
  )
  const candidates = open.map(
    ({ kind, client, pid, cpu }): Candidate => ({
      name: kind,
      operations,
      prepare: () => refill(kind),
      run: () =>
        actingAs({ actor: 'user:bench' }, async () => {
          const before = cpuOf(pid)
          for (let i = 1; i <= operations; i++) {
            if (kind === 'trip') await client.query('SELECT')
            await work(client, kind, i)
          }
          cpu.push((cpuOf(pid) - before) / operations)
        }),
    }),
  )
  const timings = await interleave(candidates, ROUNDS)
  printTimings(title, timings)
  for (const { pool, client } of open) {
    client.release()
    await pool.end()
  }
  const cpu = Object.fromEntries(open.map(entry => [entry.kind, median(entry.cpu)])) as Record<Kind, number>
  console.log(
    `  CPU of the server, us: ${KINDS.map(kind => `${kind} ${Math.round(cpu[kind] / 1_000)}`).join(', ')}`,
  )
  return { wall: timesOf(timings), cpu }
}

function timesOf(
  timings: readonly { readonly name: string; readonly median: number }[],
): Record<Kind, number> {
  const time = (kind: Kind): number => timings.find(({ name }) => name === kind)?.median ?? Number.NaN
  return Object.fromEntries(KINDS.map(kind => [kind, time(kind)])) as Record<Kind, number>
}

const ratios: Record<string, number> = {}
const figures: Record<string, number> = {}
function note(name: string, { wall, cpu }: Partial<Times> & Pick<Times, 'wall'>): void {
  for (const [suffix, times] of Object.entries({ '': wall, _cpu: cpu })) {
    if (times === undefined) continue
    ratios[`${name}${suffix}`] = times.guarded / times.plain
    ratios[`${name}${suffix}_undo`] = times.undo / times.plain
    for (const floor of FLOORS) ratios[`${name}${suffix}_floor_${floor}`] = times[floor] / times.plain
  }
  for (const kind of KINDS) figures[`us.${name}.${kind}`] = Math.round(wall[kind] / 1_000)
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
const PARTS = ['', '_undo', ...FLOORS.map(floor => `_floor_${floor}`)]
for (const part of [...PARTS, ...PARTS.map(part => `_cpu${part}`)])
  ratios[`rows_10k${part}`] = Math.max(
    ratios[`update_10k${part}`] ?? Number.NaN,
    ratios[`delete_10k${part}`] ?? Number.NaN,
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
              for (let i = 0; i < perClient; i++) {
                if (kind === 'trip') await client.query('SELECT')
                await transaction(client, kind, 1 + lane * perClient + i)
              }
              client.release()
            }),
          )
        }),
    }),
  )
  const timings = await interleave(candidates, ROUNDS)
  printTimings('16 clients of one actor, BEGIN, 1-row UPDATE, COMMIT', timings)
  const times = timesOf(timings)
  note('contention_16', { wall: times })
  for (const kind of KINDS) figures[`per_second.contention_16.${kind}`] = Math.round(1e9 / times[kind])
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
    'A ratio is the guarded time over the plain time: 1.3 is 30 % slower. _undo keeps the old rows as well.',
    '_floor_ are parts of the method on their own: empty: a statement trigger that does nothing; statistics: one that reads pg_stat_get_xact_tuples_deleted and _updated; rows: one that is handed the rows (a transition table) and does nothing; counter: one that raises a counter row by one; counted: one that is handed the rows and raises a counter row by them, what any count in the transaction comes to; claimed: the same, and a signature verified and noted as used, what any count comes to that accepts no unsigned claim; trip: no trigger, one more round trip in front.',
    '_cpu is the CPU time of the server process alone, on Linux: without the wait for the disk and the network, and without what the client does, but hardly touched by what else the machine runs.',
    'PostgreSQL runs as installed, with fsync and synchronous_commit on, except where it says async_commit: there the wait for the disk is gone, and the work itself shows.',
    'The guarded client signs a claim for every transaction and sends it in the packet of its first statement.',
    'tpcb runs as the owner with unclaimed: count, for pgbench signs no claims: the database makes one for each of its four guarded statements.',
    'All clients of contention_16 change different rows; only the counter of their actor is shared.',
  ],
})
await database.close()
await server.stop()
process.exit(0)
