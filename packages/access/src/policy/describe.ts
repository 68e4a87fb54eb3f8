import type { Condition, Operand, Operator } from './condition.ts'

const SIGNS: Readonly<Record<Operator, string>> = {
  eq: '=',
  ne: '<>',
  lt: '<',
  lte: '<=',
  gt: '>',
  gte: '>=',
}

/**
 * A condition in words, the same for the same condition: `order.customer =
 * principal.id and order.status in ("open")`.
 */
export function describe(condition: Condition): string {
  switch (condition.kind) {
    case 'constant':
      return condition.value ? 'always' : 'never'
    case 'compare':
      return `${operand(condition.left)} ${SIGNS[condition.operator]} ${operand(condition.right)}`
    case 'oneOf':
      return `${operand(condition.field)} in (${condition.values.map(literal).join(', ')})`
    case 'listed':
      return `${operand(condition.field)} in principal.${condition.list}`
    case 'isNull':
      return `${operand(condition.field)} is null`
    case 'has':
      return `principal has ${condition.list === 'roles' ? 'role' : 'scope'} ${JSON.stringify(condition.value)}`
    case 'check':
      return `check ${JSON.stringify(condition.name)}`
    case 'all':
    case 'any': {
      if (condition.of.length === 0) return condition.kind === 'all' ? 'always' : 'never'
      return condition.of.map(part => grouped(part)).join(condition.kind === 'all' ? ' and ' : ' or ')
    }
    case 'not':
      return `not ${grouped(condition.of)}`
    case 'member':
      return `principal is in ${condition.membership.table} of ${operand(condition.field)} (${condition.membership.group}, ${condition.membership.principal})`
    case 'parent':
      return `${operand(condition.field)} -> ${condition.parent.name} (${describe(condition.condition)})`
  }
}

function grouped(condition: Condition): string {
  const isList = condition.kind === 'all' || condition.kind === 'any'
  return isList && condition.of.length > 1 ? `(${describe(condition)})` : describe(condition)
}

function operand(value: Operand): string {
  switch (value.kind) {
    case 'field':
      return `${value.type}.${value.name}`
    case 'principal':
      return `principal.${value.attribute}`
    case 'attribute':
      return `attribute ${JSON.stringify(value.name)}`
    case 'now':
      return value.offset === 0 ? 'now' : `now ${value.offset}ms`
    case 'literal':
      return literal(value.value)
  }
}

function literal(value: unknown): string {
  if (typeof value === 'bigint') return String(value)
  return value instanceof Date ? value.toISOString() : JSON.stringify(value)
}
