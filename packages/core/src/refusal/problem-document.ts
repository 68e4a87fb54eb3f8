import type { RefusalContent } from '../decision/decision.ts'
import type { Exchange } from '../exchange/exchange.ts'

/** Members of a problem document (RFC 9457), and those that its type adds. */
export interface Problem {
  readonly type: string
  readonly title: string
  readonly status: number
  readonly detail: string
  readonly [extension: string]: unknown
}

/** A request as refusals name it (`instance`, RFC 9457 section 3.1.5); `postern explain` takes it. */
export function requestUrn({ id }: Pick<Exchange, 'id'>): string {
  return `urn:postern:request:${id}`
}

/**
 * A problem document (RFC 9457) for this request. Its `instance` holds the request id, which `explain` takes:
 * every document that a guard writes is made here.
 */
export function problemDocument(exchange: Exchange, problem: Problem): RefusalContent {
  const { type, title, status, detail, ...more } = problem
  return {
    type: 'application/problem+json',
    text: JSON.stringify({
      type,
      title,
      status,
      detail,
      instance: requestUrn(exchange),
      ...more,
    }),
  }
}
