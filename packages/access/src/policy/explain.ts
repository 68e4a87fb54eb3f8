import type { Principal } from '@postern/core'
import type { CommandResult } from './command-result.ts'
import type { Condition } from './condition.ts'
import { type Context, NO_CONTEXT } from './context.ts'
import { describe } from './describe.ts'
import { evaluator } from './evaluator.ts'
import type { Fields } from './facts.ts'
import type { PolicySet, Resource } from './policy-set.ts'
import { FALSE, TRUE, type Truth } from './truth.ts'
import type { Verdict } from './verdict.ts'

/** What became of one condition. */
export interface ConditionTrace {
  readonly condition: string
  readonly result: 'true' | 'false' | 'unknown'
  readonly parts: readonly ConditionTrace[]
}

/** What became of one policy that covers the action and the type. */
export interface PolicyTrace {
  readonly policy: string
  readonly effect: 'allow' | 'deny'
  /** Whether it speaks: an allow whose condition is true, a deny whose condition is not false. */
  readonly speaks: boolean
  readonly trace: ConditionTrace
}

/** A question to a policy set. */
export interface AccessQuestion {
  readonly principal: Principal
  readonly action: string
  readonly resource: Resource
  readonly context?: Context
}

/** A verdict, and what each policy that covers the question contributed to it. */
export interface Explanation {
  readonly verdict: Verdict
  readonly policies: readonly PolicyTrace[]
}

const NAMES: Readonly<Record<Truth, ConditionTrace['result']>> = { 0: 'false', 1: 'unknown', 2: 'true' }

/**
 * Why a decision is as it is: every policy that had a say, and the parts of its
 * condition that made it speak or kept it silent.
 */
export function explain(policies: PolicySet, question: AccessQuestion): CommandResult<Explanation> {
  const { principal, action, resource, context = NO_CONTEXT } = question
  const fields = (resource.fields ?? {}) as Fields
  const verdict = policies.decide(principal, action, resource, context)
  const traces = policies.rules(action, resource.type).policies.map((policy): PolicyTrace => {
    const value = evaluator(policy.when)(principal, fields, context)
    return {
      policy: policy.name,
      effect: policy.effect,
      speaks: policy.effect === 'allow' ? value === TRUE : value !== FALSE,
      trace: traceOf(policy.when, principal, fields, context),
    }
  })
  const lines = [
    `${verdict.allowed ? 'allowed' : 'denied'} by ${verdict.why === 'default' ? 'default: no policy allows it' : `policy "${verdict.policy}"`}${
      verdict.why === 'unknown' ? ', whose condition cannot be evaluated' : ''
    }`,
    ...traces.flatMap(({ policy, effect, speaks, trace }) => [
      `  ${effect} "${policy}": ${speaks ? 'speaks' : 'is silent'}`,
      ...linesOf(trace, 2),
    ]),
  ]
  if (traces.length === 0) lines.push(`  no policy covers "${action}" on "${resource.type}"`)
  return { exitCode: verdict.allowed ? 0 : 1, lines, data: { verdict, policies: traces } }
}

function traceOf(
  condition: Condition,
  principal: Principal,
  fields: Fields,
  context: Context,
): ConditionTrace {
  const parts =
    condition.kind === 'all' || condition.kind === 'any'
      ? condition.of
      : condition.kind === 'not'
        ? [condition.of]
        : []
  return {
    condition: describe(condition),
    result: NAMES[evaluator(condition)(principal, fields, context)],
    parts: parts.map(part => traceOf(part, principal, fields, context)),
  }
}

function linesOf({ condition, result, parts }: ConditionTrace, depth: number): readonly string[] {
  const indent = '  '.repeat(depth)
  return [`${indent}${result}: ${condition}`, ...parts.flatMap(part => linesOf(part, depth + 1))]
}
