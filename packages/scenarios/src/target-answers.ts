import { type Event, HttpEvent } from '@postern/core'
import type { DetectionRule } from './scenario.ts'

/** Rules about nothing but the target: one bit of a number each. */
export const MAX_TARGET_RULES = 30
/** Different answers that are kept once and shared. */
const MAX_LISTS = 1_024

/** What is fixed by the target alone, or is the same in all requests that `isPlain` lets through. */
const SETTLED_BY_TARGET: ReadonlySet<string> = new Set([
  'type',
  'request.target',
  'request.path',
  'request.file',
  'request.query',
  'request.decoded',
  'request.method',
  'actor.principal',
])

/**
 * Whether a rule looks at nothing but what a target settles, and is not left out by a missing word anyhow.
 */
export function isAboutTarget({ reads, needs }: DetectionRule): boolean {
  if (!reads.every(field => SETTLED_BY_TARGET.has(field))) return false
  return needs === undefined || needs.every(need => need.kind === 'values' && need.field !== 'type')
}

/**
 * What rules about nothing but the target said of targets without any word that rules look for: the rules
 * that match, for GET requests of nobody in particular. Kept on the target itself, while that is kept.
 */
export class TargetAnswers {
  /** Places of the rules whose answers are kept. */
  readonly rules: readonly number[]
  readonly #all: readonly DetectionRule[]
  /** The lists themselves, by a bit for each rule: most targets have the same few. */
  readonly #lists = new Map<number, readonly number[]>()

  constructor(all: readonly DetectionRule[], rules: readonly number[]) {
    this.#all = all
    this.rules = rules
  }

  /** The rules that match, or undefined when it is not known. */
  of(event: Event): readonly number[] | undefined {
    if (!isPlain(event)) return undefined
    const { knownTarget } = event.exchange
    return knownTarget.answeredBy === this ? knownTarget.answers : undefined
  }

  /** Asks the rules and keeps what they say. Only for a target without any word. */
  keep(event: Event): void {
    if (!isPlain(event)) return
    let matching = 0
    for (let i = 0; i < this.rules.length; i++) {
      if (this.#all[this.rules[i] as number]?.matches(event) === true) matching |= 1 << i
    }
    let list = this.#lists.get(matching)
    if (list === undefined) {
      list = this.rules.filter((_, i) => (matching & (1 << i)) !== 0)
      if (this.#lists.size < MAX_LISTS) this.#lists.set(matching, list)
    }
    const { knownTarget } = event.exchange
    knownTarget.answeredBy = this
    knownTarget.answers = list
  }
}

/** A request of which everything in `SETTLED_BY_TARGET` but the target itself is always the same. */
function isPlain(event: Event): event is HttpEvent {
  return event instanceof HttpEvent && event.exchange.method === 'GET' && event.exchange.principal.id === ''
}
