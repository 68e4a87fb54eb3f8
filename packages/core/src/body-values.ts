import type { Exchange } from './exchange.ts'
import { MAX_FIELDS, queryValues } from './query-values.ts'

/** What a field of a body or query holds. */
export type BodyValue =
  | string
  | number
  | boolean
  | null
  | readonly BodyValue[]
  | { readonly [key: string]: BodyValue }

/** The fields of a body, or why they cannot be read. */
export type BodyValues =
  | {
      readonly kind: 'fields'
      /** All values of each name, in order: those of repeated fields, and of objects in lists. */
      readonly fields: ReadonlyMap<string, readonly BodyValue[]>
    }
  /** No body, or one of a type that has no fields. */
  | { readonly kind: 'none' }
  /** A body of such a type that cannot be read as one, or is longer than may be read ahead. */
  | { readonly kind: 'unreadable'; readonly why: 'too-large' | 'malformed' | 'too-many' }

const MAX_DEPTH = 4

/** Whether the body of an exchange has fields at all, judged by its headers. */
export function hasFields(exchange: Exchange): boolean {
  return exchange.hasBody && bodyKind(exchange) !== undefined
}

function bodyKind(exchange: Exchange): 'json' | 'form' | undefined {
  const type = exchange.header('content-type')?.toLowerCase()
  if (type === undefined) return undefined
  if (type.startsWith('application/x-www-form-urlencoded')) return 'form'
  return /^application\/(?:[\w.+-]+\+)?json\b/.test(type) ? 'json' : undefined
}

/**
 * The fields of a JSON or form body, up to the engine's body limit. Fields of inner objects are named by
 * their path (`user.name`, at most four deep), those of objects in arrays with `[]`.
 */
export async function bodyValues(exchange: Exchange): Promise<BodyValues> {
  const kind = exchange.hasBody ? bodyKind(exchange) : undefined
  if (kind === undefined) return { kind: 'none' }
  const body = await exchange.readDecodedBody()
  if (body === undefined) return { kind: 'unreadable', why: 'malformed' }
  const { bytes, complete } = body
  if (!complete) return { kind: 'unreadable', why: 'too-large' }
  if (bytes.length === 0) return { kind: 'none' }
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return { kind: 'unreadable', why: 'malformed' }
  }
  if (kind === 'form') {
    const { fields, complete: isAll } = queryValues(text)
    return isAll ? { kind: 'fields', fields } : { kind: 'unreadable', why: 'too-many' }
  }
  let value: BodyValue
  try {
    value = JSON.parse(text) as BodyValue
  } catch {
    return { kind: 'unreadable', why: 'malformed' }
  }
  const fields = new Map<string, BodyValue[]>()
  return flatten(value, '', 0, fields) ? { kind: 'fields', fields } : { kind: 'unreadable', why: 'too-many' }
}

/** @returns false when there are more fields than are read */
function flatten(value: BodyValue, path: string, depth: number, fields: Map<string, BodyValue[]>): boolean {
  if (typeof value !== 'object' || value === null || depth >= MAX_DEPTH)
    return path === '' || add(fields, path, value)
  if (Array.isArray(value)) {
    if (path !== '' && !add(fields, path, value)) return false
    return value.every(item => typeof item !== 'object' || flatten(item, `${path}[]`, depth + 1, fields))
  }
  return Object.entries(value).every(([name, inner]) =>
    flatten(
      inner as BodyValue,
      path === '' ? name.slice(0, 100) : `${path}.${name.slice(0, 100)}`,
      depth + 1,
      fields,
    ),
  )
}

/** @returns false when there are more names than are read */
function add(fields: Map<string, BodyValue[]>, path: string, value: BodyValue): boolean {
  const known = fields.get(path)
  if (known !== undefined) known.push(value)
  else if (fields.size >= MAX_FIELDS) return false
  else fields.set(path, [value])
  return true
}
