import { type Exchange, formPairs, type Json, repeatsName } from '@postern/core'
import { parseJson } from './answer-test.ts'
import { multipartFields } from './multipart.ts'

/** The body of a login, as fields. */
export type LoginBody =
  | { readonly kind: 'form'; readonly fields: readonly (readonly [string, string])[] }
  | { readonly kind: 'json'; readonly value: Json }
  | { readonly kind: 'empty' }
  /** The backend may read it differently than we do, so it must not get there. */
  | { readonly kind: 'unreadable' }

const MAX_FIELDS = 1_000
/** What ends a pair of a form, of `formPairs`. */
const PAIR_ENDS = /[&;]/

/**
 * Reads a body the way its type says, and where there is none the way it looks. What could be read
 * in two ways (other character sets, compressed, repeated names, more than 1,000 fields, longer
 * than may be read ahead) is unreadable.
 */
export async function readLoginBody(exchange: Exchange): Promise<LoginBody> {
  if (!exchange.hasBody) return { kind: 'empty' }
  const coding = exchange.header('content-encoding')
  if (coding !== undefined && coding.trim().toLowerCase() !== 'identity') return { kind: 'unreadable' }
  const type = exchange.header('content-type') ?? ''
  const charset = /;\s*charset\s*=\s*"?([^";\s]+)/i.exec(type)?.[1]?.toLowerCase()
  if (charset !== undefined && charset !== 'utf-8' && charset !== 'utf8' && charset !== 'us-ascii')
    return { kind: 'unreadable' }
  const { bytes, complete } = await exchange.readBody()
  if (!complete) return { kind: 'unreadable' }
  if (bytes.length === 0) return { kind: 'empty' }
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return { kind: 'unreadable' }
  }
  const media = type.split(';', 1)[0]?.trim().toLowerCase() ?? ''
  if (media === 'multipart/form-data') return multipart(text, type)
  if (media === 'application/x-www-form-urlencoded')
    return /^\s*[{[]/.test(text) ? jsonOrForm(text) : form(text)
  if (/^application\/(?:[\w.+-]+\+)?json$/.test(media)) return json(text)
  if (media !== '' && media !== 'text/plain') return { kind: 'unreadable' }
  return /^\s*[{[]/.test(text) ? json(text) : form(text)
}

/** A text that stands in the body under a name: a field of a form or a member of JSON. */
export async function loginField(exchange: Exchange, name: string): Promise<string | undefined> {
  const body = await readLoginBody(exchange)
  if (body.kind === 'form') return body.fields.find(([key]) => key === name)?.[1]
  if (body.kind !== 'json' || typeof body.value !== 'object' || body.value === null) return undefined
  const value = (body.value as Readonly<Record<string, unknown>>)[name]
  return typeof value === 'string' ? value : undefined
}

function form(text: string): LoginBody {
  if (text.split(PAIR_ENDS, MAX_FIELDS + 1).length > MAX_FIELDS) return { kind: 'unreadable' }
  return { kind: 'form', fields: formPairs(text) }
}

/**
 * Says that it is a form and looks like JSON: some backends go by the one, some by the other. A form of one
 * field whose name begins with a bracket holds no account; one of several may.
 */
function jsonOrForm(text: string): LoginBody {
  if (parseJson(text) === undefined) return form(text)
  return text.includes('&') ? { kind: 'unreadable' } : json(text)
}

function multipart(text: string, type: string): LoginBody {
  const fields = multipartFields(text, type, MAX_FIELDS)
  return fields === undefined ? { kind: 'unreadable' } : { kind: 'form', fields }
}

function json(text: string): LoginBody {
  try {
    const value = JSON.parse(text) as Json
    return repeatsName(text, 'any case') ? { kind: 'unreadable' } : { kind: 'json', value }
  } catch {
    return { kind: 'unreadable' }
  }
}
