import type { CommandResult } from './command-result.ts'
import { describe } from './describe.ts'
import type { AccessQuestion } from './explain.ts'
import type { Policy } from './policy.ts'
import type { PolicySet } from './policy-set.ts'
import { questionText } from './policy-test.ts'

/** A question that is answered otherwise. */
export interface AccessChange {
  readonly question: string
  readonly change: 'gains' | 'loses'
  /** The policies that decided before and after. */
  readonly before: string
  readonly after: string
}

/** What two policy sets have and decide differently. */
export interface PolicyDiff {
  readonly added: readonly string[]
  readonly removed: readonly string[]
  readonly changed: readonly string[]
  readonly access: readonly AccessChange[]
  readonly asked: number
}

/**
 * What a change of policies means: which policies are new, gone or different, and who of those asked about
 * gains or loses what. It compares answers, so it says nothing about questions that were not asked: pass real
 * callers and rows, or those that `questionsAbout` makes up.
 * @returns exit code 1 when somebody gains access, for a pipeline that wants a person to look
 */
export function diffPolicies(
  before: PolicySet,
  after: PolicySet,
  questions: Iterable<AccessQuestion>,
): CommandResult<PolicyDiff> {
  const access: AccessChange[] = []
  let asked = 0
  for (const question of questions) {
    asked++
    const { principal, action, resource, context } = question
    const old = before.decide(principal, action, resource, context)
    const now = after.decide(principal, action, resource, context)
    if (old.allowed !== now.allowed)
      access.push({
        question: questionText(question),
        change: now.allowed ? 'gains' : 'loses',
        before: old.policy,
        after: now.policy,
      })
  }
  const old = new Map(before.policies.map(policy => [policy.name, textOf(policy)]))
  const now = new Map(after.policies.map(policy => [policy.name, textOf(policy)]))
  const added = [...now.keys()].filter(name => !old.has(name))
  const removed = [...old.keys()].filter(name => !now.has(name))
  const changed = [...now.keys()].filter(name => old.has(name) && old.get(name) !== now.get(name))
  const lines = [
    ...added.map(name => `+ ${now.get(name)}`),
    ...removed.map(name => `- ${old.get(name)}`),
    ...changed.flatMap(name => [`- ${old.get(name)}`, `+ ${now.get(name)}`]),
    ...access.map(
      ({ question, change, before: was, after: is }) =>
        `${change.padEnd(5)} ${question} ("${was}" -> "${is}")`,
    ),
    `${access.filter(({ change }) => change === 'gains').length} gain and ${
      access.filter(({ change }) => change === 'loses').length
    } lose access, of ${asked} questions`,
  ]
  return {
    exitCode: access.some(({ change }) => change === 'gains') ? 1 : 0,
    lines,
    data: { added, removed, changed, access, asked },
  }
}

function textOf({ name, effect, actions, types, when }: Policy): string {
  const on = types === '*' ? '*' : types.map(type => type.name).join(', ')
  return `${effect} "${name}": ${actions.join(', ')} on ${on} when ${describe(when)}`
}
