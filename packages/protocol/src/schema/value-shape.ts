import type { BodyValue } from '@postern/core'

/** Kinds of text, in the order in which they are tried. */
export const TEXT_KINDS = ['boolean', 'integer', 'number', 'uuid', 'date', 'email', 'word', 'text'] as const
export type TextKind = (typeof TEXT_KINDS)[number]

export const VALUE_TYPES = ['string', 'number', 'boolean', 'null', 'array', 'object'] as const
export type ValueType = (typeof VALUE_TYPES)[number]

const PATTERNS: Readonly<Record<Exclude<TextKind, 'text'>, RegExp>> = {
  boolean: /^(?:true|false)$/,
  integer: /^-?\d{1,19}$/,
  number: /^-?\d{1,19}(?:\.\d{1,19})?$/,
  uuid: /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i,
  date: /^\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:?\d\d)?)?$/,
  email: /^[^\s@<>"'();,]{1,64}@[^\s@<>"'();,]{1,255}$/,
  word: /^[\w.~-]*$/,
}

/** The narrowest kind of a text. */
export function textKind(text: string): TextKind {
  if (text.length > 1_024) return 'text'
  for (const kind of TEXT_KINDS) if (kind !== 'text' && PATTERNS[kind].test(text)) return kind
  return 'text'
}

/** Whether a text is of a kind. */
export function isTextKind(text: string, kind: TextKind): boolean {
  return kind === 'text' || (text.length <= 1_024 && PATTERNS[kind].test(text))
}

/** The narrowest kind that holds both. */
export function widerKind(a: TextKind, b: TextKind): TextKind {
  if (a === b) return a
  const pair = new Set([a, b])
  if (pair.has('integer') && pair.has('number')) return 'number'
  const areWords = [...pair].every(
    kind => kind === 'integer' || kind === 'uuid' || kind === 'boolean' || kind === 'word',
  )
  return areWords ? 'word' : 'text'
}

export function valueType(value: BodyValue): ValueType {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'array'
  return typeof value as 'string' | 'number' | 'boolean' | 'object'
}

/** Characters of a text, items of an array; 0 for everything else. */
export function valueLength(value: BodyValue): number {
  return typeof value === 'string' || Array.isArray(value) ? value.length : 0
}
