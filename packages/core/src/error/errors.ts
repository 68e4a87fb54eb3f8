/** Every stable error code of Postern. A test pins this list: a code, once published, keeps its meaning. */
export type ErrorCode =
  | 'POSTERN_CONFIG'
  | 'POSTERN_STORE'
  | 'POSTERN_CREDENTIAL'
  | 'POSTERN_BUDGET_EXCEEDED'
  | 'POSTERN_INTEGRITY'
  | 'POSTERN_REFUSED'
  | 'POSTERN_SINK_REFUSED'

/**
 * The root of everything Postern throws on purpose. `message` says what, where and
 * how to fix it; never a secret.
 */
export abstract class PosternError extends Error {
  abstract readonly code: ErrorCode
  override get name(): string {
    return this.constructor.name
  }
}

/** One mistake in something a person wrote. */
export interface ConfigIssue {
  /** Where it stands, e.g. `postern.config.ts: routes["POST /login"].throttle`. */
  readonly place: string
  /** What is wrong. */
  readonly problem: string
  /** How to fix it, in a few words. */
  readonly hint?: string
}

/**
 * Configuration, a rule file or a command line that cannot be used; carries every
 * issue found, not only the first.
 * @example
 * ```ts
 * import { ConfigError, postern } from 'postern'
 *
 * try {
 *   await postern({ config: { limits: { address: '100 per minute' } } })
 * } catch (error) {
 *   if (error instanceof ConfigError) console.log(error.issues[0]?.place) // prints: limits.address
 * }
 * ```
 */
export class ConfigError extends PosternError {
  readonly code = 'POSTERN_CONFIG'
  readonly issues: readonly ConfigIssue[]

  constructor(issues: ConfigIssue | readonly ConfigIssue[], options?: ErrorOptions) {
    const list = Array.isArray(issues) ? (issues as readonly ConfigIssue[]) : [issues as ConfigIssue]
    super(list.map(formatIssue).join('\n'), options)
    this.issues = list
    // The message says all of it, and Node prints enumerable fields of an uncaught error below its stack.
    Object.defineProperty(this, 'issues', { enumerable: false })
  }
}

function formatIssue(issue: ConfigIssue): string {
  return `${issue.place}: ${issue.problem}${issue.hint === undefined ? '' : ` (${issue.hint})`}`
}

export interface StoreErrorOptions extends ErrorOptions {
  /** Which store, without credentials: `sqlite .postern/postern.db`, `redis 127.0.0.1:6379`. */
  readonly store: string
  /** Whether the same call may succeed later. */
  readonly retryable: boolean
}

/**
 * A store that did not answer, or reported a failure.
 * @example
 * ```ts
 * import { StoreError } from 'postern'
 *
 * const error = new StoreError('did not answer', { store: 'redis', retryable: true })
 * console.log(error.code, error.message) // prints: POSTERN_STORE redis: did not answer
 * ```
 */
export class StoreError extends PosternError {
  readonly code = 'POSTERN_STORE'
  readonly store: string
  readonly retryable: boolean

  constructor(message: string, options: StoreErrorOptions) {
    super(`${options.store}: ${message}`, options)
    this.store = options.store
    this.retryable = options.retryable
  }
}

/** An invalid credential. The message never says which part was wrong. */
export class CredentialError extends PosternError {
  readonly code = 'POSTERN_CREDENTIAL'
}

export interface BudgetExceededOptions extends ErrorOptions {
  /** Name of the budget. */
  readonly budget: string
  /** Units left before this call. */
  readonly allowed: number
  /** Units the call asked for. */
  readonly asked: number
  /** When the same call may pass, epoch milliseconds. */
  readonly retryAt: number
}

/** An action that would have gone over a budget and was undone. */
export class BudgetExceeded extends PosternError {
  readonly code = 'POSTERN_BUDGET_EXCEEDED'
  readonly budget: string
  readonly allowed: number
  readonly asked: number
  readonly retryAt: number

  constructor(options: BudgetExceededOptions) {
    super(
      `budget "${options.budget}" has ${options.allowed} left and ${options.asked} were asked for; ` +
        `retry at ${new Date(options.retryAt).toISOString()}`,
      options,
    )
    this.budget = options.budget
    this.allowed = options.allowed
    this.asked = options.asked
    this.retryAt = options.retryAt
  }
}

/** Data that differs from what was written. Do not retry: a person must investigate. */
export class IntegrityError extends PosternError {
  readonly code = 'POSTERN_INTEGRITY'
}
