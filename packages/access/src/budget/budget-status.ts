import type { PostgresDatabase, SqlClient } from '@postern/store'
import { SAFE_PATH } from './safe-path.ts'

/** One budget as it is installed, with what is counted against it. */
export interface InstalledLimit {
  readonly budget: string
  readonly scope: 'actor' | 'tenant' | 'table' | 'global'
  readonly rows: number
  /** Milliseconds. */
  readonly window: number
  readonly over: string
  /** Refusals since it was installed, those included whose error the caller swallowed. */
  readonly refused: number
  /** The most that any one key has used of it in the current window. */
  readonly mostUsed: number
}

/** A table that budgets are about. */
export interface GuardedTable {
  readonly table: string
  /** Actions that are counted: `delete`, `update`, `insert`, `truncate`. */
  readonly guarded: readonly string[]
  /** Actions that a budget names and no enabled trigger counts: install again. */
  readonly unguarded: readonly string[]
}

/** Someone or something that could change rows without being counted. */
export interface WayRound {
  readonly what: string
  readonly why: string
  readonly hint: string
}

/** What is installed in a database, and what could get around it. */
export interface BudgetStatus {
  readonly isInstalled: boolean
  readonly limits: readonly InstalledLimit[]
  readonly tables: readonly GuardedTable[]
  /** Whether tables and partitions that are made later are guarded as they are made. */
  readonly followsNewTables: boolean
  /** Changes refused because of their claim, since it was installed. */
  readonly refusedClaims: number
  readonly waysRound: readonly WayRound[]
}

const NOTHING: BudgetStatus = {
  isInstalled: false,
  limits: [],
  tables: [],
  followsNewTables: false,
  refusedClaims: 0,
  waysRound: [],
}

/**
 * What is installed, and which roles and settings could get around it. Ask as the one who installed it.
 * @throws StoreError when the database does not answer, or does not let this role look
 */
export async function budgetStatus(database: PostgresDatabase): Promise<BudgetStatus> {
  const { rows: schemas } = await database.query<{ there: boolean }>(
    `SELECT to_regnamespace('postern_budgets') IS NOT NULL AS there`,
  )
  if (schemas[0]?.there !== true) return NOTHING
  const tables = await database.query<TableRow>(TABLES)
  return database.transaction(async client => {
    await client.query(SAFE_PATH)
    return statusOf(client, tables.rows)
  })
}

interface TableRow {
  readonly table: string
  readonly actions: readonly string[]
  readonly triggers: readonly string[]
}

async function statusOf(database: SqlClient, tables: readonly TableRow[]): Promise<BudgetStatus> {
  const limits = await database.query<Omit<InstalledLimit, 'refused'> & { refusals: string }>(LIMITS)
  const refused = new Map<string, number>()
  for (const { refusals } of limits.rows) {
    const { rows } = await database.query<{ n: number }>(
      `SELECT CASE WHEN is_called THEN last_value ELSE 0 END::float8 AS n FROM ${refusals}`,
    )
    refused.set(refusals, rows[0]?.n ?? 0)
  }
  const facts = await database.query<{ follows: boolean; claims: number }>(FACTS)
  const ways = await database.query<WayRound>(WAYS_ROUND)
  return {
    isInstalled: true,
    limits: limits.rows.map(({ refusals, ...limit }) => ({ ...limit, refused: refused.get(refusals) ?? 0 })),
    tables: tables.map(({ table, actions, triggers }) => {
      const wanted = actions.includes('delete') ? [...actions, 'truncate'] : actions
      return { table, guarded: triggers, unguarded: wanted.filter(action => !triggers.includes(action)) }
    }),
    followsNewTables: facts.rows[0]?.follows ?? false,
    refusedClaims: facts.rows[0]?.claims ?? 0,
    waysRound: ways.rows,
  }
}

const LIMITS = `
  SELECT l.budget, l.scope, l.rows::float8 AS rows, (l.step * 8)::float8 AS window, l.over, l.refusals::text AS refusals,
    coalesce((SELECT max(u.used) FROM postern_budgets.usage() AS u WHERE u.limit_id = l.id), 0)::float8 AS "mostUsed"
  FROM postern_budgets.limits AS l ORDER BY l.budget, l.scope`

const TABLES = `SELECT relation::text AS table, actions, triggers FROM postern_budgets.tables()`

const FACTS = `
  SELECT EXISTS (SELECT FROM pg_event_trigger WHERE evtname = 'postern_budgets_follow' AND evtenabled IN ('O', 'A')) AS follows,
    (SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM postern_budgets.refused_claims)::float8 AS claims`

/** A table as it is shown, whatever the search path. */
const named = (table: string): string =>
  `(SELECT concat(quote_ident(nullif(n.nspname, 'public')) || '.', quote_ident(${table}.relname)) FROM pg_namespace AS n WHERE n.oid = ${table}.relnamespace)`

/**
 * Roles that can log in, or that one who can log in is a member of, and what lets them change rows uncounted.
 * Server versions before 15 have no rights on parameters.
 */
const WAYS_ROUND = `
  WITH guarded AS (SELECT c.oid, c.relname, c.relnamespace, c.relowner, ${named('c')} AS name FROM postern_budgets.tables() AS x JOIN pg_class AS c ON c.oid = x.relation),
  logins AS (SELECT oid, rolname FROM pg_roles WHERE rolcanlogin),
  reach AS (SELECT l.rolname AS login, r.* FROM logins AS l JOIN pg_roles AS r ON pg_has_role(l.oid, r.oid, 'MEMBER') WHERE NOT EXISTS (
    SELECT FROM pg_roles AS s WHERE s.oid = l.oid AND s.rolsuper AND s.oid <> r.oid)),
  inner_objects AS (
    SELECT oid, relkind::text AS kind, relname::text AS name FROM pg_class WHERE relnamespace = 'postern_budgets'::regnamespace AND relkind IN ('r', 'S')
    UNION ALL SELECT oid, 'n', 'the schema' FROM pg_namespace WHERE nspname = 'postern_budgets'
    UNION ALL SELECT oid, 'f', proname::text FROM pg_proc WHERE pronamespace = 'postern_budgets'::regnamespace AND proname NOT IN ('pending', 'record_attempt')),
  exempt AS (SELECT unnest(exempt) AS rolname FROM postern_budgets.settings)
  SELECT 'role ' || login AS what,
    CASE WHEN rolname = login THEN 'is a superuser' ELSE 'may become the superuser ' || rolname END AS why,
    'let the application log in with a role of its own' AS hint
  FROM reach WHERE rolsuper
  UNION ALL
  SELECT 'role ' || r.login, CASE WHEN r.rolname = r.login THEN 'owns ' ELSE 'may become ' || r.rolname || ', the owner of ' END || string_agg(g.name, ', ' ORDER BY g.name),
    'an owner can disable triggers; let the application log in with a role that owns nothing'
  FROM reach AS r JOIN guarded AS g ON g.relowner = r.oid WHERE NOT r.rolsuper GROUP BY r.login, r.rolname
  UNION ALL
  SELECT 'role ' || r.login, CASE WHEN r.rolname = r.login THEN 'owns' ELSE 'may become ' || r.rolname || ', which owns' END || ' the schema postern_budgets',
    'install budgets with a role that the application cannot become'
  FROM reach AS r JOIN pg_namespace AS n ON n.nspname = 'postern_budgets' AND n.nspowner = r.oid WHERE NOT r.rolsuper
  UNION ALL
  SELECT 'role ' || login, CASE WHEN rolname = login THEN 'has' ELSE 'may become ' || rolname || ', which has' END || ' BYPASSRLS',
    'it does not get around budgets, but round row-level security: ALTER ROLE ' || quote_ident(rolname) || ' NOBYPASSRLS'
  FROM reach WHERE rolbypassrls AND NOT rolsuper
  UNION ALL
  SELECT 'role ' || login, CASE WHEN rolname = login THEN 'has' ELSE 'may become ' || rolname || ', which has' END || ' REPLICATION',
    'it can read all data, including keys, by a base backup'
  FROM reach WHERE rolreplication AND NOT rolsuper
  UNION ALL
  SELECT 'role ' || login, CASE WHEN rolname = login THEN 'has' ELSE 'may become ' || rolname || ', which has' END || ' CREATEROLE',
    'before PostgreSQL 16 it can make itself a member of any role that is not a superuser'
  FROM reach WHERE rolcreaterole AND NOT rolsuper
  UNION ALL
  SELECT 'role ' || login, 'is a member of ' || rolname, 'it can run programs or change files on the server, or change rows outside of transactions of its own'
  FROM reach WHERE rolname IN ('pg_execute_server_program', 'pg_write_server_files', 'pg_read_server_files', 'pg_create_subscription', 'pg_maintain')
  UNION ALL
  SELECT 'role ' || login, CASE rolname WHEN 'pg_read_all_data' THEN 'may read all tables (pg_read_all_data), the journal and the keys included'
    ELSE 'may change all tables (pg_write_all_data), the limits, the counts and the keys included' END, 'revoke it from the application''s role'
  FROM reach WHERE rolname IN ('pg_read_all_data', 'pg_write_all_data') AND login <> rolname
  UNION ALL
  SELECT 'role ' || r.login, CASE WHEN r.rolname = r.login THEN 'has' ELSE 'may become ' || r.rolname || ', which has' END || ' rights on postern_budgets: ' || string_agg(o.name, ', ' ORDER BY o.name),
    'with them it can sign claims or change counts: run postern budgets install, which revokes them, after any GRANT ... ON ALL TABLES'
  FROM reach AS r JOIN inner_objects AS o ON CASE o.kind
      WHEN 'f' THEN has_function_privilege(r.oid, o.oid, 'EXECUTE')
      WHEN 'n' THEN has_schema_privilege(r.oid, o.oid, 'CREATE')
      WHEN 'S' THEN has_sequence_privilege(r.oid, o.oid, 'USAGE, UPDATE')
      ELSE has_table_privilege(r.oid, o.oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE, TRIGGER') OR has_any_column_privilege(r.oid, o.oid, 'SELECT, INSERT, UPDATE') END
  WHERE NOT r.rolsuper AND r.rolname NOT IN ('pg_read_all_data', 'pg_write_all_data')
    AND NOT EXISTS (SELECT FROM pg_namespace AS n WHERE n.nspname = 'postern_budgets' AND pg_has_role(r.oid, n.nspowner, 'MEMBER'))
    AND NOT EXISTS (SELECT FROM pg_roles AS d WHERE d.rolname IN ('pg_read_all_data', 'pg_write_all_data') AND pg_has_role(r.oid, d.oid, 'MEMBER'))
  GROUP BY r.login, r.rolname
  UNION ALL
  SELECT 'role ' || r.login, 'may set session_replication_role', 'triggers do not fire under "replica": REVOKE SET ON PARAMETER session_replication_role FROM ' || quote_ident(r.rolname)
  FROM reach AS r WHERE NOT r.rolsuper AND r.rolname = r.login AND has_parameter_privilege(r.oid, 'session_replication_role', 'SET')
  UNION ALL
  SELECT 'role ' || r.login, 'may make triggers on ' || string_agg(g.name, ', ' ORDER BY g.name), 'a trigger can turn deletions into edits: REVOKE TRIGGER from it'
  FROM reach AS r JOIN guarded AS g ON has_table_privilege(r.oid, g.oid, 'TRIGGER') WHERE NOT r.rolsuper AND r.rolname = r.login AND g.relowner <> r.oid
    AND NOT pg_has_role(r.oid, g.relowner, 'MEMBER') GROUP BY r.login
  UNION ALL
  SELECT 'role ' || r.login, 'may change the foreign tables ' || string_agg(${named('f')}, ', ' ORDER BY ${named('f')}),
    'no trigger sees the rows of a statement on them: revoke DELETE, UPDATE and TRUNCATE, and have budgets where the rows are'
  FROM reach AS r JOIN pg_class AS f ON f.relkind = 'f' AND has_table_privilege(r.oid, f.oid, 'DELETE, UPDATE, TRUNCATE') WHERE NOT r.rolsuper AND r.rolname = r.login
    AND EXISTS (SELECT FROM postern_budgets.rules AS u, pg_class AS t JOIN pg_namespace AS n ON n.oid = t.relnamespace WHERE t.oid = postern_budgets.root_of(f.oid)
      AND u.relation IN (t.relname, '') AND (u.schema = n.nspname OR (u.schema = '' AND n.nspname = ANY ((SELECT schemas FROM postern_budgets.settings)::name[]))))
  GROUP BY r.login
  UNION ALL
  SELECT DISTINCT 'role ' || login, CASE WHEN rolname = login THEN 'owns' ELSE 'may become ' || rolname || ', which owns' END || ' large objects',
    'they are deleted and overwritten uncounted: keep such values in columns of type bytea'
  FROM reach AS r WHERE NOT rolsuper AND EXISTS (SELECT FROM pg_largeobject_metadata AS o WHERE o.lomowner = r.oid)
  UNION ALL
  SELECT 'role ' || rolname, 'is exempt', 'it changes rows uncounted; keep its password out of the application' FROM exempt
  UNION ALL
  SELECT 'table ' || g.name, 'has classic inheritance children', 'columns that only a child has are not in the journal of statements on the parent'
  FROM guarded AS g WHERE EXISTS (SELECT FROM pg_inherits AS i JOIN pg_class AS c ON c.oid = i.inhrelid WHERE i.inhparent = g.oid AND NOT c.relispartition)
  UNION ALL
  SELECT 'tables made later', 'are not guarded until budgets are installed again', 'install as a superuser, or run it after every migration'
  WHERE NOT EXISTS (SELECT FROM pg_event_trigger WHERE evtname = 'postern_budgets_follow' AND evtenabled IN ('O', 'A'))
  ORDER BY 1, 2`
