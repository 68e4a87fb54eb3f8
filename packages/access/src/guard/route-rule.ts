import { ConfigError, type Exchange } from '@postern/core'
import type { ApproveRule, Requirement } from './act-rule.ts'

/** Which policy decides on a route, and about what. */
export interface RoutePolicy {
  /** `order.delete`. */
  readonly action: string
  /** Type of the resource. Default: the action up to its last dot. */
  readonly type?: string
  /** The route's parameter with the resource's id. Default: `id` where the route has it; else the policy is about no resource in particular. */
  readonly param?: string
  /**
   * The fields that policies ask about, by that id: looked up, never taken from the request. Undefined when there is no such resource, which is
   * refused in the same words as one of somebody else's. Without it only the id is known.
   */
  readonly load?: (id: string, exchange: Exchange) => object | undefined | Promise<object | undefined>
}

declare module '@postern/core' {
  interface RouteSettings {
    /** What the caller must have, or prove. */
    readonly require?: Requirement | undefined
    /** Whose consent it takes. */
    readonly approve?: ApproveRule | undefined
    /** Budgets that requests are counted against, and that a consent stands in for: `orders.delete`. */
    readonly budget?: string | readonly string[] | undefined
    /** The action that policies decide on: `order.delete`, or with where its resource is. */
    readonly policy?: string | RoutePolicy | undefined
  }
}

/** A route's policy with its defaults filled in. */
export type CompiledRoutePolicy = Required<Pick<RoutePolicy, 'action' | 'type'>> &
  Pick<RoutePolicy, 'param' | 'load'>

/** @throws ConfigError when it names no action */
export function compileRoutePolicy(policy: string | RoutePolicy, place: string): CompiledRoutePolicy {
  const given = typeof policy === 'string' ? { action: policy } : policy
  if (typeof given.action !== 'string' || !/^[\w:/-]+(?:\.[\w:/-]+)*$/.test(given.action))
    throw new ConfigError({
      place: `${place}.policy`,
      problem: 'it names no action',
      hint: 'write e.g. order.delete',
    })
  const dot = given.action.lastIndexOf('.')
  return { ...given, type: given.type ?? (dot < 0 ? given.action : given.action.slice(0, dot)) }
}
