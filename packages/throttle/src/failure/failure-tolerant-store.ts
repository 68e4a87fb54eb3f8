import { type Clock, type Health, systemClock, systemTimers, type Timers } from '@postern/core'
import type { LimitStore } from '../limit/limit-store.ts'
import { type LimitName, limitName, Question } from '../limit/question.ts'
import { type MemoryStore, memoryStore } from '../memory/memory-store.ts'
import { type Rule, scaleRule, window } from '../rule/rule.ts'
import type { FailurePolicy } from './failure-policy.ts'

export interface FailureToleranceOptions {
  readonly policy: FailurePolicy
  /** Milliseconds. */
  readonly deadline: number
  readonly timers?: Timers
  readonly clock?: Clock
  /** The store that counts under the policy `local`. */
  readonly fallback?: MemoryStore
}

/** Questions the store answers together, and has not answered yet. */
interface Waiting {
  readonly pending: Promise<void>
  readonly questions: Question[]
  readonly due: number
  readonly settled: Promise<void>
  readonly settle: () => void
  answered: 'no' | 'yes'
}

/**
 * How long a store that failed is left alone before it is tried again, milliseconds; doubled up to the
 * longest.
 */
const FIRST_PAUSE = 100
const LONGEST_PAUSE = 1_000
/**
 * A timer this late (milliseconds) means that the process itself stood still: answers may lie unread, so they
 * are read first.
 */
const STOOD_STILL = 10

const PROBE_NAME = limitName('postern-probe')
/** More than the probes of any number of processes take, so that each is counted: a write. */
const PROBE_RULE = window(1_000_000, '1s')

/**
 * A store whose every answer comes before the deadline. When one does not, the policy decides, and decides at
 * once from then on, while one question at a time, of a limit that nobody reaches, finds out whether the
 * store is back.
 */
export class FailureTolerantStore implements LimitStore {
  readonly name: string
  readonly #store: LimitStore
  readonly #policy: FailurePolicy
  readonly #deadline: number
  readonly #timers: Timers
  readonly #clock: Clock
  readonly #fallback: MemoryStore
  readonly #scaled = new WeakMap<Rule, Rule>()
  /** In the order of their deadlines, as all have the same time to wait. */
  #waiting: Waiting[] = []
  #timer: (() => void) | undefined
  #probeTimer: (() => void) | undefined
  #state: 'answers' | 'away' | 'closed' = 'answers'
  #pause = FIRST_PAUSE
  #problem = ''

  constructor(store: LimitStore, options: FailureToleranceOptions) {
    this.name = store.name
    this.#store = store
    this.#policy = options.policy
    this.#deadline = options.deadline
    this.#timers = options.timers ?? systemTimers
    this.#clock = options.clock ?? systemClock
    this.#fallback = options.fallback ?? memoryStore()
  }

  decide(question: Question): undefined | Promise<void> {
    if (question.count === 0) return undefined
    if (this.#state === 'away') return this.#decideAlone(question)
    let pending: undefined | Promise<void>
    try {
      pending = this.#store.decide(question)
    } catch (error) {
      this.#failed(error)
      return this.#decideAlone(question)
    }
    return pending === undefined ? undefined : this.#await(question, pending)
  }

  /** Questions of one batch share one promise and one deadline: the first's. */
  #await(question: Question, pending: Promise<void>): Promise<void> {
    const last = this.#waiting.at(-1)
    if (last !== undefined && last.pending === pending && last.answered === 'no') {
      last.questions.push(question)
      return last.settled
    }
    const { promise: settled, resolve: settle } = Promise.withResolvers<void>()
    const due = this.#clock.monotonic() + this.#deadline
    const waiting: Waiting = { pending, questions: [question], due, settled, settle, answered: 'no' }
    this.#waiting.push(waiting)
    this.#timer ??= this.#timers.after(this.#deadline, () => this.#expire())
    pending.then(
      () => this.#answered(waiting),
      error => this.#unanswered(waiting, error),
    )
    return settled
  }

  #answered(waiting: Waiting): void {
    if (waiting.answered === 'yes') return
    waiting.answered = 'yes'
    waiting.settle()
  }

  #unanswered(waiting: Waiting, error: unknown): void {
    if (waiting.answered === 'yes') return
    waiting.answered = 'yes'
    this.#failed(error)
    for (const question of waiting.questions) this.#decideAlone(question)
    waiting.settle()
  }

  /** Lets the policy decide what has waited long enough, and sets the timer for what has not. */
  #expire(): void {
    this.#timer = undefined
    const now = this.#clock.monotonic()
    const first = this.#waiting.find(({ answered }) => answered === 'no')
    if (
      first !== undefined &&
      now - first.due > STOOD_STILL &&
      now - first.due < STOOD_STILL + this.#deadline
    ) {
      this.#timer = this.#timers.after(1, () => this.#expireBy(this.#clock.monotonic()))
      return
    }
    this.#expireBy(now)
  }

  #expireBy(now: number): void {
    this.#timer = undefined
    let passed = 0
    for (const waiting of this.#waiting) {
      if (waiting.answered === 'no') {
        // A timer may fire a fraction of a millisecond early by this clock.
        if (waiting.due > now + 1) break
        this.#unanswered(waiting, undefined)
      }
      passed++
    }
    this.#waiting = this.#waiting.slice(passed)
    const next = this.#waiting[0]
    if (next !== undefined)
      this.#timer = this.#timers.after(Math.max(1, next.due - now), () => this.#expire())
  }

  /** The policy's answer. The store, should it still answer, finds that the question has moved on. */
  #decideAlone(question: Question): undefined {
    question.turn++
    question.degraded = true
    question.refused = -1
    const { count } = question
    if (typeof this.#policy === 'object') {
      const rules = question.rules.slice(0, count)
      for (let i = 0; i < count; i++)
        question.rules[i] = this.#scale(question.rules[i] as Rule, this.#policy.local)
      this.#fallback.decide(question)
      // Tickets of the fallback differ from the store's by their sign.
      for (let i = 0; i < count; i++) {
        question.rules[i] = rules[i] as Rule
        question.tickets[i] = -1 - (question.tickets[i] as number)
      }
      return undefined
    }
    question.refused = this.#policy === 'closed' ? 0 : -1
    for (let i = 0; i < count; i++) {
      question.remaining[i] = this.#policy === 'closed' ? 0 : (question.rules[i] as Rule).limit
      question.resetAfter[i] = 0
      question.retryAfter[i] = 0
      question.tickets[i] = Number.NaN
    }
    return undefined
  }

  #scale(rule: Rule, share: number): Rule {
    let scaled = this.#scaled.get(rule)
    if (scaled === undefined) {
      scaled = scaleRule(rule, share)
      this.#scaled.set(rule, scaled)
    }
    return scaled
  }

  #failed(error: unknown): void {
    this.#problem = error instanceof Error ? error.message : `no answer within ${this.#deadline} ms`
    if (this.#state !== 'answers') return
    this.#state = 'away'
    this.#pause = FIRST_PAUSE
    this.#scheduleProbe()
  }

  #scheduleProbe(): void {
    this.#probeTimer = this.#timers.after(this.#pause, () => this.#probe())
    this.#pause = Math.min(LONGEST_PAUSE, this.#pause * 2)
  }

  /**
   * One question. The store is back when it answers in time. It takes a unit, for a store that is full or
   * read-only answers those that take none.
   */
  #probe(): void {
    const question = new Question()
    question.ask(PROBE_NAME, 'probe', PROBE_RULE, 1)
    let over: 'no' | 'yes' = 'no'
    const end = (result: 'back' | 'away'): void => {
      if (over === 'yes' || this.#state === 'closed') return
      over = 'yes'
      cancel()
      if (result === 'back') this.#state = 'answers'
      else this.#scheduleProbe()
    }
    const cancel = this.#timers.after(this.#deadline, () => end('away'))
    try {
      const pending = this.#store.decide(question)
      if (pending === undefined) end('back')
      else
        pending.then(
          () => end('back'),
          () => end('away'),
        )
    } catch {
      end('away')
    }
  }

  release(limit: LimitName, key: string, rule: Rule, ticket: number, cost: number): void {
    if (ticket >= 0) this.#store.release(limit, key, rule, ticket, cost)
    else if (typeof this.#policy === 'object') {
      this.#fallback.release(limit, key, this.#scale(rule, this.#policy.local), -1 - ticket, cost)
    }
  }

  reset(limit: LimitName, key: string): undefined | Promise<void> {
    this.#fallback.reset(limit, key)
    return this.#store.reset(limit, key)
  }

  health(): Health {
    if (this.#state !== 'away') return this.#store.health()
    const policy =
      typeof this.#policy === 'object'
        ? `each process counts with a share of ${this.#policy.local}`
        : this.#policy
    return {
      name: 'limits',
      ok: false,
      required: this.#policy === 'closed',
      detail: `${this.name} is away (${this.#problem}); policy: ${policy}`,
    }
  }

  async close(): Promise<void> {
    this.#state = 'closed'
    this.#timer?.()
    this.#probeTimer?.()
    await this.#store.close()
  }
}
