import { createHash } from 'node:crypto'
import { ConfigError } from '@postern/core'
import type { Policy } from '../policy/policy.ts'
import type { PolicySet } from '../policy/policy-set.ts'
import type { FieldType, Scalar } from '../policy/scalar.ts'
import { bind } from './bind.ts'
import type { Bound } from './bound.ts'
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
}

const COMMANDS = ['select', 'insert', 'update', 'delete'] as const

/**
 * The statements that make PostgreSQL itself hold to the policies, for every statement of every program that
 * uses the role: allow policies become permissive ones, deny policies restrictive ones. Run them in one
 * transaction; running them again replaces what an earlier run made. Partitions and children of the table are
 * closed to statements that name them: run it again when one is added.
 * @returns SQL, in order
 * @throws ConfigError for a policy that uses `check` or `attribute`, which the database cannot know
 */
export function rowLevelSecurity(policies: PolicySet, options: RowLevelSecurityOptions): readonly string[] {
  const type = policies.types.get(options.type)
  if (type === undefined)
    throw new ConfigError({
      place: 'row-level security',
      problem: `no policy covers the type "${options.type}"`,
    })
  const table = quoteName(type.table)
  const roles = options.to === undefined ? 'PUBLIC' : options.to.map(quoteName).join(', ')
  const session = options.session ?? settingExpressions
  const statements = [
    prepareTable(type.table),
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
function prepareTable(table: string): string {
  const relation = `${quoteLiteral(quoteName(table))}::regclass`
  return `DO $postern$ DECLARE name text; below regclass; BEGIN
  FOR name IN SELECT polname FROM pg_policy WHERE polrelid = ${relation} AND starts_with(polname, 'postern ') LOOP
    EXECUTE format('DROP POLICY %I ON ${quoteName(table).replaceAll("'", "''").replaceAll('%', '%%')}', name);
  END LOOP;
  FOR below IN WITH RECURSIVE down (id) AS (SELECT inhrelid FROM pg_inherits WHERE inhparent = ${relation}
      UNION SELECT i.inhrelid FROM pg_inherits AS i JOIN down ON i.inhparent = down.id)
    SELECT c.oid::regclass FROM down JOIN pg_class AS c ON c.oid = down.id WHERE c.relkind IN ('r', 'p') LOOP
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', below);
  END LOOP;
END $postern$`
}

function literal(holds: FieldType, value: Scalar): string {
  const parameter = DIALECTS.postgres.parameter(holds, value)
  return `${quoteLiteral(String(parameter))}${DIALECTS.postgres.cast(holds)}`
}
