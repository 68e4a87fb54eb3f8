import type { FieldRef, Operator, ResourceType } from './condition.ts'
import type { Membership } from './membership.ts'
import type { FieldType, Scalar } from './scalar.ts'

/**
 * What a predicate compares: a column, a parameter, or an expression over the session (row-level security).
 */
export type BoundOperand =
  | FieldRef
  | { readonly kind: 'value'; readonly holds: FieldType; readonly value: Scalar }
  | { readonly kind: 'expression'; readonly holds: FieldType; readonly sql: string }

/**
 * A condition with everything filled in that does not depend on the row, and negations pushed down to the
 * leaves. Every connective that is left is monotone, so a row passes exactly when the three-valued condition
 * is true: unknown and false need no telling apart any more, and `EXISTS` is safe.
 */
export type Bound =
  | { readonly kind: 'constant'; readonly value: boolean }
  | { readonly kind: 'and' | 'or'; readonly of: readonly Bound[] }
  | {
      readonly kind: 'compare'
      readonly operator: Operator
      readonly left: BoundOperand
      readonly right: BoundOperand
    }
  | {
      readonly kind: 'in'
      readonly field: FieldRef
      readonly values: readonly Scalar[]
      readonly negated: boolean
    }
  | { readonly kind: 'null'; readonly field: FieldRef; readonly negated: boolean }
  | {
      readonly kind: 'member'
      readonly field: FieldRef
      readonly membership: Membership
      readonly principal: BoundOperand
      readonly negated: boolean
    }
  | {
      readonly kind: 'parent'
      readonly field: FieldRef
      readonly parent: ResourceType
      readonly inner: Bound
    }
  /** A boolean expression over the session. */
  | { readonly kind: 'session'; readonly sql: string }

export const ALL: Bound = Object.freeze({ kind: 'constant', value: true })
export const NONE: Bound = Object.freeze({ kind: 'constant', value: false })

/** And, without the parts that change nothing. */
export function and(parts: readonly Bound[]): Bound {
  const rest = parts.filter(part => part.kind !== 'constant' || !part.value)
  if (rest.some(part => part.kind === 'constant')) return NONE
  return rest.length === 0 ? ALL : rest.length === 1 ? (rest[0] as Bound) : { kind: 'and', of: rest }
}

/** Or, without the parts that change nothing. */
export function or(parts: readonly Bound[]): Bound {
  const rest = parts.filter(part => part.kind !== 'constant' || part.value)
  if (rest.some(part => part.kind === 'constant')) return ALL
  return rest.length === 0 ? NONE : rest.length === 1 ? (rest[0] as Bound) : { kind: 'or', of: rest }
}
