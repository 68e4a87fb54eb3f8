import type { CommandResult } from './command-result.ts'
import type { AccessQuestion } from './explain.ts'
import { explain } from './explain.ts'
import type { PolicySet } from './policy-set.ts'
import type { Verdict } from './verdict.ts'

/** A decision that a policy set must make. */
export interface PolicyCase extends AccessQuestion {
  /** A sentence for people; the question itself when absent. */
  readonly name?: string
  readonly expect: 'allow' | 'deny'
  /** The policy that must decide; any when absent. */
  readonly policy?: string
}

/** What became of one case. */
export interface PolicyCaseResult {
  readonly name: string
  readonly passed: boolean
  readonly verdict: Verdict
}

/** Tries a policy set on the decisions it must make. No case at all is a failure: it tests nothing. */
export function testPolicies(
  policies: PolicySet,
  cases: readonly PolicyCase[],
): CommandResult<readonly PolicyCaseResult[]> {
  const lines: string[] = []
  const results = cases.map((one): PolicyCaseResult => {
    const { verdict } = explain(policies, one).data
    const name = one.name ?? questionText(one)
    const passed =
      verdict.allowed === (one.expect === 'allow') &&
      (one.policy === undefined || one.policy === verdict.policy)
    lines.push(`${passed ? 'ok  ' : 'FAIL'} ${name}`)
    if (!passed) {
      const expected = `${one.expect}${one.policy === undefined ? '' : ` by "${one.policy}"`}`
      lines.push(`     expected ${expected}`, ...explain(policies, one).lines.map(line => `     ${line}`))
    }
    return { name, passed, verdict }
  })
  const failed = results.filter(({ passed }) => !passed).length
  lines.push(cases.length === 0 ? 'no cases' : `${cases.length - failed} of ${cases.length} cases passed`)
  return { exitCode: failed === 0 && cases.length > 0 ? 0 : 1, lines, data: results }
}

/** A question in a few words: `user:ann order.read order 1001`. */
export function questionText({ principal, action, resource }: AccessQuestion): string {
  const id = resource.fields !== undefined && 'id' in resource.fields ? ` ${String(resource.fields.id)}` : ''
  return `${principal.kind}:${principal.id} ${action} ${resource.type}${id}`
}
