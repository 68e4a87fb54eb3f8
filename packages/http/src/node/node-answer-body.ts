import type { AnswerWatch } from '@postern/core'
import type { NodeResponse } from '../message/node-message.ts'

type Writer = (this: unknown, ...rest: readonly unknown[]) => unknown
type Writing = Omit<NodeResponse, 'write' | 'end'> & { write: Writer; end: Writer }

/**
 * Shows every piece of this one response's body to a guard that watches it. Pieces are seen as the handler
 * writes them, before any framing.
 */
export function watchBody(response: NodeResponse, watch: AnswerWatch): void {
  const target: Writing = response as Omit<NodeResponse, 'write' | 'end'> & { write: Writer; end: Writer }
  const { write, end } = target
  const take = (chunk: unknown, encoding: unknown): void => {
    if (typeof chunk === 'string') watch.take(Buffer.from(chunk, isEncoding(encoding) ? encoding : 'utf8'))
    else if (chunk instanceof Uint8Array) watch.take(chunk)
  }
  let isEnding = false
  target.write = function (...rest) {
    // HTTP/2 writes what `end` was given through `write`.
    if (!isEnding) take(rest[0], rest[1])
    return Reflect.apply(write, this, rest)
  }
  target.end = function (...rest) {
    take(rest[0], rest[1])
    isEnding = true
    return Reflect.apply(end, this, rest)
  }
}

function isEncoding(value: unknown): value is BufferEncoding {
  return typeof value === 'string' && Buffer.isEncoding(value)
}
