import type { Exchange } from '@postern/core'
import type { LimitStage } from '../limit/key.ts'
import type { LimitName, Question } from '../limit/question.ts'
import type { Rule } from '../rule/rule.ts'
import { Standings } from './standings.ts'

/** `standard`: `RateLimit-Policy` and `RateLimit`; `legacy`: `X-RateLimit-*`. */
export type HeaderStyle = 'standard' | 'legacy' | 'both' | 'none'

/**
 * Tells the client where it stands. `RateLimit-Policy: "address";q=100;w=60` and
 * `RateLimit: "address";r=50;t=30` (draft-ietf-httpapi-ratelimit-headers-10): quota and seconds of its
 * window; units left, and seconds until all of the quota is there again (not for concurrency limits).
 */
export class RateLimitHeaders {
  readonly #style: HeaderStyle
  /** Text of a rule's policy under a name; rules are immutable, so it is written once. */
  readonly #policies = new WeakMap<Rule, Map<string, string>>()
  #lastLimits: readonly LimitName[] = []
  #lastRules: readonly Rule[] = []
  #lastPolicy = ''
  readonly #standings = new Standings()

  constructor(style: HeaderStyle) {
    this.#style = style
  }

  /**
   * Adds the headers for an answered question to the exchange's answer; those of the second stage join those
   * of the first.
   */
  write(exchange: Exchange, question: Question, stage: LimitStage): void {
    if (this.#style === 'none' || question.count === 0) return
    if (this.#style !== 'legacy') {
      const reply = stage === 'arrival' ? replyFirst : replyNext
      reply(exchange, 'RateLimit-Policy', this.#policy(question))
      reply(exchange, 'RateLimit', this.#standings.of(question))
    }
    if (this.#style !== 'standard') writeLegacy(exchange, question)
  }

  #policy(question: Question): string {
    if (this.#isLast(question)) return this.#lastPolicy
    let policy = ''
    for (let i = 0; i < question.count; i++) {
      policy += `${i > 0 ? ', ' : ''}${this.#policyOf(question.limits[i]?.name ?? '', question.rules[i] as Rule)}`
    }
    this.#lastLimits = question.limits.slice(0, question.count)
    this.#lastRules = question.rules.slice(0, question.count)
    this.#lastPolicy = policy
    return policy
  }

  /** Whether this question is about the same limits and rules as the last: nearly always so. */
  #isLast(question: Question): boolean {
    if (this.#lastRules.length !== question.count) return false
    for (let i = 0; i < question.count; i++) {
      if (this.#lastRules[i] !== question.rules[i] || this.#lastLimits[i] !== question.limits[i]) return false
    }
    return true
  }

  #policyOf(name: string, rule: Rule): string {
    const known = this.#policies.get(rule)?.get(name)
    if (known !== undefined) return known
    const quota = `"${name}";q=${rule.limit}`
    const text =
      rule.kind === 'concurrency'
        ? `${quota};qu="concurrent-requests"`
        : `${quota};w=${Math.max(1, Math.ceil(rule.window / 1_000))}`
    const names = this.#policies.get(rule) ?? new Map<string, string>()
    if (names.size < 64) this.#policies.set(rule, names.set(name, text))
    return text
  }
}

function replyFirst(exchange: Exchange, name: string, value: string): void {
  exchange.reply(name, value)
}

/** Both headers are lists (RFC 9651): two stages make one. */
function replyNext(exchange: Exchange, name: string, value: string): void {
  const first = exchange.replied(name)
  exchange.setReply(name, first === undefined ? value : `${first}, ${value}`)
}

/** The older headers know one limit: the one that refused, or is nearest to it. */
function writeLegacy(exchange: Exchange, question: Question): void {
  let tightest = Math.max(0, question.refused)
  if (question.refused < 0) {
    for (let i = 1; i < question.count; i++) {
      if ((question.remaining[i] as number) < (question.remaining[tightest] as number)) tightest = i
    }
  }
  const remaining = question.remaining[tightest] as number
  const told = exchange.replied('X-RateLimit-Remaining')
  if (told !== undefined && question.refused < 0 && Number(told) <= remaining) return
  exchange.setReply('X-RateLimit-Limit', String(question.rules[tightest]?.limit ?? 0))
  exchange.setReply('X-RateLimit-Remaining', String(remaining))
  exchange.setReply('X-RateLimit-Reset', String(Math.ceil((question.resetAfter[tightest] as number) / 1_000)))
}
