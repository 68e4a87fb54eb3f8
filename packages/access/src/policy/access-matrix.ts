import type { Principal } from '@postern/core'
import type { CommandResult } from './command-result.ts'
import { describe } from './describe.ts'
import type { PolicySet } from './policy-set.ts'
import { questionsAbout } from './questions-about.ts'

/** Whether a kind of caller may do something: with every row, with some, with none. */
export type AccessAnswer = 'always' | 'sometimes' | 'never'

/** What a column of the matrix is about. */
export interface AccessAct {
  readonly action: string
  /** Type of the resource; empty for acts that concern none. */
  readonly type: string
  /** What it needs, one of these, each with the policy that says so. */
  readonly needs: readonly string[]
  /** What forbids it all the same. */
  readonly unless: readonly string[]
}

/** The answer of `accessMatrix`: a row for each kind of caller, a column for each act. */
export interface AccessMatrix {
  readonly acts: readonly AccessAct[]
  /** A row for each kind of caller that policies tell apart, with an answer for each act. */
  readonly callers: readonly { readonly caller: string; readonly answers: readonly AccessAnswer[] }[]
}

interface Count {
  asked: number
  allowed: number
}

/**
 * Who can do what, as a table: callers with each role and scope that policies name (and none), against every
 * action and type that they cover. Each cell is decided with the rows of `questionsAbout`; relationships
 * are unknown in all of them, so what needs one reads `never` unless something else allows it.
 */
export function accessMatrix(policies: PolicySet): CommandResult<AccessMatrix> {
  const acts = new Map<string, AccessAct>()
  const rows = new Map<string, Map<string, Count>>()
  for (const { principal, action, resource } of questionsAbout(policies)) {
    const key = `${action}\n${resource.type}`
    const act = acts.get(key) ?? actOf(policies, action, resource.type)
    if (act.needs.length + act.unless.length === 0) continue
    acts.set(key, act)
    const caller = callerOf(principal)
    const row = rows.get(caller) ?? new Map<string, Count>()
    rows.set(caller, row)
    const count = row.get(key) ?? { asked: 0, allowed: 0 }
    row.set(key, count)
    count.asked++
    if (policies.decide(principal, action, resource).allowed) count.allowed++
  }
  const callers = [...rows].map(([caller, row]) => ({
    caller,
    answers: [...acts.keys()].map(key => answerOf(row.get(key))),
  }))
  const data = { acts: [...acts.values()], callers }
  return { exitCode: 0, lines: linesOf(data), data }
}

function actOf(policies: PolicySet, action: string, type: string): AccessAct {
  const words = (effect: 'allow' | 'deny'): readonly string[] =>
    policies
      .rules(action, type)
      .policies.filter(policy => policy.effect === effect)
      .map(({ name, when }) => `${describe(when)} (policy "${name}")`)
  return { action, type, needs: words('allow'), unless: words('deny') }
}

function callerOf({ kind, roles = [], scopes = [] }: Principal): string {
  if (kind === 'anonymous') return 'anonymous'
  const [role] = roles
  const [scope] = scopes
  return role !== undefined ? `role ${role}` : scope !== undefined ? `scope ${scope}` : 'any user'
}

function answerOf(count: Count | undefined): AccessAnswer {
  if (count === undefined || count.allowed === 0) return 'never'
  return count.allowed === count.asked ? 'always' : 'sometimes'
}

function linesOf({ acts, callers }: AccessMatrix): readonly string[] {
  return callers.flatMap(({ caller, answers }) => {
    const may = acts.flatMap(({ action, type }, i) => {
      const answer = answers[i]
      if (answer === undefined || answer === 'never') return []
      return [`  ${answer.padEnd(9)} ${action}${type === '' ? '' : ` ${type}`}`]
    })
    return [caller, ...(may.length === 0 ? ['  nothing'] : may)]
  })
}
