import type { Principal } from '@postern/core'
import type { Condition, ResourceType } from './condition.ts'
import type { AccessQuestion } from './explain.ts'
import type { PolicySet } from './policy-set.ts'

/** Questions made up at most. */
const MAX_QUESTIONS = 50_000
/** Values tried for each field, and combinations of them for each type. */
const MAX_VALUES = 6
const MAX_ROWS = 200

/**
 * Questions that bring out differences between policy sets: callers with each role and scope that policies name (and none), and rows with each value
 * that conditions compare with, the caller's own id and tenant, something else, and null. At most 50,000; relationships are unknown in all of them.
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
  for (const condition of leaves(conditions)) {
    const pairs =
      condition.kind === 'compare'
        ? ([
            [condition.left, condition.right],
            [condition.right, condition.left],
          ] as const)
        : []
    for (const [field, other] of pairs) {
      if (field.kind !== 'field' || field.type !== type.name) continue
      const known = values.get(field.name) ?? new Set<unknown>([null])
      values.set(field.name, known)
      if (other.kind === 'literal') known.add(other.value)
      else if (other.kind === 'principal') known.add(CALLER[other.attribute] ?? null)
      if (field.holds === 'text') known.add('something-else')
    }
    if (condition.kind === 'oneOf' && condition.field.type === type.name)
      values.set(condition.field.name, new Set([...condition.values, 'something-else', null]))
    if (condition.kind === 'isNull' && condition.field.type === type.name)
      values.set(
        condition.field.name,
        (values.get(condition.field.name) ?? new Set()).add(null).add('something'),
      )
  }
  let rows: Record<string, unknown>[] = [{}]
  for (const [name, known] of values)
    rows = [...known]
      .slice(0, MAX_VALUES)
      .flatMap(value => rows.map(row => ({ ...row, [name]: value })))
      .slice(0, MAX_ROWS)
  return rows.map(fields => ({ type: type.name, fields }))
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
