import type { Principal } from '@postern/core'
import type { Source } from './bind.ts'
import { ALL, NONE } from './bound.ts'
import type { Context } from './context.ts'
import { resultOf } from './evaluator.ts'
import { readKnown } from './known-operand.ts'
import { normalise, type Scalar } from './scalar.ts'

/** A caller that is here: whatever they have becomes a parameter or a constant. */
export function callerSource(principal: Principal, context: Context): Source {
  return {
    operand(operand, holds) {
      const value = readKnown(operand, holds)(principal, context)
      return value === null ? undefined : { kind: 'value', holds, value }
    },
    has: (list, value, negated) => ((principal[list]?.includes(value) === true) !== negated ? ALL : NONE),
    listed({ list, field }, negated) {
      const own = principal[list] ?? []
      if (own.length === 0) return negated ? ALL : NONE
      const values = own
        .map(value => normalise[field.holds](value))
        // SQLite has no NaN: as a parameter it is NULL, which would make the whole list unknown.
        .filter((value): value is Scalar => value !== null && !Number.isNaN(value))
      // None of them is a value of the field's type: no row is among them, and every
      // row that has a value is not.
      if (values.length === 0) return negated ? { kind: 'null', field, negated: true } : NONE
      return { kind: 'in', field, values, negated }
    },
    check({ test }, negated) {
      const result = resultOf(test, principal, context)
      return result === undefined || result === negated ? NONE : ALL
    },
  }
}
