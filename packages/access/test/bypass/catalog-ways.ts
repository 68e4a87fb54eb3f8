import type { Target, Way } from './target.ts'

const DENIED = ['42501']

/** A way that is refused because a right is missing, and then a wipe that must fail as well. */
function denied(name: string, statements: readonly string[], stoppedBy = DENIED): Way {
  return {
    name,
    stoppedBy,
    allowed: 0,
    run: async target => {
      await target.run(await target.app(), ...statements)
      await target.transaction(['DELETE FROM orders'])
    },
  }
}

/** A way that is allowed, and then a wipe that must fail all the same. */
function vain(name: string, statements: readonly string[], wipe = 'DELETE FROM public.orders'): Way {
  return {
    name,
    stoppedBy: ['PB001'],
    allowed: 0,
    run: target => target.transaction([...statements, wipe]),
  }
}

/** Loopback connections from inside the database, where the server has the extension. */
function loopback(name: string, extension: string, run: (target: Target, url: URL) => Promise<void>): Way {
  return {
    name,
    // Where the server does not ship the extension, the application's role cannot bring it either.
    stoppedBy: ['PB002', '42501', '0A000', '58P01'],
    allowed: 0,
    run: async target => {
      const there = await target.place.owner
        .query(`CREATE EXTENSION IF NOT EXISTS ${extension}`)
        .then(() => true)
        .catch(() => false)
      if (there) await run(target, new URL(target.place.url))
      else await target.run(await target.app(), `CREATE EXTENSION ${extension}`)
    },
  }
}

/** Rights, names, settings and other servers: everything around the count. */
export const CATALOG_WAYS: readonly Way[] = [
  denied('disabling the triggers', [
    'ALTER TABLE orders DISABLE TRIGGER ALL',
    'ALTER TABLE orders DISABLE TRIGGER USER',
  ]),
  denied('dropping a trigger', ['DROP TRIGGER postern_budget_delete ON orders']),
  denied('renaming a trigger', ['ALTER TRIGGER postern_budget_delete ON orders RENAME TO x']),
  denied('replacing the trigger with its own of that name', [
    'CREATE FUNCTION own.nothing() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$',
    'CREATE OR REPLACE TRIGGER postern_budget_delete AFTER DELETE ON orders FOR EACH STATEMENT EXECUTE FUNCTION own.nothing()',
  ]),
  denied('replacing the function', [
    'CREATE OR REPLACE FUNCTION postern_budgets.count_old() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$',
  ]),
  denied('altering the function', ['ALTER FUNCTION postern_budgets.count_old() SECURITY INVOKER']),
  denied('a BEFORE trigger that hides the rows', [
    'CREATE FUNCTION own.hide() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$',
    'CREATE TRIGGER a BEFORE DELETE ON orders FOR EACH ROW EXECUTE FUNCTION own.hide()',
  ]),
  denied('a rule on the table', [
    'CREATE RULE r AS ON DELETE TO orders DO INSTEAD UPDATE orders SET note = NULL',
  ]),
  denied('session_replication_role', ['SET session_replication_role = replica']),
  denied('session_replication_role by set_config', [
    "SELECT set_config('session_replication_role', 'replica', false)",
  ]),
  denied('session_replication_role as a setting of the role', [
    'ALTER ROLE CURRENT_USER SET session_replication_role = replica',
  ]),
  denied('SET ROLE to the owner', ['SET ROLE postgres']),
  denied('SET SESSION AUTHORIZATION', ['SET SESSION AUTHORIZATION postgres']),
  denied('granting itself the owner', ['GRANT postgres TO CURRENT_USER']),
  denied('raising the limit', ['UPDATE postern_budgets.limits SET rows = 1000000']),
  denied('removing the rules', ['DELETE FROM postern_budgets.rules']),
  denied('resetting the counter', [
    'DELETE FROM postern_budgets.counters',
    'TRUNCATE postern_budgets.counters',
  ]),
  denied('writing a negative count', [
    "INSERT INTO postern_budgets.counters VALUES (1, '616c696365', 0, 0, -1000, 0, '{}', 1000, '', '1', false)",
  ]),
  denied('making its claim unused', [
    'DELETE FROM postern_budgets.claims',
    'TRUNCATE postern_budgets.claims',
  ]),
  denied('a trigger on the table of counters', [
    'CREATE TRIGGER t BEFORE UPDATE ON postern_budgets.counters FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()',
  ]),
  denied('a foreign key into our tables, to lock their rows', [
    'CREATE TABLE own.t (n int REFERENCES postern_budgets.limits)',
  ]),
  denied('reading the keys', ['SELECT * FROM postern_budgets.keys', 'TABLE postern_budgets.keys']),
  denied('reading the keys through statistics and locks', [
    'ANALYZE postern_budgets.keys',
    'LOCK TABLE postern_budgets.keys',
    'SELECT * FROM postern_budgets.keys',
  ]),
  denied('reading the journal', ['SELECT * FROM postern_budgets.journal']),
  denied('making itself exempt', ['UPDATE postern_budgets.settings SET exempt = ARRAY[current_user]']),
  denied('signing a claim of its own by the database', ['SELECT postern_budgets.unclaimed()']),
  denied('calling what the triggers call', [
    "SELECT postern_budgets.charge('{}', '', -1000)",
    'SELECT postern_budgets.spend(NULL, NULL, NULL, -1000)',
    "SELECT postern_budgets.stretch(1, '', 0::smallint, -1000, '', false)",
    "SELECT postern_budgets.take_spare(NULL, '', 0::smallint, 0, 0, true)",
    "SELECT postern_budgets.share_anew(NULL, '')",
    'SELECT postern_budgets.tidy()',
  ]),
  denied('redeeming a grant of its own making', [
    'SELECT postern_budgets.redeem(NULL, NULL, NULL, NULL, NULL)',
  ]),
  denied('the function that protects tables', [
    "SELECT postern_budgets.protect('orders')",
    "SELECT postern_budgets.apply('{}', '{}')",
  ]),
  denied('the function that sets limits', [
    "SELECT postern_budgets.set_limit('*.delete', 'actor', 1000000, 1000, 'deny')",
  ]),
  denied('a trigger of its own that runs the count with another slot', [
    'CREATE TABLE own.t (id int)',
    "CREATE TRIGGER t AFTER DELETE ON own.t REFERENCING OLD TABLE AS postern_old FOR EACH STATEMENT EXECUTE FUNCTION postern_budgets.count_old('1')",
  ]),
  denied('winding back the counter of refusals', [
    "SELECT setval('postern_budgets.refused_1', 1)",
    "SELECT nextval('postern_budgets.refused_1')",
  ]),
  denied('dropping the schema', ['DROP SCHEMA postern_budgets CASCADE']),
  denied('objects of its own in the schema', [
    'CREATE TABLE postern_budgets.x (id int)',
    'CREATE FUNCTION postern_budgets.used(text) RETURNS int LANGUAGE sql AS $$ SELECT 1 $$',
  ]),
  denied('dropping the event trigger', [
    'DROP EVENT TRIGGER postern_budgets_follow',
    'ALTER EVENT TRIGGER postern_budgets_follow DISABLE',
  ]),
  denied('an event trigger of its own', [
    'CREATE FUNCTION own.e() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN END $$',
    'CREATE EVENT TRIGGER e ON ddl_command_start EXECUTE FUNCTION own.e()',
  ]),
  denied('dropping the table', ['DROP TABLE orders', 'ALTER TABLE orders RENAME TO gone']),
  denied('dropping a column', [
    'ALTER TABLE orders DROP COLUMN note',
    'ALTER TABLE orders ALTER COLUMN note TYPE int USING 0',
  ]),
  denied('detaching or dropping a partition', [
    'ALTER TABLE events DETACH PARTITION events_1',
    'DROP TABLE events_1',
  ]),
  denied('rewriting the files of the server', [
    "SELECT pg_read_file('PG_VERSION')",
    "SELECT lo_export(1, 'x')",
    "COPY orders TO '/tmp/x'",
    "COPY imports FROM PROGRAM 'seq 200'",
  ]),
  denied('logical replication into the table', [
    "CREATE SUBSCRIPTION s CONNECTION 'dbname=x' PUBLICATION p WITH (connect = false)",
  ]),
  denied(
    'a replication slot',
    ["SELECT pg_create_logical_replication_slot('s', 'pgoutput')"],
    ['42501', '55000'],
  ),
  denied(
    'setting how functions are planned and checked',
    ['SET check_function_bodies = off', 'SET plan_cache_mode = force_custom_plan', "LOAD 'x'"],
    ['42501', '58P01'],
  ),
  denied(
    'an untrusted language',
    ["CREATE FUNCTION own.c() RETURNS int LANGUAGE c AS 'x', 'y'", "DO LANGUAGE internal 'x'"],
    ['42501', '58P01'],
  ),
  vain('temporary tables named like ours', [
    'CREATE TEMP TABLE postern_old (id int)',
    'CREATE TEMP TABLE transactions (nonce text)',
    'CREATE TEMP TABLE counters (limit_id int)',
    'CREATE TEMP TABLE keys (kind text)',
    'CREATE TEMP TABLE pg_class (oid oid)',
  ]),
  vain('a temporary table named like the target', [
    'CREATE TEMP TABLE orders (id int)',
    'SET LOCAL search_path = pg_temp, public',
  ]),
  vain('functions and operators of its own, first in the search path', [
    'CREATE FUNCTION own.current_setting(text, boolean) RETURNS text LANGUAGE sql AS $$ SELECT NULL::text $$',
    'CREATE FUNCTION own.sha256(bytea) RETURNS bytea LANGUAGE sql AS $$ SELECT $1 $$',
    'CREATE FUNCTION own.count_zero(bigint) RETURNS bigint LANGUAGE sql AS $$ SELECT 0::bigint $$',
    'CREATE AGGREGATE own.count(*) (sfunc = own.count_zero, stype = bigint, initcond = 0)',
    'CREATE FUNCTION own.never(bigint, bigint) RETURNS boolean LANGUAGE sql AS $$ SELECT false $$',
    'CREATE OPERATOR own.> (leftarg = bigint, rightarg = bigint, function = own.never)',
    'CREATE OPERATOR own.>= (leftarg = bigint, rightarg = bigint, function = own.never)',
    'SET LOCAL search_path = own, pg_catalog, public',
  ]),
  vain('types and casts of its own, first in the search path', [
    'CREATE DOMAIN own.int8 AS smallint',
    'CREATE TYPE own.text AS (a int)',
    'SET LOCAL search_path = own, pg_temp, pg_catalog, public',
  ]),
  vain('a schema of its own named like the user', [
    'SET LOCAL search_path = "$user", own, public',
    'CREATE VIEW own.limits AS SELECT 1 AS id',
  ]),
  vain('row_security switched off', ['SET LOCAL row_security = off']),
  vain('settings of output, to confuse what is kept', [
    "SET LOCAL datestyle = 'SQL, DMY'",
    'SET LOCAL extra_float_digits = -15',
    "SET LOCAL intervalstyle = 'iso_8601'",
    'SET LOCAL standard_conforming_strings = off',
  ]),
  vain('work_mem of 64 kB and no sequential scans', [
    "SET LOCAL work_mem = '64kB'",
    'SET LOCAL enable_seqscan = off',
    'SET LOCAL enable_indexscan = off',
  ]),
  vain('client_min_messages and error verbosity', [
    'SET LOCAL client_min_messages = error',
    'SET LOCAL exit_on_error = off',
  ]),
  loopback('dblink back into the database', 'dblink', async (target, url) => {
    const session = await target.app()
    const connection = `host=${url.hostname} port=${url.port} dbname=${url.pathname.slice(1)} user=${url.username} password=${url.password}`
    await target.begin(session)
    await target.run(session, `SELECT dblink_exec('${connection}', 'DELETE FROM orders')`, 'COMMIT')
  }),
  loopback('postgres_fdw back into the database', 'postgres_fdw', async (target, url) => {
    const { owner, role } = target.place
    await owner.query(`GRANT USAGE ON FOREIGN DATA WRAPPER postgres_fdw TO ${role}`)
    const session = await target.app()
    await target.run(
      session,
      `CREATE SERVER me FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '${url.hostname}', port '${url.port}', dbname '${url.pathname.slice(1)}')`,
      `CREATE USER MAPPING FOR CURRENT_USER SERVER me OPTIONS (user '${url.username}', password '${url.password}')`,
      "CREATE FOREIGN TABLE own.far (id int, customer int, note text) SERVER me OPTIONS (schema_name 'public', table_name 'orders')",
    )
    await target.transaction(['DELETE FROM own.far'])
  }),
]
