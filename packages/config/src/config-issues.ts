import type { ConfigIssue } from '@postern/core'
import { z } from 'zod'
import type { ConfigFile, ConfigPath } from './config-file.ts'
import { laterFeature } from './later-feature.ts'
import { suggest } from './suggest.ts'

type Shape = { readonly [key: string]: unknown }

/** Every mistake zod found, in our words: place, problem, how to mend it, with the key that was probably meant. */
export function configIssues(
  file: ConfigFile,
  issues: readonly z.core.$ZodIssue[],
  schema: z.ZodType,
): readonly ConfigIssue[] {
  const shape = z.toJSONSchema(schema, { unrepresentable: 'any', io: 'input' }) as Shape
  return issues.flatMap(issue => translate(file, issue, [], shape))
}

function translate(
  file: ConfigFile,
  issue: z.core.$ZodIssue,
  around: ConfigPath,
  shape: Shape,
): readonly ConfigIssue[] {
  const path = [...around, ...issue.path.map(part => (typeof part === 'symbol' ? String(part) : part))]
  const place = file.place(path)
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map(key => unknownKey(file, [...path, key], key, keysAt(shape, path)))
    case 'invalid_key':
    case 'invalid_element':
      return issue.issues.flatMap(inner => translate(file, inner, path, shape))
    case 'invalid_union':
      return translateUnion(file, issue, path, shape)
    case 'invalid_value':
      return [oneOf(place, valueAt(file.value, path), issue.values)]
    case 'invalid_type':
      return [
        { place, problem: `must be ${named(issue.expected)}, not ${describe(valueAt(file.value, path))}` },
      ]
    case 'too_small':
      return [{ place, problem: `must be at least ${issue.minimum}` }]
    case 'too_big':
      return [{ place, problem: `must be at most ${issue.maximum}` }]
    case 'custom': {
      const mend: unknown = issue.params?.['mend']
      return [{ place, problem: issue.message, ...(typeof mend === 'string' && { mend }) }]
    }
    default:
      return [{ place, problem: issue.message }]
  }
}

/** The branch whose kind of value was meant, that is the one that got furthest into it; else all kinds that would do. */
function translateUnion(
  file: ConfigFile,
  issue: z.core.$ZodIssueInvalidUnion,
  path: ConfigPath,
  shape: Shape,
): readonly ConfigIssue[] {
  const deeper = issue.errors.filter(branch =>
    branch.some(
      inner => inner.path.length > 0 || inner.code === 'unrecognized_keys' || inner.code === 'custom',
    ),
  )
  const [meant] = deeper
  if (meant !== undefined) return meant.flatMap(inner => translate(file, inner, path, shape))
  const flat = issue.errors.flat()
  const values = flat.flatMap(inner => (inner.code === 'invalid_value' ? inner.values : []))
  const kinds = flat.flatMap(inner => (inner.code === 'invalid_type' ? [named(inner.expected)] : []))
  const choices = [...values.map(value => JSON.stringify(value)), ...new Set(kinds)]
  const found = describe(valueAt(file.value, path))
  return [{ place: file.place(path), problem: `must be ${choices.join(' or ')}, not ${found}` }]
}

function unknownKey(file: ConfigFile, path: ConfigPath, key: string, known: readonly string[]): ConfigIssue {
  const place = file.place(path)
  const later = laterFeature(key)
  if (later !== undefined && !known.includes(key))
    return { place, problem: `"${key}" is not part of this version`, mend: later }
  const meant = suggest(key, known)
  return {
    place,
    problem: `unknown key "${key.slice(0, 60)}"`,
    mend:
      meant === undefined
        ? known.length === 0
          ? 'remove it'
          : `known here: ${known.join(', ')}`
        : `did you mean "${meant}"?`,
  }
}

function oneOf(place: string, found: unknown, values: readonly unknown[]): ConfigIssue {
  const known = values.map(String)
  const meant = typeof found === 'string' ? suggest(found, known) : undefined
  return {
    place,
    problem: `must be ${values.map(value => JSON.stringify(value)).join(' or ')}, not ${describe(found)}`,
    ...(meant !== undefined && { mend: `did you mean "${meant}"?` }),
  }
}

/** Kind of a value for people. Text is not repeated: it may be a secret that slipped into the wrong place. */
function describe(value: unknown): string {
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
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
  record: 'an object',
}

function named(type: string): string {
  return NAMES[type] ?? type
}

function valueAt(value: unknown, path: ConfigPath): unknown {
  let at = value
  for (const part of path)
    at =
      typeof at === 'object' && at !== null
        ? (at as Readonly<Record<string | number, unknown>>)[part]
        : undefined
  return at
}

/** The keys that the JSON schema knows at a place. */
function keysAt(shape: Shape, path: ConfigPath): readonly string[] {
  let places: readonly Shape[] = branches(shape)
  for (const part of path) {
    places = places.flatMap(place => {
      const properties = place['properties'] as Readonly<Record<string, Shape>> | undefined
      const next =
        typeof part === 'number' ? place['items'] : (properties?.[part] ?? place['additionalProperties'])
      return typeof next === 'object' && next !== null ? branches(next as Shape) : []
    })
  }
  return [...new Set(places.flatMap(place => Object.keys((place['properties'] as Shape | undefined) ?? {})))]
}

function branches(shape: Shape): readonly Shape[] {
  const inner = shape['anyOf'] as readonly Shape[] | undefined
  return inner === undefined ? [shape] : inner.flatMap(branches)
}
