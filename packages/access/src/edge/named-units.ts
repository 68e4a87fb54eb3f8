import type { Exchange, Json } from '@postern/core'
import { countIds } from './count-ids.ts'

const JSON_TYPE = /^application\/(?:[\w.-]+\+)?(?:json|graphql-response\+json)\b/i

/** Whether a request brings JSON. */
export function hasJsonBody(exchange: Exchange): boolean {
  return exchange.hasBody && JSON_TYPE.test(exchange.header('content-type') ?? '')
}

const ID_PARAMETER = /(?:^|[_.-])ids?(?:\[\])?$|Ids?(?:\[\])?$/

/** `?id=1&id=2`, `?ids=1,2`; at least 1. */
export function idsInQuery(exchange: Exchange): number {
  const mark = exchange.source.target.indexOf('?')
  if (mark < 0) return 1
  let count = 0
  for (const [name, value] of new URLSearchParams(exchange.source.target.slice(mark + 1)))
    if (ID_PARAMETER.test(name)) count += value.split(',').length
  return Math.max(1, count)
}

/** Undefined for what is no JSON. */
export function parseBody(bytes: Uint8Array): Json | undefined {
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8'))
  } catch {
    return undefined
  }
}

/**
 * How many things a request names, in its JSON body or its query; at least 1.
 * @returns undefined when the body cannot be read whole, so that nobody knows
 */
export async function namedUnits(exchange: Exchange): Promise<number | undefined> {
  if (!hasJsonBody(exchange)) return idsInQuery(exchange)
  const { bytes, complete } = await exchange.readBody()
  const body = complete ? parseBody(bytes) : undefined
  return body === undefined ? undefined : Math.max(countIds(body), idsInQuery(exchange))
}
