import { Exchange, type RequestSource } from '../src/exchange/exchange.ts'
import { CidrSet, type Engine, RouteTable } from '../src/index.ts'

/** A request as a carrier would describe it; by default a plain GET. */
export function source(more: Partial<RequestSource> = {}): RequestSource {
  return {
    method: 'GET',
    target: '/',
    headers: ['Host', 'shop.example'],
    peer: '192.0.2.1',
    secure: false,
    httpVersion: '1.1',
    body: undefined,
    native: undefined,
    ...more,
  }
}

/** An exchange outside any engine. */
export function exchangeOf(more: Partial<RequestSource> = {}, proxies: readonly string[] = []): Exchange {
  const context = {
    trustedProxies: CidrSet.parse(proxies),
    routes: new RouteTable(),
    nextId: () => '01234567890123456789' as never,
    bodyLimit: 1_024,
  }
  return new Exchange(source(more), context, 0)
}

/** Runs one request through an engine, to its end. */
export async function run(engine: Engine, more: Partial<RequestSource> = {}): Promise<Exchange> {
  const exchange = engine.open(source(more))
  await engine.decide(exchange)
  const status = exchange.decision.effect === 'allow' ? 200 : exchange.decision.status
  engine.settle(exchange, { status, duration: 1, bytes: 0, aborted: false })
  return exchange
}
