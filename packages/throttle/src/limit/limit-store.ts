import type { Health } from '@postern/core'
import type { Rule } from '../rule/rule.ts'
import type { LimitName, Question } from './question.ts'

/** Where the counts are kept. Several guards and processes may share one. */
export interface LimitStore {
  /** `memory`, `redis`, `postgres`: for people. */
  readonly name: string
  /**
   * Answers a question: all asks are debited, or none is. Undefined when answered at once.
   * @throws StoreError (rejects) when the store cannot answer; what was debited then is not known
   */
  decide(question: Question): undefined | Promise<void>
  /** Gives places of a concurrency limit back. Never throws; a place that cannot be given back expires. */
  release(limit: LimitName, key: string, rule: Rule, ticket: number, cost: number): void
  /**
   * Forgets what a key has used under a limit, by whichever of its rules.
   * @throws StoreError (rejects) when the store cannot
   */
  reset(limit: LimitName, key: string): undefined | Promise<void>
  /** How the store is, from memory. */
  health(): Health
  /** Lets go of timers and connections the store itself opened. */
  close(): Promise<void>
}
