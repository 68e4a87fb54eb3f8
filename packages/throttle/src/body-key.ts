import { type Exchange, multipartTexts } from '@postern/core'
import { type Key, named } from './key.ts'

const MAX_DEPTH = 8
const FORM = /^\s*application\/x-www-form-urlencoded\b/i
const MULTIPART = /^\s*multipart\/form-data\b/i

/**
 * A field of a JSON or form body, also of an upload: `email` or `user.email` (in a form also `user[email]`):
 * for limits per account on a login route. Letter case, surrounding space and compatibility forms are folded
 * (Unicode NFKC), so that spelling a name differently changes nothing. Requests whose body lacks the field,
 * has it more than once with different values, cannot be read, or is larger than guards may read share one
 * key: a backend may take another of two values than we do. Requests without a body are not counted.
 */
export function body(field: string): Key {
  const path = field.split('.').slice(0, MAX_DEPTH)
  return named('body', 'arrival', exchange => (exchange.hasBody ? readField(exchange, path) : undefined))
}

async function readField(exchange: Exchange, path: readonly string[]): Promise<string> {
  const decoded = await exchange.readDecodedBody()
  if (decoded?.complete !== true) return ''
  const text = new TextDecoder().decode(decoded.bytes)
  const type = exchange.header('content-type') ?? ''
  const values = FORM.test(type)
    ? formFields(new URLSearchParams(text), path)
    : MULTIPART.test(type)
      ? formFields(multipartTexts(text), path)
      : jsonFields(text, path)
  const [first = '', ...others] = values.map(folded)
  return others.every(other => other === first) ? first : ''
}

function folded(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number'
    ? String(value).normalize('NFKC').trim().toLowerCase()
    : ''
}

/** Every field that some framework takes for this one: `user[email]`, `User.Email`, `email[]`. */
function formFields(pairs: Iterable<readonly [string, string]>, path: readonly string[]): readonly string[] {
  const wanted = path.join('.').toLowerCase()
  return [...pairs]
    .filter(
      ([name]) =>
        name
          .replace(/\[([^\]]{0,100})\]/g, '.$1')
          .replace(/\.$/, '')
          .trim()
          .toLowerCase() === wanted,
    )
    .map(([, value]) => value)
}

function jsonFields(text: string, path: readonly string[]): readonly unknown[] {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return []
  }
  return path.reduce<readonly unknown[]>(
    (values, name) => values.flatMap(one => fieldsOf(one, name)),
    [value],
  )
}

/** Some parsers ignore the case of names, and take the last. */
function fieldsOf(value: unknown, name: string): readonly unknown[] {
  if (typeof value !== 'object' || value === null) return []
  const wanted = name.toLowerCase()
  return Object.entries(value).flatMap(([key, inner]) => (key.toLowerCase() === wanted ? [inner] : []))
}
