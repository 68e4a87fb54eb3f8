import type { Exchange } from '../exchange/exchange.ts'

/**
 * Whether a browser asks here, before a request of another origin, whether it may send it (Fetch
 * standard, "CORS-preflight request"). It carries neither body nor credentials, and the person did
 * nothing for it: limits do not count it. A request with a body, or one that asks to be treated as
 * another method, is not a preflight, whatever else it says.
 */
export function isPreflight(exchange: Exchange): boolean {
  return (
    exchange.method === 'OPTIONS' &&
    !exchange.hasBody &&
    exchange.methodOverrides.length === 0 &&
    exchange.header('origin') !== undefined &&
    exchange.header('access-control-request-method') !== undefined
  )
}
