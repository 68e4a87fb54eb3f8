import type { Principal } from '@postern/core'
import type { CommandResult } from './command-result.ts'
import type { Context } from './context.ts'
import { describe } from './describe.ts'
import type { PolicySet, Resource } from './policy-set.ts'

/** The action, the resource and the principals that are asked about. */
export interface WhoCanOptions {
  readonly action: string
  readonly resource: Resource
  /** The principals to ask about: all users of a tenant, one for each role. */
  readonly principals: Iterable<Principal>
  readonly context?: Context
}

/** Who of those asked about may do something, and what others would need. */
export interface WhoCan {
  /** Who may, and by which policy. */
  readonly allowed: readonly { readonly principal: string; readonly policy: string }[]
  readonly asked: number
  /**
   * What every caller would need, whoever they are: the allow policies, and the
   * denials that they must not meet.
   */
  readonly needs: readonly string[]
  readonly unless: readonly string[]
}

/** Who of some principals may do something, and what anybody else would need for it. */
export function whoCan(policies: PolicySet, options: WhoCanOptions): CommandResult<WhoCan> {
  const { action, resource, context } = options
  const allowed: { principal: string; policy: string }[] = []
  let asked = 0
  for (const principal of options.principals) {
    asked++
    const verdict = policies.decide(principal, action, resource, context)
    if (verdict.allowed)
      allowed.push({ principal: `${principal.kind}:${principal.id}`, policy: verdict.policy })
  }
  const speaking = policies.rules(action, resource.type).policies
  const words = (effect: 'allow' | 'deny'): readonly string[] =>
    speaking
      .filter(policy => policy.effect === effect)
      .map(({ name, when }) => `${describe(when)} (policy "${name}")`)
  const [needs, unless] = [words('allow'), words('deny')]
  return {
    exitCode: 0,
    lines: [
      `${allowed.length} of ${asked} may ${action} this ${resource.type === '' ? 'way' : resource.type}`,
      ...allowed.map(({ principal, policy }) => `  ${principal} by "${policy}"`),
      needs.length === 0 ? 'no policy allows it to anybody' : 'it needs one of',
      ...needs.map(need => `  ${need}`),
      ...(unless.length === 0 ? [] : ['unless', ...unless.map(one => `  ${one}`)]),
    ],
    data: { allowed, asked, needs, unless },
  }
}
