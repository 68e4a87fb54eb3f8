import {
  type Exchange,
  fieldNames,
  foldedName,
  foldedText,
  formPairs,
  type Json,
  multipartTexts,
  plainLetters,
  readTextBody,
} from '@postern/core'
import { type Key, named } from './key.ts'

const MAX_DEPTH = 8

/**
 * A field of a JSON, form or multipart body: `email` or `user.email` (in a form also `user[email]`): for
 * limits per account on a login route. Letter case, surrounding space, invisible characters, marks of letters
 * and compatibility forms are folded (Unicode NFKC), so that spelling a name differently changes nothing:
 * many databases find `alice` for all of them. The same name in the query counts as
 * another value of the field, because servlets and `$_REQUEST` read both.
 *
 * Requests whose body lacks the field, has it more than once with different values, cannot be read, or is
 * larger than guards may read share one key: a backend may take another of two values than we do. Requests
 * that have neither a body nor the field in their query are not counted.
 */
export function body(field: string): Key {
  const path = field.split('.').slice(0, MAX_DEPTH)
  return named('body', 'arrival', exchange => {
    const inQuery = queryFields(exchange.path.query, path)
    if (exchange.hasBody) return readField(exchange, path, inQuery)
    return inQuery.length === 0 ? undefined : oneOf(inQuery)
  })
}

function queryFields(query: string, path: readonly string[]): readonly string[] {
  return query === '' ? [] : formFields(formPairs(query), path)
}

async function readField(
  exchange: Exchange,
  path: readonly string[],
  inQuery: readonly string[],
): Promise<string> {
  const body = await readTextBody(exchange)
  switch (body.kind) {
    case 'json':
      return oneOf([...jsonFields(body.value, path), ...inQuery])
    case 'form':
      return oneOf([...formFields(formPairs(body.text), path), ...inQuery])
    case 'multipart':
      return body.complete ? oneOfParts(multipartTexts(body.text), path, inQuery) : ''
    case 'unreadable':
      return ''
    default:
      return oneOf(inQuery)
  }
}

function oneOfParts(
  parts: readonly (readonly [string, string])[] | undefined,
  path: readonly string[],
  inQuery: readonly string[],
): string {
  return parts === undefined ? '' : oneOf([...formFields(parts, path), ...inQuery])
}

/** What all values agree on; an empty text where they do not. */
function oneOf(values: readonly unknown[]): string {
  const [first = '', ...others] = values.map(folded)
  return others.every(other => other === first) ? first : ''
}

function folded(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? foldedValue(String(value)) : ''
}

/** The text that stands for all spellings of a value. */
export function foldedValue(text: string): string {
  return plainLetters(foldedText(text))
}

/** Every field that some framework takes for this one: `user[email]`, `User.Email`, `email[]`, `[email]`. */
function formFields(pairs: Iterable<readonly [string, string]>, path: readonly string[]): readonly string[] {
  const wanted = foldedName(path.join('.'))
  return [...pairs]
    .filter(([name]) => fieldNames(name).some(read => inDots(read) === wanted))
    .map(([, value]) => value)
}

function inDots(name: string): string {
  return foldedName(
    name
      .replace(/\[([^\]]{0,100})\]/g, '.$1')
      .replace(/\.$/, '')
      .trim(),
  )
}

function jsonFields(value: Json, path: readonly string[]): readonly unknown[] {
  return path.reduce<readonly unknown[]>(
    (values, name) => values.flatMap(one => fieldsOf(one, name)),
    [value],
  )
}

/** Some parsers ignore the case of names, and take the last. */
function fieldsOf(value: unknown, name: string): readonly unknown[] {
  if (typeof value !== 'object' || value === null) return []
  const wanted = foldedName(name)
  return Object.entries(value).flatMap(([key, inner]) => (foldedName(key) === wanted ? [inner] : []))
}
