import type { Principal } from '@postern/core'
import type { FieldRef, Operand } from './condition.ts'
import type { Context } from './context.ts'
import { type FieldType, normalise, type Scalar } from './scalar.ts'

/** An operand whose value is known before any row is looked at. */
export type KnownOperand = Exclude<Operand, FieldRef>

/** Reads an operand of the caller, the context or the policy itself; null when there is none. */
export type ReadKnown = (principal: Principal, context: Context) => Scalar | null

/** Compiles the reader of an operand as one type. */
export function readKnown(operand: KnownOperand, holds: FieldType): ReadKnown {
  const read = (value: unknown): Scalar | null => {
    const scalar = normalise[holds](value)
    // SQLite has no NaN: as a parameter it is NULL.
    return Number.isNaN(scalar) ? null : scalar
  }
  switch (operand.kind) {
    case 'literal': {
      const value = read(operand.value)
      return () => value
    }
    case 'now': {
      const { offset } = operand
      return (_, context) => (context.time === undefined ? null : read(context.time + offset))
    }
    case 'attribute': {
      const { name } = operand
      return (_, { attributes }) =>
        attributes !== undefined && Object.hasOwn(attributes, name) ? read(attributes[name]) : null
    }
    case 'principal': {
      const { attribute } = operand
      // The id of an anonymous caller is empty, and an empty column must not be theirs; nor that of an empty
      // tenant. Row-level security cannot tell an empty setting from an absent one either.
      return principal => {
        const value = principal[attribute]
        return value === '' ? null : read(value)
      }
    }
  }
}
