import type { Principal } from '@postern/core'
import type { Condition } from './condition.ts'
import type { Context } from './context.ts'
import { type Evaluator, evaluator } from './evaluator.ts'
import type { Fields } from './facts.ts'
import type { Policy } from './policy.ts'
import { FALSE, TRUE } from './truth.ts'
import { DEFAULT_DENY, type Verdict } from './verdict.ts'

interface Rule {
  readonly evaluate: Evaluator
  readonly verdict: Verdict
  /** For a deny policy: what it says when its condition is unknown. */
  readonly unknown: Verdict
}

/** The policies for one action on one type, compiled. */
export interface RuleIndex {
  readonly policies: readonly Policy[]
  decide(principal: Principal, fields: Fields, context: Context): Verdict
}

/**
 * Compiles policies that all cover one action and one type. Those that need a role are kept by role, so
 * that a decision costs what the caller's own roles have to say, not what all roles have. Deny policies come
 * first; among several that speak, the first in this order is named.
 */
export function ruleIndex(policies: readonly Policy[]): RuleIndex {
  const denies = byRole(policies.filter(({ effect }) => effect === 'deny'))
  const allows = byRole(policies.filter(({ effect }) => effect === 'allow'))
  return {
    policies,
    decide(principal, fields, context) {
      if (denies.size > 0) {
        const denied =
          firstDeny(denies.general, principal, fields, context) ??
          ofRoles(denies.roles, firstDeny, principal, fields, context)
        if (denied !== undefined) return denied
      }
      return (
        firstAllow(allows.general, principal, fields, context) ??
        ofRoles(allows.roles, firstAllow, principal, fields, context) ??
        DEFAULT_DENY
      )
    },
  }
}

interface ByRole {
  readonly size: number
  readonly general: readonly Rule[]
  readonly roles: ReadonlyMap<string, readonly Rule[]> | undefined
}

type First = (
  rules: readonly Rule[],
  principal: Principal,
  fields: Fields,
  context: Context,
) => Verdict | undefined

function byRole(policies: readonly Policy[]): ByRole {
  const general: Rule[] = []
  const roles = new Map<string, Rule[]>()
  for (const policy of policies) {
    const role = neededRole(policy.when)
    const rule = ruleOf(policy)
    if (role === undefined) general.push(rule)
    else roles.set(role, [...(roles.get(role) ?? []), rule])
  }
  return { size: policies.length, general, roles: roles.size === 0 ? undefined : roles }
}

/**
 * A role without which the condition is false: not merely unknown, so leaving the policy out changes nothing.
 */
function neededRole(condition: Condition): string | undefined {
  if (condition.kind === 'has' && condition.list === 'roles') return condition.value
  if (condition.kind !== 'all') return undefined
  for (const part of condition.of) {
    const role = neededRole(part)
    if (role !== undefined) return role
  }
  return undefined
}

function ruleOf({ name, effect, when }: Policy): Rule {
  const verdict: Verdict = Object.freeze({ allowed: effect === 'allow', policy: name, why: 'policy' })
  const unknown: Verdict = Object.freeze({ allowed: false, policy: name, why: 'unknown' })
  return { evaluate: evaluator(when), verdict, unknown }
}

function ofRoles(
  roles: ReadonlyMap<string, readonly Rule[]> | undefined,
  first: First,
  principal: Principal,
  fields: Fields,
  context: Context,
): Verdict | undefined {
  const own = principal.roles
  if (roles === undefined || own === undefined) return undefined
  for (let i = 0; i < own.length; i++) {
    const rules = roles.get(own[i] as string)
    const verdict = rules === undefined ? undefined : first(rules, principal, fields, context)
    if (verdict !== undefined) return verdict
  }
  return undefined
}

const firstDeny: First = (rules, principal, fields, context) => {
  for (let i = 0; i < rules.length; i++) {
    const rule = rules[i] as Rule
    const value = rule.evaluate(principal, fields, context)
    if (value !== FALSE) return value === TRUE ? rule.verdict : rule.unknown
  }
  return undefined
}

const firstAllow: First = (rules, principal, fields, context) => {
  for (let i = 0; i < rules.length; i++) {
    const rule = rules[i] as Rule
    if (rule.evaluate(principal, fields, context) === TRUE) return rule.verdict
  }
  return undefined
}
