/** Kind of a value for people. Text is not repeated: it may be a secret that slipped into the wrong place. */
export function describe(value: unknown): string {
  if (value === undefined) return 'nothing'
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'string') return /^[\w-]{0,20}$/.test(value) ? `"${value}"` : 'this text'
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`
}

const NAMES: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  integer: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
  record: 'an object',
}

/** What people call a type of JSON Schema or zod. */
export function kindName(type: string): string {
  return NAMES[type] ?? type
}

/** `"a", "b" or a number`; a comma before the last where a form has `or` or `and` itself. */
export function listed(forms: readonly string[]): string {
  if (forms.length < 2) return forms.join('')
  const comma = forms.some(form => / (?:or|and) /.test(form)) ? ',' : ''
  return `${forms.slice(0, -1).join(', ')}${comma} or ${forms.at(-1)}`
}
