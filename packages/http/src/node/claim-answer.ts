import { ownAnswer } from '@postern/core'
import { writeAnswer } from './node-answer.ts'
import type { NodeCarrier } from './node-carrier.ts'

/** What an application may have set for the answer that it does not get to give. */
const OF_ANOTHER_BODY = [
  'Content-Encoding',
  'Content-Language',
  'Content-Range',
  'Content-Security-Policy',
  'ETag',
  'Last-Modified',
  'Location',
  'Transfer-Encoding',
] as const

/**
 * Takes a response over: whatever the application writes from now on is dropped, and when it ends the answer,
 * the refusal of the exchange is sent in its place. So a catch-all error handler cannot turn a refusal into
 * something else, and an error page does not mix with it.
 */
export function claimAnswer(carrier: NodeCarrier): void {
  const { response, exchange } = carrier
  if (response.headersSent) return
  const { writeHead, end, write } = response
  response.writeHead = () => response
  response.write = () => true
  response.end = (...rest: readonly unknown[]) => {
    response.writeHead = writeHead
    response.write = write
    response.end = end
    for (const name of OF_ANOTHER_BODY) response.removeHeader(name)
    response.statusMessage = ''
    const own = ownAnswer(exchange)
    if (own !== undefined) writeAnswer(own, exchange, response)
    const ended = rest.find(part => typeof part === 'function') as (() => void) | undefined
    if (ended !== undefined) queueMicrotask(ended)
    return response
  }
}
