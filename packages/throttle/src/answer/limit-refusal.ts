import { type ConfigChange, formatDuration, type Reason, type Refusal } from '@postern/core'
import { writtenKey } from '../limit/key.ts'
import type { CompiledLimit } from '../limit/limit.ts'
import type { Question } from '../limit/question.ts'
import type { Rule } from '../rule/rule.ts'

/**
 * The refusal of a request that went over the limit its question names. Its exception answers every limit
 * that the request went over.
 * @param limits that were asked
 */
export function limitRefusal(
  question: Question,
  limit: CompiledLimit,
  limits: readonly CompiledLimit[],
): Refusal {
  const at = question.refused
  const rule = question.rules[at] as Rule
  const seconds = secondsUntil(question, at, rule)
  const { name } = limit
  const key = writtenKey(limit.kind, question.keys[at] as string)
  const reason: Reason = {
    rule: `limit/${name}`,
    message: sentence(rule, seconds),
    evidence: {
      location: `limit.${name}`,
      facts: {
        key: limit.kind,
        value: key,
        limit: rule.limit,
        window: formatDuration(rule.window),
        cost: question.costs[at] as number,
        remaining: question.remaining[at] as number,
      },
    },
    exception: { changes: exemptions(question, limits) },
  }
  return { effect: 'throttle', guard: 'throttle', status: 429, retryAfter: seconds, reasons: [reason] }
}

/** The key exempted from each limit that refuses it. */
function exemptions(question: Question, limits: readonly CompiledLimit[]): readonly ConfigChange[] {
  const changes: ConfigChange[] = []
  for (let at = 0; at < question.count; at++) {
    if (at !== question.refused && !((question.retryAfter[at] as number) > 0)) continue
    const name = question.limits[at]?.name
    const limit = limits.find(other => other.name === name)
    if (limit === undefined) continue
    const key = writtenKey(limit.kind, question.keys[at] as string)
    const place =
      limit.prefix === '' ? ['limits', limit.name] : ['routes', limit.prefix.slice(0, -1), 'throttle']
    changes.push({ at: [...place, 'exempt'], add: [key] })
  }
  return changes
}

/** The refusal of a request that could not be counted, under the policy `closed`. */
export function unavailableRefusal(): Refusal {
  return {
    effect: 'deny',
    guard: 'throttle',
    status: 503,
    retryAfter: 1,
    reasons: [
      {
        rule: 'limit/unavailable',
        message: 'This service cannot check its limits right now. Please try again shortly.',
        exception: { changes: [{ at: ['stores', 'failure'], set: 'local' }] },
      },
    ],
  }
}

/**
 * A place of a concurrency limit comes free when a request ends, which is soon; its lease only says when it
 * does at the latest.
 */
function secondsUntil(question: Question, at: number, rule: Rule): number {
  return rule.kind === 'concurrency' ? 1 : Math.max(1, Math.ceil((question.retryAfter[at] as number) / 1_000))
}

function sentence(rule: Rule, seconds: number): string {
  if (rule.kind === 'concurrency')
    return rule.limit === 1
      ? 'Another request of yours is already being handled; try again when it has been answered.'
      : `${rule.limit} of your requests are already being handled; try again when one of them has been answered.`
  const most = rule.limit === 1 ? 'one request' : `${rule.limit} requests`
  const what =
    rule.kind === 'gcra'
      ? 'You are sending requests faster than you may'
      : `You have sent more than ${most} in ${spell(rule.window / 1_000, 'span')}`
  return `${what}; try again in ${seconds === 1 ? 'a second' : spell(seconds)}.`
}

const ONE: readonly (readonly [seconds: number, text: string])[] = [
  [1, 'a second'],
  [60, 'a minute'],
  [3_600, 'an hour'],
  [86_400, 'a day'],
]

function spell(seconds: number, use: 'wait' | 'span' = 'wait'): string {
  const one = use === 'span' ? ONE.find(([unit]) => unit === seconds) : undefined
  if (one !== undefined) return one[1]
  if (seconds >= 1 && seconds < 120 && Number.isInteger(seconds)) return `${seconds} seconds`
  // Who comes back when the sentence says so is not too early.
  return formatDuration(use === 'span' ? seconds * 1_000 : Math.ceil(seconds / 60) * 60_000)
}
