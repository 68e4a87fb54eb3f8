import type { Engine, Exchange } from '@postern/core'

/** Lets the handler of an allowed exchange run, inside whatever the engine puts around handlers. */
export function handOver<Result>(engine: Engine, exchange: Exchange, work: () => Result): Result {
  const { around } = engine
  return around === undefined ? work() : around(exchange, work)
}
