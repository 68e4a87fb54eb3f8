import { type BackendHeaders, readResponseHead } from '../message/response-head.ts'
import type { ProxiedExchange } from './proxied-exchange.ts'

/**
 * The head by which the gateway agrees to leave HTTP/1 (RFC 9110 section 15.2.2), with the backend's own
 * headers.
 */
export function switchingProtocols(raw: BackendHeaders, proxied: ProxiedExchange): string {
  const { headers } = readResponseHead(raw)
  headers.push('Connection', 'Upgrade', 'Upgrade', 'websocket', 'X-Request-Id', proxied.exchange.id)
  proxied.showAnswer(101, headers)
  let text = 'HTTP/1.1 101 Switching Protocols\r\n'
  for (let i = 0; i + 1 < headers.length; i += 2) text += `${headers[i]}: ${headers[i + 1]}\r\n`
  return `${text}\r\n`
}
