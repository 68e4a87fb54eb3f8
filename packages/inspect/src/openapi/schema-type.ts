import { fitsType, type ParameterType } from '../value/parameter-type.ts'

/** A part of a document, checked no further than that it is an object. */
export type Described = Readonly<Record<string, unknown>>

export function isDescribed(value: unknown): value is Described {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/**
 * What the formats of OpenAPI and JSON Schema say about a text. A format that is not here, and a text
 * without one, may be anything people type.
 */
const FORMATS: Readonly<Record<string, ParameterType>> = {
  uuid: 'id',
  date: 'id',
  'date-time': 'id',
  time: 'id',
  duration: 'id',
  ipv4: 'id',
  ipv6: 'id',
  hostname: 'id',
  int32: 'number',
  int64: 'number',
  float: 'number',
  double: 'number',
  decimal: 'number',
  email: 'word',
  'idn-email': 'word',
  uri: 'url',
  url: 'url',
  iri: 'url',
  'uri-reference': 'url',
  password: 'secret',
  binary: 'file',
  html: 'markup',
}

/** An expression that allows one class of letters, digits and what ids are held together by. */
const ID_PATTERN = /^\^(?:\[(?:\\[wd]|[\w.-]){1,40}\]|\\[wd])(?:[+*]|\{\d{1,4}(?:,\d{0,4})?\})\$$/
const STEPS = /\.\./
/** Texts of an enumeration that are looked at. */
const MOST_VALUES = 1_000

/**
 * The type of a parameter by its schema; undefined where the schema leaves open what people type. A length
 * by itself says nothing about what the text holds.
 */
export function typeOfSchema(schema: Described): ParameterType | undefined {
  const values = schema['enum'] ?? ('const' in schema ? [schema['const']] : undefined)
  if (Array.isArray(values)) return typeOfValues(values.slice(0, MOST_VALUES))
  const types = [schema['type']].flat().filter(type => type !== 'null')
  if (types.length !== 1) return undefined
  const [type] = types
  if (type === 'integer' || type === 'number') return 'number'
  if (type === 'boolean') return 'id'
  if (type !== 'string') return undefined
  const { format, pattern } = schema
  if (typeof format === 'string' && Object.hasOwn(FORMATS, format)) return FORMATS[format]
  if (typeof pattern === 'string' && ID_PATTERN.test(pattern) && !STEPS.test(pattern)) return 'id'
  return undefined
}

/** The narrowest type that takes each of the values. */
function typeOfValues(values: readonly unknown[]): ParameterType | undefined {
  const texts = values.filter(value => value !== null).map(String)
  if (texts.length === 0) return undefined
  return (['number', 'id', 'word'] as const).find(type => texts.every(text => fitsType(type, text)))
}
