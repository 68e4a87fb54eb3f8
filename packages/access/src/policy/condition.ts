import type { Principal } from '@postern/core'
import type { Context } from './context.ts'
import type { Membership } from './membership.ts'
import type { FieldType, Scalar } from './scalar.ts'

/** A column of a resource type, as conditions name it. */
export interface FieldRef {
  readonly kind: 'field'
  /** Name of the resource type it belongs to. */
  readonly type: string
  /** Name of the property of a resource's fields. */
  readonly name: string
  readonly column: string
  readonly holds: FieldType
}

/** What a principal has exactly one of. */
export type PrincipalAttribute = 'id' | 'kind' | 'tenant' | 'plan' | 'actor' | 'authenticatedAt'

/** Something a condition compares. Everything but a field is known before any row is looked at. */
export type Operand =
  | FieldRef
  | { readonly kind: 'principal'; readonly attribute: PrincipalAttribute }
  | { readonly kind: 'attribute'; readonly name: string }
  | { readonly kind: 'now'; readonly offset: number }
  | { readonly kind: 'literal'; readonly value: Scalar | Date }

/** The comparisons there are. */
export type Operator = 'eq' | 'ne' | 'lt' | 'lte' | 'gt' | 'gte'

/** A type of thing that policies cover, and the table it is kept in. */
export interface ResourceType<Names extends string = string> {
  readonly name: string
  /** `orders`, or with its schema `shop.orders`. */
  readonly table: string
  readonly key: FieldRef
  readonly fields: Readonly<Record<Names, FieldRef>>
}

/** A rule as data: one tree, from which the decision function and the SQL predicates are compiled. */
export type Condition =
  | { readonly kind: 'constant'; readonly value: boolean }
  | {
      readonly kind: 'compare'
      readonly operator: Operator
      readonly left: Operand
      readonly right: Operand
      readonly holds: FieldType
    }
  | { readonly kind: 'oneOf'; readonly field: FieldRef; readonly values: readonly Scalar[] }
  | { readonly kind: 'listed'; readonly field: FieldRef; readonly list: 'roles' | 'scopes' }
  | { readonly kind: 'isNull'; readonly field: FieldRef }
  | { readonly kind: 'has'; readonly list: 'roles' | 'scopes'; readonly value: string }
  | {
      readonly kind: 'check'
      readonly name: string
      readonly test: (principal: Principal, context: Context) => boolean
    }
  | { readonly kind: 'all' | 'any'; readonly of: readonly Condition[] }
  | { readonly kind: 'not'; readonly of: Condition }
  | { readonly kind: 'member'; readonly field: FieldRef; readonly membership: Membership }
  | {
      readonly kind: 'parent'
      readonly field: FieldRef
      readonly parent: ResourceType
      readonly condition: Condition
    }
