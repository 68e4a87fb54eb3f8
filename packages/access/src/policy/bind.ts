import { ALL, and, type Bound, type BoundOperand, NONE, or } from './bound.ts'
import type { Condition, Operand, Operator } from './condition.ts'
import type { KnownOperand } from './known-operand.ts'
import { type FieldType, isSame, order, type Scalar } from './scalar.ts'

/**
 * Where what is known of the caller comes from: the caller itself (a filter), or the
 * database session (row-level security).
 */
export interface Source {
  /** Undefined when there is no such value, which makes every comparison with it unknown. */
  operand(operand: KnownOperand, holds: FieldType): Exclude<BoundOperand, { kind: 'field' }> | undefined
  /** Whether the caller has a role or scope. */
  has(list: 'roles' | 'scopes', value: string, negated: boolean): Bound
  /** Whether a field is one of the caller's roles or scopes. */
  listed(condition: Extract<Condition, { kind: 'listed' }>, negated: boolean): Bound
  check(condition: Extract<Condition, { kind: 'check' }>, negated: boolean): Bound
}

const OPPOSITE: Readonly<Record<Operator, Operator>> = {
  eq: 'ne',
  ne: 'eq',
  lt: 'gte',
  gte: 'lt',
  gt: 'lte',
  lte: 'gt',
}

const MIRRORED: Readonly<Record<Operator, Operator>> = {
  eq: 'eq',
  ne: 'ne',
  lt: 'gt',
  gt: 'lt',
  lte: 'gte',
  gte: 'lte',
}

/** The rows for which a condition is true (or, negated, false). */
export function bind(condition: Condition, source: Source, negated = false): Bound {
  switch (condition.kind) {
    case 'constant':
      return condition.value !== negated ? ALL : NONE
    case 'compare':
      return bindComparison(condition, source, negated)
    case 'oneOf':
      // An empty list is false even for a null field, as in SQL.
      if (condition.values.length === 0) return negated ? ALL : NONE
      return { kind: 'in', field: condition.field, values: condition.values, negated }
    case 'listed':
      return source.listed(condition, negated)
    case 'isNull':
      return { kind: 'null', field: condition.field, negated }
    case 'has':
      return source.has(condition.list, condition.value, negated)
    case 'check':
      return source.check(condition, negated)
    case 'all':
    case 'any': {
      const parts = condition.of.map(part => bind(part, source, negated))
      return (condition.kind === 'all') !== negated ? and(parts) : or(parts)
    }
    case 'not':
      return bind(condition.of, source, !negated)
    case 'member': {
      const principal = source.operand({ kind: 'principal', attribute: 'id' }, 'text')
      if (principal === undefined) return NONE
      const { field, membership } = condition
      return { kind: 'member', field, membership, principal, negated }
    }
    case 'parent': {
      // A parent that is not there makes the condition unknown, so "not" asks for
      // one that is and does not fit.
      const inner = bind(condition.condition, source, negated)
      if (inner.kind === 'constant' && !inner.value) return NONE
      return { kind: 'parent', field: condition.field, parent: condition.parent, inner }
    }
  }
}

function bindComparison(
  { operator, left, right, holds }: Extract<Condition, { kind: 'compare' }>,
  source: Source,
  negated: boolean,
): Bound {
  const a = bindOperand(left, holds, source)
  const b = bindOperand(right, holds, source)
  if (a === undefined || b === undefined) return NONE
  const effective = negated ? OPPOSITE[operator] : operator
  if (a.kind === 'value' && b.kind === 'value') return isTrue(effective, a.value, b.value) ? ALL : NONE
  // A column stands on the left where there is one.
  return a.kind !== 'field' && b.kind === 'field'
    ? { kind: 'compare', operator: MIRRORED[effective], left: b, right: a }
    : { kind: 'compare', operator: effective, left: a, right: b }
}

function bindOperand(operand: Operand, holds: FieldType, source: Source): BoundOperand | undefined {
  return operand.kind === 'field' ? operand : source.operand(operand, holds)
}

function isTrue(operator: Operator, a: Scalar, b: Scalar): boolean {
  switch (operator) {
    case 'eq':
      return isSame(a, b)
    case 'ne':
      return !isSame(a, b)
    case 'lt':
      return order(a, b) < 0
    case 'lte':
      return order(a, b) <= 0
    case 'gt':
      return order(a, b) > 0
    case 'gte':
      return order(a, b) >= 0
  }
}
