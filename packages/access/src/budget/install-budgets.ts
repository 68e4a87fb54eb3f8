import { ConfigError } from '@postern/core'
import type { PostgresDatabase, SqlClient } from '@postern/store'
import { type Budgets, changesOf, compileBudgets } from './budget.ts'
import {
  BUDGETS_SCHEMA_SQL,
  FOLLOW_SQL,
  OWNER_ONLY_SQL,
  REMOVE_SQL,
  UPGRADE_FROM_1_SQL,
  UPGRADE_FROM_2_SQL,
} from './budgets.sql.ts'
import { SAFE_PATH } from './safe-path.ts'
import { checkSigningKey, hmacPads, type SigningKey } from './signed-token.ts'

/** What is installed, and how it behaves. */
export interface InstallOptions {
  readonly budgets: Budgets
  /** Keys that claims may be signed with: the application's. The first is the current one. */
  readonly claimKeys: readonly SigningKey[]
  /** Keys that grants may be signed with: those of the approving side. None: no approvals. */
  readonly grantKeys?: readonly SigningKey[]
  /** Schemas that names without a schema stand for. Default `['public']`. */
  readonly schemas?: readonly string[]
  /** A change without a claim is refused, or counted for the role that logged in. Default `refuse`. */
  readonly unclaimed?: 'refuse' | 'count'
  /**
   * Roles that log in under these names are not counted when they bring no claim:
   * migrations, maintenance. Default none.
   */
  readonly exempt?: readonly string[]
}

/** One statement that installing budgets runs. */
export interface PlannedStatement {
  readonly text: string
  readonly values: readonly unknown[]
  /** As it is shown: with the values in it, but no key. */
  readonly shown: string
}

/** What installing would run, in order, in one transaction. */
export interface InstallPlan {
  readonly statements: readonly PlannedStatement[]
  /** All of it as one SQL script for psql, which takes the keys as variables. */
  readonly sql: string
}

const LONG = '10m'
const LOCK = 'SELECT pg_advisory_xact_lock(5783298)'
/**
 * Nobody is changing rows of a guarded table while limits are: what a transaction has counted and not
 * committed cannot be seen, and would keep its share of the old limit. Locked as dropping a trigger locks.
 */
const WAIT_FOR_WRITERS = `
DO $$
DECLARE o record;
BEGIN
  FOR o IN SELECT DISTINCT t.tgrelid, t.tgrelid::regclass AS relation FROM pg_trigger AS t JOIN pg_proc AS p ON p.oid = t.tgfoid
    WHERE p.pronamespace = to_regnamespace('postern_budgets') AND t.tgname LIKE 'postern\\_budget\\_%' ORDER BY t.tgrelid
  LOOP
    EXECUTE format('LOCK TABLE ONLY %s IN ACCESS EXCLUSIVE MODE', o.relation);
  END LOOP;
END $$`
/** Of what `budgets.sql.ts` makes; the comment of the schema names it. */
const VERSION = 9

interface Found {
  /** What is installed; 0: nothing. */
  readonly version: number
  /** Whether who installs may make the event trigger that guards tables made later. */
  readonly isSuperuser: boolean
}

const FRESH: Found = { version: 0, isSuperuser: true }

/**
 * What `installBudgets` would run. Nothing is asked of a database: the script makes
 * the schema when it is not there.
 * @throws ConfigError naming every mistake
 */
export function planBudgets(options: InstallOptions, found: Found = FRESH): InstallPlan {
  const { limits, rules } = changesOf(compileBudgets(options.budgets))
  const { schemas = ['public'], unclaimed = 'refuse', exempt = [] } = options
  const statements: PlannedStatement[] = []
  const plan = (text: string, values: readonly unknown[] = [], hidden: readonly number[] = []): void => {
    statements.push({ text, values, shown: show(text, values, hidden) })
  }
  plan(SAFE_PATH)
  plan(LOCK)
  if (found.version > VERSION)
    throw new ConfigError({
      place: 'budgets',
      problem: `version ${found.version} is installed in this database, and this program knows version ${VERSION}`,
      hint: 'install with a newer Postern',
    })
  if (found.version > 0) plan(WAIT_FOR_WRITERS)
  if (found.version === 1) plan(UPGRADE_FROM_1_SQL)
  if (found.version > 1 && found.version < VERSION) plan(UPGRADE_FROM_2_SQL)
  if (found.version === 0) plan(BUDGETS_SCHEMA_SQL)
  if (found.version < VERSION && found.isSuperuser) plan(FOLLOW_SQL)
  plan(`COMMENT ON SCHEMA postern_budgets IS 'postern budgets ${VERSION}'`)
  plan('DELETE FROM postern_budgets.keys')
  for (const [kind, keys] of [
    ['claim', options.claimKeys],
    ['grant', options.grantKeys ?? []],
  ] as const) {
    for (const key of keys) {
      checkSigningKey(key, `${kind}Keys`)
      const [inner, outer] = hmacPads(key.secret)
      plan(
        'INSERT INTO postern_budgets.keys (kind, id, inner_pad, outer_pad) VALUES ($1, $2, $3, $4)',
        [kind, key.id, inner, outer],
        [2, 3],
      )
    }
  }
  plan('DELETE FROM postern_budgets.settings')
  plan(
    'INSERT INTO postern_budgets.settings (unclaimed, exempt, schemas) VALUES ($1, $2::name[], $3::name[])',
    [unclaimed, exempt, schemas],
  )
  for (const { budget, scope, rows, step, over } of limits)
    plan('SELECT postern_budgets.set_limit($1, $2, $3, $4, $5)', [budget, scope, rows, step, over])
  plan('DELETE FROM postern_budgets.rules')
  for (const { budget, schema, relation, action, undo } of rules)
    plan(
      'INSERT INTO postern_budgets.rules (budget, schema, relation, action, undo) VALUES ($1, $2, $3, $4, $5)',
      [budget, schema, relation, action, undo],
    )
  plan('SELECT postern_budgets.apply($1::text[], $2::text[])', [
    limits.map(l => l.budget),
    limits.map(l => l.scope),
  ])
  plan(OWNER_ONLY_SQL)
  return {
    statements,
    sql: `BEGIN;\n${statements.map(s => `${s.shown.trim().replace(/;$/, '')};\n`).join('')}COMMIT;\n`,
  }
}

/**
 * Installs budgets, or changes those that are installed; counts are kept, also from an earlier version of
 * them. Nobody but the owner has a right on the schema `postern_budgets` after that: what others were granted
 * there, also by default privileges, is revoked. Run it as the owner of the tables, or as a superuser: only
 * then are tables and partitions that are made later guarded at once (else: run it again after a migration;
 * `budgetStatus` names what is not guarded).
 * @throws ConfigError naming every mistake; StoreError when the database refuses, and then nothing has
 * changed
 */
export async function installBudgets(database: PostgresDatabase, options: InstallOptions): Promise<void> {
  compileBudgets(options.budgets)
  await database.transaction(async client => {
    await client.query(SAFE_PATH)
    await client.query(LOCK, undefined, LONG)
    const plan = planBudgets(options, await lookAt(client))
    for (const { text, values } of plan.statements)
      await client.query(text, values.length === 0 ? undefined : values, LONG)
  })
}

async function lookAt(client: SqlClient): Promise<Found> {
  const { rows } = await client.query<Found>(
    `SELECT coalesce(substring(obj_description(to_regnamespace('postern_budgets'), 'pg_namespace') FROM '^postern budgets (\\d+)$')::integer, 0) AS version,
       (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) AS "isSuperuser"`,
  )
  return rows[0] ?? FRESH
}

/** What `removeBudgets` runs. */
export const REMOVE_BUDGETS_SQL: string = REMOVE_SQL

/**
 * Takes budgets away: triggers, counts, attempts, and the journal, after which nothing can be undone.
 * The application's tables are as before.
 */
export async function removeBudgets(database: PostgresDatabase): Promise<void> {
  await database.query(REMOVE_SQL, undefined, LONG)
}

function show(text: string, values: readonly unknown[], hidden: readonly number[]): string {
  if (values.length === 0) return text
  return text.replace(/\$([1-9])/g, (_, place: string) => {
    const index = Number(place) - 1
    return hidden.includes(index)
      ? index === hidden[0]
        ? ":'inner_pad'"
        : ":'outer_pad'"
      : literal(values[index])
  })
}

function literal(value: unknown): string {
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  if (Array.isArray(value)) return value.length === 0 ? "'{}'" : `ARRAY[${value.map(literal).join(', ')}]`
  return `'${String(value).replaceAll("'", "''")}'`
}
