import { ConfigError } from '@postern/core'
import type { Condition, ResourceType } from './condition.ts'
import { all, always } from './expressions.ts'

/** One rule: whom it lets do what, or forbids. */
export interface Policy {
  /** A few words for people, unique in its set: every decision carries it. */
  readonly name: string
  readonly effect: 'allow' | 'deny'
  /** Exact (`order.read`), a family (`order.*`) or `*`. */
  readonly actions: readonly string[]
  /** Types it covers, or `*` for every type and for actions without a resource. */
  readonly types: readonly ResourceType[] | '*'
  readonly when: Condition
}

/** What a policy covers, and when it applies. */
export interface PolicyOptions {
  readonly action: string | readonly string[]
  /** Default: every type. */
  readonly on?: ResourceType | readonly ResourceType[] | '*'
  /** A list holds when all of it holds. Default: always. */
  readonly when?: Condition | readonly Condition[]
}

/**
 * Lets callers do something.
 * @example allow('customers read their own orders', { action: 'read', on: order,
 *   when: owns(order.fields.customer) })
 */
export function allow(name: string, options: PolicyOptions): Policy {
  return policyOf('allow', name, options)
}

/** Forbids something, whatever else allows it. When its condition is unknown it forbids as well. */
export function deny(name: string, options: PolicyOptions): Policy {
  return policyOf('deny', name, options)
}

const ACTION = /^(?:\*|[\w:/-]+(?:\.[\w:/-]+)*(?:\.\*)?)$/

function policyOf(effect: Policy['effect'], name: string, { action, on, when }: PolicyOptions): Policy {
  const actions = typeof action === 'string' ? [action] : action
  if (name.trim() === '' || name.length > 200)
    throw new ConfigError({ place: 'policy', problem: 'its name must have 1 to 200 characters' })
  if (actions.length === 0)
    throw new ConfigError({
      place: `policy "${name}"`,
      problem: 'it names no action',
      hint: "give `action`, for example 'order.read' or 'order.*'",
    })
  for (const one of actions) {
    if (!ACTION.test(one))
      throw new ConfigError({
        place: `policy "${name}"`,
        problem: `"${one.slice(0, 60)}" is not an action`,
        hint: 'write order.read, order.* or *',
      })
  }
  const types = on === undefined || on === '*' ? '*' : isType(on) ? [on] : on
  return Object.freeze({ name, effect, actions, types, when: conditionOf(when) })
}

function conditionOf(when: PolicyOptions['when']): Condition {
  if (when === undefined) return always
  return 'kind' in when ? when : all(...when)
}

function isType(on: ResourceType | readonly ResourceType[]): on is ResourceType {
  return 'table' in on
}
