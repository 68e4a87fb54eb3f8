import { ConfigError, type Duration, type Principal, parseDuration } from '@postern/core'
import type { Condition, FieldRef, Operand, Operator, ResourceType } from './condition.ts'
import type { Context } from './context.ts'
import type { Membership } from './membership.ts'
import { type FieldType, isOrdered, normalise, type Scalar } from './scalar.ts'

/** What comparisons take: a field, something of the caller, or a plain value. */
export type OperandLike = Operand | Scalar | Date

/**
 * The caller, in conditions. An anonymous caller has no id: a comparison with it is
 * unknown, so it never matches an empty column.
 */
export const principal: Readonly<
  Record<'id' | 'kind' | 'tenant' | 'plan' | 'actor' | 'authenticatedAt', Operand>
> = Object.freeze({
  id: { kind: 'principal', attribute: 'id' },
  kind: { kind: 'principal', attribute: 'kind' },
  tenant: { kind: 'principal', attribute: 'tenant' },
  plan: { kind: 'principal', attribute: 'plan' },
  actor: { kind: 'principal', attribute: 'actor' },
  authenticatedAt: { kind: 'principal', attribute: 'authenticatedAt' },
})

/** A value the caller of `decide` or `filter` passes in `context.attributes`. */
export function attribute(name: string): Operand {
  return { kind: 'attribute', name }
}

/** The time of the decision (`context.time`), moved by a duration into the past. */
export function now(ago: Duration = 0): Operand {
  return { kind: 'now', offset: -parseDuration(ago, 'now') }
}

/** Equal. Unknown when either side is absent. */
export function eq(left: OperandLike, right: OperandLike): Condition {
  return compare('eq', left, right)
}

/** Not equal. Unknown, hence not true, when either side is absent. */
export function ne(left: OperandLike, right: OperandLike): Condition {
  return compare('ne', left, right)
}

/** Less than; of integers, numbers and times. */
export function lt(left: OperandLike, right: OperandLike): Condition {
  return compare('lt', left, right)
}

/** Less than or equal; of integers, numbers and times. */
export function lte(left: OperandLike, right: OperandLike): Condition {
  return compare('lte', left, right)
}

/** Greater than; of integers, numbers and times. */
export function gt(left: OperandLike, right: OperandLike): Condition {
  return compare('gt', left, right)
}

/** Greater than or equal; of integers, numbers and times. */
export function gte(left: OperandLike, right: OperandLike): Condition {
  return compare('gte', left, right)
}

/** Values a list may have at most: each is a parameter of the statement. */
const MAX_VALUES = 1_000

/**
 * The field is one of the values, or one of the caller's roles or scopes.
 * @throws ConfigError for a value that the field cannot hold, or more than 1,000
 */
export function oneOf(field: FieldRef, values: readonly (Scalar | Date)[] | 'roles' | 'scopes'): Condition {
  if (values === 'roles' || values === 'scopes') return { kind: 'listed', field, list: values }
  if (values.length > MAX_VALUES)
    throw new ConfigError({
      place: placeOf(field),
      problem: `a list of ${values.length} values is longer than ${MAX_VALUES}`,
      hint: 'keep the list in a table and use member(...)',
    })
  return { kind: 'oneOf', field, values: values.map(value => literalOf(value, field.holds, placeOf(field))) }
}

/** The field is null. Unknown only when it was not loaded. */
export function isNull(field: FieldRef): Condition {
  return { kind: 'isNull', field }
}

/** The caller has this role. Never unknown. */
export function hasRole(role: string): Condition {
  return { kind: 'has', list: 'roles', value: role }
}

/** The caller's credential carries this scope. Never unknown. */
export function hasScope(scope: string): Condition {
  return { kind: 'has', list: 'scopes', value: scope }
}

/**
 * Any function of the caller and the context, but not of the resource: it is run before rows are
 * looked at. One that throws, or returns no boolean (a promise), is unknown.
 * @param name shown by `explain`; also what `diff` compares, so give a changed function a new name
 */
export function check(name: string, test: (principal: Principal, context: Context) => boolean): Condition {
  return { kind: 'check', name, test }
}

/** All of them. */
export function all(...of: readonly Condition[]): Condition {
  return { kind: 'all', of }
}

/** At least one of them. */
export function any(...of: readonly Condition[]): Condition {
  return { kind: 'any', of }
}

/** Not. What is unknown stays unknown. */
export function not(of: Condition): Condition {
  return { kind: 'not', of }
}

/** Everybody, every resource. */
export const always: Condition = Object.freeze({ kind: 'constant', value: true })

/** The caller's id is in this field. */
export function owns(field: FieldRef): Condition {
  return eq(field, principal.id)
}

/**
 * The caller belongs to the group that this field names.
 * @example member(order.fields.team, { table: 'team_members', group: 'team_id', principal: 'user_id' })
 */
export function member(field: FieldRef, membership: Membership): Condition {
  return { kind: 'member', field, membership }
}

/**
 * The condition holds for the resource that this field points to. Unknown when there is none.
 * @example parent(order.fields.account, account, eq(account.fields.tenant, principal.tenant))
 */
export function parent(field: FieldRef, type: ResourceType, condition: Condition): Condition {
  if (field.holds !== type.key.holds)
    throw new ConfigError({
      place: placeOf(field),
      problem: `holds ${field.holds}, but the key of "${type.name}" is ${type.key.holds}`,
    })
  return { kind: 'parent', field, parent: type, condition }
}

function compare(operator: Operator, leftLike: OperandLike, rightLike: OperandLike): Condition {
  const [a, b] = [operandOf(leftLike), operandOf(rightLike)]
  const field = a.kind === 'field' ? a : b.kind === 'field' ? b : undefined
  const place = field === undefined ? `condition "${operator}"` : placeOf(field)
  const holds = field?.holds ?? typeOf(a) ?? typeOf(b) ?? 'text'
  if (operator !== 'eq' && operator !== 'ne' && !isOrdered(holds))
    throw new ConfigError({
      place,
      problem: `"${operator}" needs a number or a time, and this is ${holds}`,
      hint: 'the order of texts depends on the collation of the database; use eq, ne or oneOf',
    })
  for (const operand of [a, b]) {
    const own = operand.kind === 'literal' ? undefined : typeOf(operand)
    if (own !== undefined && own !== holds && !(own === 'text' && holds === 'uuid'))
      throw new ConfigError({
        place,
        problem: `compares ${holds} with ${own}`,
        hint: 'compare values of the same type',
      })
  }
  return { kind: 'compare', operator, left: fixed(a, holds, place), right: fixed(b, holds, place), holds }
}

function operandOf(value: OperandLike): Operand {
  return typeof value === 'object' && !(value instanceof Date) ? value : { kind: 'literal', value }
}

function fixed(operand: Operand, holds: FieldType, place: string): Operand {
  return operand.kind === 'literal'
    ? { kind: 'literal', value: literalOf(operand.value, holds, place) }
    : operand
}

function literalOf(value: Scalar | Date, holds: FieldType, place: string): Scalar {
  const read = normalise[holds](value)
  if (read !== null && !(typeof read === 'number' && Number.isNaN(read))) return read
  throw new ConfigError({ place, problem: `holds ${holds}, which the compared value is not` })
}

function typeOf(operand: Operand): FieldType | undefined {
  if (operand.kind === 'field') return operand.holds
  if (operand.kind === 'now') return 'time'
  if (operand.kind === 'principal') return operand.attribute === 'authenticatedAt' ? 'time' : 'text'
  if (operand.kind === 'attribute') return undefined
  const { value } = operand
  if (value instanceof Date) return 'time'
  if (typeof value === 'string') return 'text'
  return typeof value === 'boolean' ? 'boolean' : typeof value === 'bigint' ? 'integer' : 'number'
}

function placeOf(field: FieldRef): string {
  return `field "${field.type}.${field.name}"`
}
