import type { Principal } from '@postern/core'
import { bind } from './bind.ts'
import { and, type Bound, or } from './bound.ts'
import { callerSource } from './caller-source.ts'
import type { ResourceType } from './condition.ts'
import type { Context } from './context.ts'
import type { Policy } from './policy.ts'

/** The rows of one type that one caller may do one thing to. */
export interface Filter {
  readonly type: ResourceType
  /** `all` and `none` are known without a database. */
  readonly rows: 'all' | 'none' | 'some'
  /** Names of the policies that the predicate is made of. */
  readonly policies: readonly string[]
  readonly predicate: Bound
}

/** Builds the filter of policies that all cover one action and type: any allow, and no deny. */
export function filterOf(
  policies: readonly Policy[],
  type: ResourceType,
  principal: Principal,
  context: Context,
): Filter {
  const source = callerSource(principal, context)
  const allowed = or(
    policies.filter(({ effect }) => effect === 'allow').map(({ when }) => bind(when, source)),
  )
  const notDenied = policies
    .filter(({ effect }) => effect === 'deny')
    .map(({ when }) => bind(when, source, true))
  const predicate = and([allowed, ...notDenied])
  return {
    type,
    rows: predicate.kind === 'constant' ? (predicate.value ? 'all' : 'none') : 'some',
    policies: policies.map(({ name }) => name),
    predicate,
  }
}
