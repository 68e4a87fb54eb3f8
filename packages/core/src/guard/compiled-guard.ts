import type { Decision } from '../decision/decision.ts'
import type { AnswerHead } from '../exchange/answer-head.ts'
import type { Exchange } from '../exchange/exchange.ts'
import type { Outcome } from '../exchange/outcome.ts'
import type { Guard } from './guard.ts'

/**
 * A guard as the engine calls it. Guards are objects of many shapes, and looking up a method on each of them
 * for every request cost more than most of the methods; these are of one shape.
 */
export interface CompiledGuard {
  readonly guard: Guard
  readonly name: string
  /** Its place in the order of guards. */
  readonly place: number
  /** Whether its refusals count: it is not in observe mode by itself. */
  readonly enforces: boolean
  readonly decide: (exchange: Exchange) => Decision | Promise<Decision>
  readonly settle: ((exchange: Exchange, outcome: Outcome) => void) | undefined
  readonly onAnswer: ((exchange: Exchange, head: AnswerHead) => void) | undefined
}

/** The guards of an engine, in the order in which they are asked. */
export function compiledGuards(guards: readonly Guard[]): readonly CompiledGuard[] {
  return guards.map((guard, place) => ({
    guard,
    name: guard.name,
    place,
    enforces: guard.mode !== 'observe',
    decide: guard.decide,
    settle: guard.settle,
    onAnswer: guard.onAnswer,
  }))
}
