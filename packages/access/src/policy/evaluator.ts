import type { Principal } from '@postern/core'
import type { Condition, FieldRef, Operand } from './condition.ts'
import type { Context } from './context.ts'
import type { Fields } from './facts.ts'
import { readKnown } from './known-operand.ts'
import { type FieldType, isOrdered, isSame, normalise, order, type Scalar } from './scalar.ts'
import { FALSE, negate, TRUE, type Truth, truth, UNKNOWN } from './truth.ts'

/** A condition as a function. Never throws, allocates nothing. */
export type Evaluator = (principal: Principal, fields: Fields, context: Context) => Truth

type Read = (principal: Principal, fields: Fields, context: Context) => Scalar | null

/** Compiles a condition into closures: no interpretation of the tree is left at run time. */
export function evaluator(condition: Condition): Evaluator {
  switch (condition.kind) {
    case 'constant': {
      const value = truth(condition.value)
      return () => value
    }
    case 'compare':
      return comparison(condition)
    case 'oneOf': {
      const read = reader(condition.field, condition.field.holds)
      const { values } = condition
      if (values.length === 0) return () => FALSE
      return (principal, fields, context) => {
        const value = read(principal, fields, context)
        return value === null ? UNKNOWN : truth(values.some(other => isSame(value, other)))
      }
    }
    case 'listed': {
      const read = reader(condition.field, condition.field.holds)
      const { list, field } = condition
      const parse = normalise[field.holds]
      const isListed = (text: string, value: Scalar): boolean => {
        const other = parse(text)
        // Not NaN, for which SQLite could not be asked.
        return other !== null && !Number.isNaN(other) && isSame(other, value)
      }
      return (principal, fields, context) => {
        const values = principal[list]
        if (values === undefined || values.length === 0) return FALSE
        const value = read(principal, fields, context)
        return value === null ? UNKNOWN : truth(values.some(other => isListed(other, value)))
      }
    }
    case 'isNull': {
      const { name } = condition.field
      // A field that is not there at all was not loaded: nobody knows whether it is null.
      return (_principal, fields) => {
        const value = fields[name]
        return value === undefined ? UNKNOWN : truth(value === null)
      }
    }
    case 'has': {
      const { list, value } = condition
      return principal => truth(principal[list]?.includes(value) === true)
    }
    case 'check': {
      const { test } = condition
      return (principal, _fields, context) => {
        const result = resultOf(test, principal, context)
        return result === undefined ? UNKNOWN : truth(result)
      }
    }
    case 'all':
      return conjunction(condition.of.map(evaluator))
    case 'any':
      return disjunction(condition.of.map(evaluator))
    case 'not': {
      const inner = evaluator(condition.of)
      return (principal, fields, context) => negate(inner(principal, fields, context))
    }
    case 'member': {
      const read = reader(condition.field, condition.field.holds)
      const { membership } = condition
      return (principal, fields, context) => {
        const group = read(principal, fields, context)
        if (group === null || principal.id === '' || context.facts === undefined) return UNKNOWN
        return context.facts.member(membership, group, principal.id)
      }
    }
    case 'parent': {
      const read = reader(condition.field, condition.field.holds)
      const { name } = condition.parent
      const inner = evaluator(condition.condition)
      return (principal, fields, context) => {
        const key = read(principal, fields, context)
        const parent = key === null ? undefined : context.facts?.parent(name, key)
        return parent === undefined || parent === null ? UNKNOWN : inner(principal, parent, context)
      }
    }
  }
}

/**
 * What a check says; undefined when it throws, or says neither yes nor no: a promise, of a function that
 * should not have been async, is not false.
 */
export function resultOf(
  test: Extract<Condition, { kind: 'check' }>['test'],
  principal: Principal,
  context: Context,
): boolean | undefined {
  try {
    const result: unknown = test(principal, context)
    return typeof result === 'boolean' ? result : undefined
  } catch {
    return undefined
  }
}

function reader(operand: Operand, holds: FieldType): Read {
  if (operand.kind === 'field') {
    const { name } = operand
    if (holds === 'text') return textReader(name)
    const read = normalise[holds]
    return (_principal, fields) => read(fields[name])
  }
  const known = readKnown(operand, holds)
  return (principal, _fields, context) => known(principal, context)
}

/**
 * A text that no database can hold equals no literal and nothing of the caller's, which are
 * checked; so it need not be looked for here.
 */
function textReader(name: string): Read {
  return (_principal, fields) => {
    const value = fields[name]
    return typeof value === 'string' ? value : null
  }
}

function comparison({ operator, left, right, holds }: Extract<Condition, { kind: 'compare' }>): Evaluator {
  const a = reader(left, holds)
  const b = reader(right, holds)
  const compared =
    (holdsFor: (x: Scalar, y: Scalar) => boolean): Evaluator =>
    (principal, fields, context) => {
      const x = a(principal, fields, context)
      if (x === null) return UNKNOWN
      const y = b(principal, fields, context)
      return y === null ? UNKNOWN : holdsFor(x, y) ? TRUE : FALSE
    }
  switch (operator) {
    case 'eq':
      if (!isOrdered(holds))
        return (principal, fields, context) => {
          const x = a(principal, fields, context)
          if (x === null) return UNKNOWN
          const y = b(principal, fields, context)
          return y === null ? UNKNOWN : x === y ? TRUE : FALSE
        }
      return compared(isSame)
    case 'ne':
      return compared((x, y) => !isSame(x, y))
    case 'lt':
      return compared((x, y) => order(x, y) < 0)
    case 'lte':
      return compared((x, y) => order(x, y) <= 0)
    case 'gt':
      return compared((x, y) => order(x, y) > 0)
    case 'gte':
      return compared((x, y) => order(x, y) >= 0)
  }
}

function conjunction(of: readonly Evaluator[]): Evaluator {
  const [first, second] = of
  if (of.length === 1 && first !== undefined) return first
  if (of.length === 2 && first !== undefined && second !== undefined)
    return (principal, fields, context) => {
      const a = first(principal, fields, context)
      if (a === FALSE) return FALSE
      const b = second(principal, fields, context)
      return b < a ? b : a
    }
  return (principal, fields, context) => {
    let worst: Truth = TRUE
    for (let i = 0; i < of.length; i++) {
      const value = (of[i] as Evaluator)(principal, fields, context)
      if (value === FALSE) return FALSE
      if (value < worst) worst = value
    }
    return worst
  }
}

function disjunction(of: readonly Evaluator[]): Evaluator {
  return (principal, fields, context) => {
    let best: Truth = FALSE
    for (let i = 0; i < of.length; i++) {
      const value = (of[i] as Evaluator)(principal, fields, context)
      if (value === TRUE) return TRUE
      if (value > best) best = value
    }
    return best
  }
}

/** The fields that conditions read, for the message of a mistake. */
export function fieldsOf(condition: Condition): readonly FieldRef[] {
  switch (condition.kind) {
    case 'compare':
      return [condition.left, condition.right].filter(operand => operand.kind === 'field')
    case 'oneOf':
    case 'listed':
    case 'isNull':
    case 'member':
    case 'parent':
      return [condition.field]
    case 'all':
    case 'any':
      return condition.of.flatMap(fieldsOf)
    case 'not':
      return fieldsOf(condition.of)
    default:
      return []
  }
}
