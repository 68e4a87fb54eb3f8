import { ConfigError, type Principal } from '@postern/core'
import type { Source } from '../policy/bind.ts'
import type { PrincipalAttribute } from '../policy/condition.ts'
import type { FieldType } from '../policy/scalar.ts'
import { DIALECTS, quoteLiteral } from './dialect.ts'

/**
 * Where a PostgreSQL session keeps who is asking: one SQL expression for each property, of type text (jsonb
 * arrays for the lists), null when there is none. Wrapped in a scalar subquery each, so that the planner
 * computes it once for a statement and not once for a row.
 */
export type SessionExpressions = Readonly<
  Partial<Record<PrincipalAttribute | 'roles' | 'scopes', string>> & { readonly id: string }
>

const setting = (name: string): string => `nullif(current_setting('postern.${name}', true), '')`

/** The settings that `claimSettings` sets. */
export const settingExpressions: SessionExpressions = Object.freeze({
  id: setting('principal'),
  kind: setting('kind'),
  tenant: setting('tenant'),
  plan: setting('plan'),
  actor: setting('actor'),
  authenticatedAt: setting('authenticated_at'),
  roles: `${setting('roles')}::jsonb`,
  scopes: `${setting('scopes')}::jsonb`,
})

/** What a Supabase project keeps in its token; roles stand in `app_metadata`, which users cannot change. */
export const supabaseExpressions: SessionExpressions = Object.freeze({
  id: 'auth.uid()::text',
  tenant: "auth.jwt() -> 'app_metadata' ->> 'tenant'",
  roles: "auth.jwt() -> 'app_metadata' -> 'roles'",
})

/**
 * The statement that tells the session who is asking, for this transaction only. Run it first in every
 * transaction: row-level security then sees nobody in a session that has forgotten to.
 */
export function claimSettings(principal: Principal): {
  readonly text: string
  readonly values: readonly string[]
} {
  const values: Readonly<Record<string, string>> = {
    principal: principal.id,
    kind: principal.kind,
    tenant: principal.tenant ?? '',
    plan: principal.plan ?? '',
    actor: principal.actor ?? '',
    authenticated_at:
      principal.authenticatedAt === undefined ? '' : new Date(principal.authenticatedAt).toISOString(),
    roles: JSON.stringify(principal.roles ?? []),
    scopes: JSON.stringify(principal.scopes ?? []),
  }
  const calls = Object.keys(values).map(
    (name, index) => `pg_catalog.set_config('postern.${name}', $${index + 1}, true)`,
  )
  return { text: `SELECT ${calls.join(', ')}`, values: Object.values(values) }
}

/** A caller that is known only to the database session. */
export function sessionSource(session: SessionExpressions, policy: string): Source {
  const refuse = (problem: string): never => {
    throw new ConfigError({
      place: `row-level security of policy "${policy}"`,
      problem,
      hint: 'leave it to the application, with policies of its own for the database',
    })
  }
  const expression = (name: PrincipalAttribute | 'roles' | 'scopes'): string =>
    `(SELECT ${session[name] ?? refuse(`the session has no expression for principal.${name}`)})`
  const list = (name: 'roles' | 'scopes'): string => `coalesce(${expression(name)}, '[]'::jsonb)`
  return {
    operand(operand, holds) {
      switch (operand.kind) {
        case 'literal':
          return {
            kind: 'value',
            holds,
            value: operand.value instanceof Date ? operand.value.getTime() : operand.value,
          }
        case 'principal':
          return { kind: 'expression', holds, sql: cast(expression(operand.attribute), holds) }
        case 'now':
          return {
            kind: 'expression',
            holds,
            sql: `(date_trunc('milliseconds', now()) + interval '${operand.offset} milliseconds')`,
          }
        case 'attribute':
          return refuse(`it uses attribute("${operand.name}")`)
      }
    },
    has: (name, value, negated) => ({
      kind: 'session',
      sql: `${negated ? 'NOT ' : ''}(${list(name)} ? ${quoteLiteral(value)})`,
    }),
    listed: ({ list: name }) => refuse(`it uses oneOf(field, '${name}')`),
    check: ({ name }) => refuse(`it uses check("${name}")`),
  }
}

const UUID = '^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$'

/** An id that is not a UUID equals no UUID; it must not end the statement in an error. */
function cast(sql: string, holds: FieldType): string {
  if (holds !== 'uuid') return `${sql}${DIALECTS.postgres.cast(holds)}`
  return `(SELECT CASE WHEN v ~ '${UUID}' THEN v::uuid END FROM (VALUES (${sql})) AS id (v))`
}
