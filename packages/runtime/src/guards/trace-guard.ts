import { ALLOW, type Guard, traceContext, traceparentOf } from '@postern/core'

/**
 * Hands the trace of a request on to the backend, whose spans are then below the one of the exchange. Refuses
 * nothing.
 * @param ratio of the traces that begin here which are sampled
 */
export function traceGuard(ratio: number): Guard {
  return {
    name: 'trace',
    failure: 'open',
    decide(exchange) {
      const trace = traceContext(exchange.header('traceparent'), exchange.id, ratio)
      exchange.setRequestHeader('traceparent', traceparentOf(trace))
      return ALLOW
    },
  }
}
