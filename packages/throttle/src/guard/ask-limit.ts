import type { Exchange } from '@postern/core'
import { boundedKey, writtenKey } from '../limit/key.ts'
import type { CompiledLimit } from '../limit/limit.ts'
import type { Question } from '../limit/question.ts'

/** Adds what a limit asks of a request to the question, unless it does not apply. */
export function askLimit(
  question: Question,
  limit: CompiledLimit,
  key: string | undefined,
  exchange: Exchange,
  taken?: 0,
): void {
  if (key === undefined) return
  const rule = limit.own?.(key) ?? limit.rule ?? limit.ruleOf?.(exchange)
  if (rule === undefined) return
  if (limit.exempt !== undefined && isExempt(limit, limit.exempt, key)) return
  if (limit.exemptNetworks?.has(exchange.client) === true) return
  const cost = taken ?? (limit.costOf === undefined ? limit.cost : limit.costOf(exchange))
  question.ask(limit, boundedKey(limit.prefix === '' ? key : limit.prefix + key), rule, cost)
}

function isExempt(limit: CompiledLimit, exempt: ReadonlySet<string>, key: string): boolean {
  return exempt.has(key) || exempt.has(writtenKey(limit.kind, boundedKey(limit.prefix + key)))
}
