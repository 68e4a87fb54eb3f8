/**
 * The form of an answer, short: `'string'`, `'integer?'` (may be absent), `[shape]` (a list),
 * `{ name: shape }` (fields), `'time'` (epoch milliseconds), `'map'` (any text to any value), `'any'`, or
 * `'a|b'` (one of these words). A name that ends in `?` may be absent, whatever it is.
 */
export type ApiShape = string | readonly [ApiShape] | { readonly [name: string]: ApiShape }

const WORDS: Readonly<Record<string, object>> = {
  string: { type: 'string' },
  integer: { type: 'integer' },
  number: { type: 'number' },
  boolean: { type: 'boolean' },
  time: { type: 'number', description: 'Epoch milliseconds.' },
  map: { type: 'object', additionalProperties: true },
  any: {},
}

/** The shape as JSON Schema 2020-12. Fields that are not named may be there. */
export function schemaOfShape(shape: ApiShape): object {
  if (typeof shape === 'string') {
    const word = shape.replace(/\?$/, '')
    return WORDS[word] ?? { type: 'string', enum: word.split('|') }
  }
  if (isList(shape)) return { type: 'array', items: schemaOfShape(shape[0]) }
  const entries = Object.entries(shape)
  if (entries.length === 0) return { type: 'object' }
  const required = entries
    .filter(([name, field]) => !name.endsWith('?') && !isOptional(field))
    .map(([name]) => name)
  return {
    type: 'object',
    properties: Object.fromEntries(
      entries.map(([name, field]) => [name.replace(/\?$/, ''), schemaOfShape(field)]),
    ),
    ...(required.length > 0 && { required }),
  }
}

function isOptional(shape: ApiShape): boolean {
  return typeof shape === 'string' && shape.endsWith('?')
}

function isList(shape: Exclude<ApiShape, string>): shape is readonly [ApiShape] {
  return Array.isArray(shape)
}
