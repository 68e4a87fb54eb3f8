import type { Principal } from '@postern/core'
import type { Condition, Operand, ResourceType } from './condition.ts'
import type { AccessQuestion } from './explain.ts'
import type { PolicySet } from './policy-set.ts'

/** Questions made up at most. */
const MAX_QUESTIONS = 50_000
/** Values tried for each field, and combinations of them for each type. */
const MAX_VALUES = 6
const MAX_ROWS = 200

/**
 * Questions that bring out differences between policy sets: callers with each role and scope that policies
 * name (and none), and rows with each value that conditions compare with, the caller's own id and tenant,
 * something else, and null. At most 50,000; relationships are unknown in all of them.
 */
export function* questionsAbout(...sets: readonly PolicySet[]): Generator<AccessQuestion> {
  const conditions = sets.flatMap(set => set.policies.map(({ when }) => when))
  const principals = callersOf(conditions)
  const actions = new Set(sets.flatMap(set => set.policies.flatMap(({ actions: own }) => own.map(exampleOf))))
  const types = new Map(sets.flatMap(set => [...set.types]))
  let asked = 0
  for (const principal of principals)
    for (const action of actions)
      for (const resource of [
        { type: '' },
        ...[...types.values()].flatMap(type => rowsOf(type, conditions)),
      ]) {
        if (++asked > MAX_QUESTIONS) return
        yield { principal, action, resource }
      }
}

/** An action that a family covers: nobody has named it. */
function exampleOf(pattern: string): string {
  return pattern.endsWith('*') ? `${pattern.slice(0, -1)}any-other` : pattern
}

const CALLER: Principal = { kind: 'user', id: 'the-caller', tenant: 'their-tenant' }

function callersOf(conditions: readonly Condition[]): readonly Principal[] {
  const named = { roles: new Set<string>(), scopes: new Set<string>() }
  for (const condition of leaves(conditions))
    if (condition.kind === 'has') named[condition.list].add(condition.value)
  return [
    { kind: 'anonymous', id: '' },
    CALLER,
    ...[...named.roles].map(role => ({ ...CALLER, roles: [role] })),
    ...[...named.scopes].map(scope => ({ ...CALLER, scopes: [scope] })),
  ]
}

function rowsOf(
  type: ResourceType,
  conditions: readonly Condition[],
): readonly { readonly type: string; readonly fields: object }[] {
  const values = new Map<string, Set<unknown>>()
  for (const condition of leaves(conditions))
    for (const [field, value] of valuesIn(condition, type.name))
      values.set(field, (values.get(field) ?? new Set<unknown>([null])).add(value))
  let rows: Record<string, unknown>[] = [{}]
  for (const [name, known] of values)
    rows = [...known]
      .slice(0, MAX_VALUES)
      .flatMap(value => rows.map(row => ({ ...row, [name]: value })))
      .slice(0, MAX_ROWS)
  return rows.map(fields => ({ type: type.name, fields }))
}

/** Values worth trying for fields of a type: what one condition compares them with, and something else. */
function valuesIn(condition: Condition, type: string): readonly (readonly [field: string, value: unknown])[] {
  if (condition.kind === 'compare')
    return [
      ...valuesOf(condition.left, condition.right, type),
      ...valuesOf(condition.right, condition.left, type),
    ]
  if ((condition.kind !== 'oneOf' && condition.kind !== 'isNull') || condition.field.type !== type) return []
  const { name } = condition.field
  const listed = condition.kind === 'oneOf' ? condition.values : []
  return [...listed, OTHER].map(value => [name, value] as const)
}

const OTHER = 'something-else'

function valuesOf(field: Operand, other: Operand, type: string): readonly (readonly [string, unknown])[] {
  if (field.kind !== 'field' || field.type !== type) return []
  const compared =
    other.kind === 'literal' ? other.value : other.kind === 'principal' ? CALLER[other.attribute] : null
  return [[field.name, compared ?? null], ...(field.holds === 'text' ? [[field.name, OTHER] as const] : [])]
}

function leaves(conditions: readonly Condition[]): readonly Condition[] {
  return conditions.flatMap(condition =>
    condition.kind === 'all' || condition.kind === 'any'
      ? leaves(condition.of)
      : condition.kind === 'not'
        ? leaves([condition.of])
        : [condition],
  )
}
