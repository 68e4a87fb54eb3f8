import { ALLOW, type Decision, type Exchange, isPreflight } from '@postern/core'
import { limitRefusal } from '../answer/limit-refusal.ts'
import type { CompiledLimit } from '../limit/limit.ts'
import type { LimitStore } from '../limit/limit-store.ts'
import { Question } from '../limit/question.ts'
import { askLimit } from './ask-limit.ts'

const NONE: readonly CompiledLimit[] = []

/** What limits would say of a request, asked without taking anything. */
export function lookAt(
  store: LimitStore,
  exchange: Exchange,
  limits: readonly CompiledLimit[] = NONE,
): Decision | Promise<Decision> {
  if (limits.length === 0 || isPreflight(exchange)) return ALLOW
  const keys = limits.map(({ when, key }) => (when?.(exchange) === false ? undefined : key(exchange)))
  return keys.some(key => key instanceof Promise)
    ? Promise.all(keys).then(known => lookWith(store, exchange, limits, known))
    : lookWith(store, exchange, limits, keys as readonly (string | undefined)[])
}

/** Asks for nothing of each limit, which tells how much is left of it. */
function lookWith(
  store: LimitStore,
  exchange: Exchange,
  limits: readonly CompiledLimit[],
  keys: readonly (string | undefined)[],
): Decision | Promise<Decision> {
  const question = new Question()
  const costs: number[] = []
  for (const [i, limit] of limits.entries()) {
    askLimit(question, limit, keys[i], exchange, 0)
    if (question.count > costs.length) costs.push(limit.costOf?.(exchange) ?? limit.cost)
  }
  const said = (): Decision => {
    const at = costs.findIndex((cost, i) => (question.remaining[i] as number) < cost)
    const limit = limits.find(({ name }) => name === question.limits[at]?.name)
    if (limit === undefined || question.degraded) return ALLOW
    question.refused = at
    return limitRefusal(question, limit, limits)
  }
  const pending = store.decide(question)
  return pending === undefined ? said() : pending.then(said)
}
