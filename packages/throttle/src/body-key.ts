import type { Exchange } from '@postern/core'
import { type Key, named } from './key.ts'

const MAX_DEPTH = 8

/**
 * A field of a JSON or form body, `email` or `user.email`: for limits per account on a login route. Letter
 * case, surrounding space and compatibility forms are folded (Unicode NFKC), so that spelling a name
 * differently is no way round. Requests whose body lacks the field, cannot be read, or is larger than guards
 * may read share one key; requests without a body are not counted.
 */
export function body(field: string): Key {
  const path = field.split('.').slice(0, MAX_DEPTH)
  return named('body', 'arrival', exchange => (exchange.hasBody ? readField(exchange, path) : undefined))
}

async function readField(exchange: Exchange, path: readonly string[]): Promise<string> {
  const { bytes, complete } = await exchange.readBody()
  if (!complete) return ''
  const text = new TextDecoder().decode(bytes)
  const type = exchange.header('content-type') ?? ''
  const value = /^application\/x-www-form-urlencoded\b/i.test(type)
    ? new URLSearchParams(text).get(path.join('.'))
    : jsonField(text, path)
  return typeof value === 'string' || typeof value === 'number'
    ? String(value).normalize('NFKC').trim().toLowerCase()
    : ''
}

function jsonField(text: string, path: readonly string[]): unknown {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return undefined
  }
  for (const name of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined
    value = (value as Record<string, unknown>)[name]
  }
  return value
}
