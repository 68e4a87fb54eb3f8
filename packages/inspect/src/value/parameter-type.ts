/**
 * What a parameter holds. Declared in the configuration, taken from an OpenAPI file or learned from
 * traffic; never read off the value, since
 * the sender writes that.
 *
 * | type | what is accepted or looked for |
 * |---|---|
 * | `number` | a number, a list of numbers, or nothing; everything else is refused |
 * | `id` | letters, digits and `.:@~+/=,_-` without `..`; everything else is refused |
 * | `word` | letters of any script, digits, spaces and the signs of names; everything else is refused |
 * | `text` | what people type: only what no reader needs to copy in order to be hurt (active markup,
 * lookups, metadata addresses) |
 * | `document` | a text that is shown as text: nothing is looked for |
 * | `markup` | HTML that is shown as HTML: active markup |
 * | `secret` | a password or key: nothing is looked for and nothing is quoted |
 * | `url` | an address: metadata services, exotic schemes, disguised addresses, script URLs |
 * | `code` | source code, a query, a command that is stored: nothing is looked for |
 * | `file` | the content of a file: nothing is looked for |
 */
export type ParameterType =
  | 'number'
  | 'id'
  | 'word'
  | 'text'
  | 'document'
  | 'markup'
  | 'secret'
  | 'url'
  | 'code'
  | 'file'

/** All types, in the order of the documentation. */
export const PARAMETER_TYPES: readonly ParameterType[] = Object.freeze([
  'number',
  'id',
  'word',
  'text',
  'document',
  'markup',
  'secret',
  'url',
  'code',
  'file',
])

/** Whether a text names a type of parameter. */
export function isParameterType(text: string): text is ParameterType {
  return (PARAMETER_TYPES as readonly string[]).includes(text)
}

const SHAPES: Readonly<Partial<Record<ParameterType, RegExp>>> = {
  number:
    /^\s{0,4}(?:[+-]?(?:\d{1,40}(?:[.,_ ]\d{1,40}){0,100}|\.\d{1,40})(?:e[+-]?\d{1,4})?%?|null|nan)?\s{0,4}$/i,
  id: /^[\p{L}\p{N}:@~+/=,_-]{0,512}(?:\.[\p{L}\p{N}:@~+/=,_-]{1,512}){0,64}\.?$/u,
  word: /^[\p{L}\p{M}\p{N} .,'’&/()+:!?_#@-]{0,512}$/u,
}

/** Whether a value has the shape of a strict type; true for every type that has none. Linear. */
export function fitsType(type: ParameterType, value: string): boolean {
  return SHAPES[type]?.test(value) ?? true
}

/** Whether values of the type must have a shape. */
export function isStrictType(type: ParameterType): boolean {
  return SHAPES[type] !== undefined
}

/** Types under which nothing is looked for. */
export function isUnreadType(type: ParameterType): boolean {
  return type === 'document' || type === 'secret' || type === 'code' || type === 'file'
}
