import { createHash } from 'node:crypto'
import { ConfigError } from '@postern/core'
import { bind } from '../policy/bind.ts'
import type { Bound } from '../policy/bound.ts'
import type { Policy } from '../policy/policy.ts'
import type { PolicySet } from '../policy/policy-set.ts'
import type { FieldType, Scalar } from '../policy/scalar.ts'
import { DIALECTS, quoteLiteral, quoteName } from './dialect.ts'
import { type SessionExpressions, sessionSource, settingExpressions } from './session-source.ts'
import { toText } from './sql-predicate.ts'

/** The type, actions and role that the statements are for, and where the session keeps who asks. */
export interface RowLevelSecurityOptions {
  /** Name of the resource type. */
  readonly type: string
  /**
   * Which action of the policies stands for which statement. A statement without one
   * is refused for everybody.
   */
  readonly actions: Partial<Readonly<Record<'select' | 'insert' | 'update' | 'delete', string>>>
  /**
   * Database roles it holds for. Default: `PUBLIC`, which is every role but
   * superusers and those with BYPASSRLS.
   */
  readonly to?: readonly string[]
  /**
   * Where the caller's properties stand in the session. Default: the settings
   * `postern.principal`, ... set by `claimSettings`.
   */
  readonly session?: SessionExpressions
  /**
   * What happens when a view shows rows of the table to a role whatever the policies say, because its owner
   * is a superuser or has BYPASSRLS: the statements fail (`refuse`), or it is left (`leave`). Default
   * `refuse`.
   */
  readonly views?: 'refuse' | 'leave'
}

const COMMANDS = ['select', 'insert', 'update', 'delete'] as const

/**
 * The statements that make PostgreSQL itself hold to the policies, for every statement of every program that
 * uses the role: allow policies become permissive ones, deny policies restrictive ones. Run them in one
 * transaction; running them again replaces what an earlier run made. Partitions and children of the table are
 * closed to statements that name them, and TRUNCATE, which asks no policy, is taken from whoever has it but
 * the owner: run it again when a partition or a view is added.
 * @returns SQL, in order
 * @throws ConfigError for a policy that uses `check` or `attribute`, which the database cannot know
 */
export function rowLevelSecurity(policies: PolicySet, options: RowLevelSecurityOptions): readonly string[] {
  const type = policies.types.get(options.type)
  if (type === undefined)
    throw new ConfigError({
      place: 'row-level security',
      problem: `no policy covers the type "${options.type}"`,
      hint: 'write a policy with `on` this type, or correct the name',
    })
  const table = quoteName(type.table)
  const roles = options.to === undefined ? 'PUBLIC' : options.to.map(quoteName).join(', ')
  const session = options.session ?? settingExpressions
  const statements = [
    prepareTable(type.table, options.views),
    `ALTER TABLE ${table} ENABLE ROW LEVEL SECURITY`,
    // Without it the policies would not hold for the table's owner, which is what
    // many applications connect as.
    `ALTER TABLE ${table} FORCE ROW LEVEL SECURITY`,
  ]
  for (const command of COMMANDS) {
    const action = options.actions[command]
    if (action === undefined) continue
    for (const policy of policies.rules(action, type.name).policies) {
      const condition = conditionOf(policy, session)
      const text = toText(condition, type.table, literal)
      const clauses = [
        ...(command === 'insert' ? [] : [`USING (${text})`]),
        ...(command === 'insert' || command === 'update'
          ? [`WITH CHECK (${checkOf(policy, command, text)})`]
          : []),
      ]
      statements.push(
        `CREATE POLICY ${quoteIdentifier(nameOf(policy, command))} ON ${table} ` +
          `AS ${policy.effect === 'allow' ? 'PERMISSIVE' : 'RESTRICTIVE'} FOR ${command.toUpperCase()} TO ${roles} ${clauses.join(' ')}`,
      )
    }
  }
  return statements
}

/**
 * What the new row must meet. An allow holds for it as for the old one, or rows could be moved out of
 * their owner's hands. A deny of an update is about the row as it was: "nobody edits a closed order"
 * must not mean that nobody can close one.
 */
function checkOf({ effect }: Policy, command: 'insert' | 'update', text: string): string {
  return effect === 'deny' && command === 'update' ? 'true' : text
}

function conditionOf(policy: Policy, session: SessionExpressions): Bound {
  const source = sessionSource(session, policy.name)
  return bind(policy.when, source, policy.effect === 'deny')
}

/** At most 63 bytes, as PostgreSQL cuts longer names; told apart by a digest where they would be cut. */
function nameOf({ name }: Policy, command: string): string {
  const whole = `postern ${command}: ${name.replaceAll('\0', '')}`
  if (Buffer.byteLength(whole) <= 63) return whole
  const digest = createHash('sha256').update(whole).digest('hex').slice(0, 8)
  return `${Buffer.from(whole)
    .subarray(0, 50)
    .toString('utf8')
    .replace(/\uFFFD+$/, '')} ${digest}`
}

function quoteIdentifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

/**
 * Drops what an earlier run made, and closes the partitions and children of the table to whoever names one of
 * them: the policies of a table hold for statements that name that table, and for no others (PostgreSQL
 * manual, "Row Security Policies"). Statements on the table itself ask its own policies only.
 */
function prepareTable(table: string, views: RowLevelSecurityOptions['views'] = 'refuse'): string {
  const relation = `${quoteLiteral(quoteName(table))}::regclass`
  return `DO $postern$ DECLARE name text; below regclass; grantee text; found text; BEGIN${views === 'leave' ? '' : refuseViews(table)}
  FOR name IN SELECT polname FROM pg_policy WHERE polrelid = ${relation} AND starts_with(polname, 'postern ') LOOP
    EXECUTE format('DROP POLICY %I ON ${quoteName(table).replaceAll("'", "''").replaceAll('%', '%%')}', name);
  END LOOP;
  FOR below IN WITH RECURSIVE ${treeOf(relation)}
    SELECT c.oid::regclass FROM tree JOIN pg_class AS c ON c.oid = tree.id WHERE c.relkind IN ('r', 'p') LOOP
    IF below <> ${relation} THEN
      EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', below);
    END IF;
    FOR grantee IN SELECT DISTINCT CASE WHEN a.grantee = 0 THEN 'PUBLIC' ELSE quote_ident(r.rolname) END
        FROM pg_class AS c CROSS JOIN LATERAL aclexplode(c.relacl) AS a LEFT JOIN pg_roles AS r ON r.oid = a.grantee
        WHERE c.oid = below AND a.privilege_type = 'TRUNCATE' AND a.grantee <> c.relowner LOOP
      EXECUTE format('REVOKE TRUNCATE ON %s FROM %s CASCADE', below, grantee);
    END LOOP;
  END LOOP;
END $postern$`
}

/** Partitions and children, whatever their depth, and the table itself. */
const treeOf = (relation: string): string =>
  `tree (id) AS (SELECT ${relation}::oid UNION SELECT i.inhrelid FROM pg_inherits AS i JOIN tree ON i.inhparent = tree.id)`

/**
 * A view asks for rows as its owner, unless it has `security_invoker`: where no policy holds for that owner
 * it shows every row to whoever may read it, or a view on top of it (PostgreSQL manual, "CREATE VIEW").
 */
function refuseViews(table: string): string {
  const name = quoteName(table)
  return `
  WITH RECURSIVE ${treeOf(`${quoteLiteral(name)}::regclass`)},
  views AS (SELECT DISTINCT v.oid, d.refobjid AS source, v.relkind = 'v' AND EXISTS (SELECT FROM pg_options_to_table(v.reloptions) AS o
        WHERE o.option_name = 'security_invoker' AND lower(o.option_value) IN ('true', 'on', 'yes', '1')) AS asks, r.rolsuper OR r.rolbypassrls AS bypasses
    FROM pg_rewrite AS w JOIN pg_class AS v ON v.oid = w.ev_class AND v.relkind IN ('v', 'm') JOIN pg_roles AS r ON r.oid = v.relowner
    JOIN pg_depend AS d ON d.classid = 'pg_rewrite'::regclass AND d.objid = w.oid AND d.refclassid = 'pg_class'::regclass AND d.refobjid <> v.oid),
  over (id, shows) AS (SELECT id, false FROM tree
    UNION SELECT v.oid, over.shows OR NOT v.asks FROM views AS v JOIN over ON over.id = v.source WHERE over.shows OR v.asks OR v.bypasses)
  SELECT string_agg(DISTINCT over.id::regclass::text, ', ') INTO found FROM over JOIN pg_class AS c ON c.oid = over.id
  WHERE over.shows AND EXISTS (SELECT FROM (SELECT c.relacl AS acl UNION ALL SELECT a.attacl FROM pg_attribute AS a WHERE a.attrelid = c.oid) AS g
      CROSS JOIN LATERAL aclexplode(g.acl) AS a LEFT JOIN pg_roles AS r ON r.oid = a.grantee
    WHERE a.privilege_type = 'SELECT' AND a.grantee <> c.relowner AND NOT coalesce(r.rolsuper OR r.rolbypassrls, false));
  IF found IS NOT NULL THEN
    RAISE EXCEPTION USING MESSAGE = ${quoteLiteral(`views show rows of ${name} whatever its policies say: `)} || found,
      HINT = 'ALTER VIEW ... SET (security_invoker = true), from PostgreSQL 15 on, or give the view to an owner without BYPASSRLS, or revoke SELECT on it.';
  END IF;`
}

function literal(holds: FieldType, value: Scalar): string {
  const parameter = DIALECTS.postgres.parameter(holds, value)
  return `${quoteLiteral(String(parameter))}${DIALECTS.postgres.cast(holds)}`
}
