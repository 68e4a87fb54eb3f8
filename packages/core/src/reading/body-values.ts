import { multipartTexts } from '../body/multipart-texts.ts'
import type { Exchange } from '../exchange/exchange.ts'
import { MAX_FIELDS, queryValues } from '../route/query-values.ts'
import type { Json } from '../text/json.ts'
import { readTextBody } from './text-body.ts'

/** What a field of a body or query holds. */
export type BodyValue = Json

/** The fields of a body, or why they cannot be read. */
export type BodyValues =
  | {
      readonly kind: 'fields'
      /** All values of each name, in order: those of repeated fields, and of objects in lists. */
      readonly fields: ReadonlyMap<string, readonly BodyValue[]>
      /** Whether these are all: of a long upload only the beginning is read. */
      readonly complete: boolean
    }
  /** No body, or one that has no fields. */
  | { readonly kind: 'none' }
  /** A body with fields that cannot be read, or that is longer than may be read ahead. */
  | { readonly kind: 'unreadable'; readonly why: 'too-large' | 'malformed' | 'too-many' }

const MAX_DEPTH = 4

/**
 * The fields of a JSON, form or multipart body, up to the engine's body limit; of JSON under every label.
 * Fields of inner objects are named by their path (`user.name`, at most four deep), those of objects in
 * arrays with `[]`. What parsers read in different ways is malformed: JSON in which an object names a field
 * twice, other encodings than UTF-8.
 */
export async function bodyValues(exchange: Exchange): Promise<BodyValues> {
  const body = await readTextBody(exchange)
  switch (body.kind) {
    case 'json':
      return jsonValues(body.value)
    case 'form':
      return formValues(body.text)
    case 'multipart':
      return multipartValues(body.text, body.complete)
    case 'unreadable':
      return { kind: 'unreadable', why: body.why === 'too-large' ? 'too-large' : 'malformed' }
    default:
      return { kind: 'none' }
  }
}

const TOO_MANY: BodyValues = { kind: 'unreadable', why: 'too-many' }

function formValues(text: string): BodyValues {
  const { fields, complete } = queryValues(text)
  return complete ? { kind: 'fields', fields, complete } : TOO_MANY
}

function multipartValues(text: string, complete: boolean): BodyValues {
  const fields = new Map<string, BodyValue[]>()
  const texts = multipartTexts(text, 'fields')
  const isAll = texts?.every(([name, value]) => add(fields, name.slice(0, 100), value)) ?? false
  return isAll ? { kind: 'fields', fields, complete } : TOO_MANY
}

function jsonValues(value: Json): BodyValues {
  const fields = new Map<string, BodyValue[]>()
  return flatten(value, '', 0, fields) ? { kind: 'fields', fields, complete: true } : TOO_MANY
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
