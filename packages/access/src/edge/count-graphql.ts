import type { Json } from '@postern/core'
import { countIds } from './count-ids.ts'
import {
  type GraphqlField,
  type GraphqlOperations,
  type GraphqlSelection,
  readGraphql,
} from './graphql-operations.ts'

/**
 * What a GraphQL request would change: rows by the kind of change, as the names of its mutation fields say.
 */
export interface MutationCount {
  readonly deletes: number
  readonly updates: number
}

const NOTHING: MutationCount = { deletes: 0, updates: 0 }
/** What is too long or too deep to be counted may change anything. */
const UNCOUNTABLE: MutationCount = { deletes: Number.MAX_SAFE_INTEGER, updates: Number.MAX_SAFE_INTEGER }
const DELETES = /^(?:delete|remove|destroy|purge|clear|erase|drop|wipe)|(?:_delete|Delete)$/i
/**
 * What an operation that is grouped under a field is called (`orders { deleteMany(ids: $ids) }`); what a
 * mutation answers with is not (`deletedItems(first: 10)`).
 */
const CHANGES =
  /^(?:delete|remove|destroy|purge|clear|erase|drop|wipe|update|edit|set|save|upsert|create|add|insert|replace|move|bulk)(?![a-z])|(?:_(?:delete|update)|Delete|Update)$/
const MAX_SPREADS = 1_000
/** Fields and variables that are looked at before one more fragment is. */
const MAX_VISITS = 200_000

/**
 * Counts the mutations of a GraphQL request: each field of a mutation, aliases and fragments included, as
 * often as the longest list among its arguments is long, in a variable or its default too. A list of
 * operations (a batch) adds up. Undefined when it is not a GraphQL request, or names a stored document only.
 */
export function countMutations(body: Json): MutationCount | undefined {
  if (Array.isArray(body)) {
    const counts = body.map(item => countMutations(item))
    return counts.every(count => count === undefined)
      ? undefined
      : counts.reduce<MutationCount>((sum, count) => add(sum, count ?? NOTHING), NOTHING)
  }
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return undefined
  const { query, variables = null } = body as Readonly<Record<string, Json>>
  return typeof query === 'string' ? countDocument(query, variables) : undefined
}

/** The same of one document. @param variables an object, or the JSON of one: some clients send them so */
export function countDocument(text: string, variables: Json): MutationCount {
  if (!/\bmutation\b/.test(text)) return NOTHING
  const operations = readGraphql(text)
  if (operations === undefined) return UNCOUNTABLE
  return countOperations(operations, typeof variables === 'string' ? parsed(variables) : variables)
}

function parsed(text: string): Json {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

function add(a: MutationCount, b: MutationCount): MutationCount {
  const sum = (one: number, other: number): number => Math.min(one + other, Number.MAX_SAFE_INTEGER)
  return { deletes: sum(a.deletes, b.deletes), updates: sum(a.updates, b.updates) }
}

function countOperations({ mutations, fragments }: GraphqlOperations, variables: Json): MutationCount {
  let count = NOTHING
  let visits = 0
  let spreads = 0
  const sizes = new Map<string, number | undefined>()
  /** Things that a variable names; undefined when the request does not give it. */
  const sizeOf = (name: string): number | undefined => {
    if (!sizes.has(name)) {
      const value = valueNamed(variables, name)
      sizes.set(name, value === undefined ? undefined : countIds(value))
    }
    return sizes.get(name)
  }
  const unitsOf = (
    { listed, variables: used }: GraphqlField,
    defaults: ReadonlyMap<string, number>,
  ): number =>
    used.reduce((most, variable) => Math.max(most, sizeOf(variable) ?? defaults.get(variable) ?? 1), listed)
  const visit = (
    { fields, spreads: names, innerSpreads }: GraphqlSelection,
    defaults: ReadonlyMap<string, number>,
    seen: readonly string[],
    isInner: boolean,
  ): void => {
    for (const field of fields) {
      visits += 1 + field.variables.length
      if (isResult(field, isInner)) continue
      const units = unitsOf(field, defaults)
      const deletes = DELETES.test(field.name)
      count = add(count, deletes ? { deletes: units, updates: 0 } : { deletes: 0, updates: units })
    }
    for (const [name, isInside] of spreadsIn(names, innerSpreads, isInner)) {
      const fragment = fragments.get(name)
      if (fragment === undefined || seen.includes(name)) continue
      if (++spreads > MAX_SPREADS || visits > MAX_VISITS) {
        count = UNCOUNTABLE
        return
      }
      visit(fragment, defaults, [...seen, name], isInside)
    }
  }
  for (const { selection, defaults } of mutations) visit(selection, defaults, [], false)
  return count
}

/** Whether a field inside another is part of what that one answers with. */
function isResult({ name, isInner }: GraphqlField, isInside: boolean): boolean {
  return (isInner || isInside) && !CHANGES.test(name)
}

/** The fragments of a selection, and whether they stand inside a field without arguments. */
function spreadsIn(
  names: readonly string[],
  inner: readonly string[],
  isInner: boolean,
): readonly (readonly [string, boolean])[] {
  return [...names.map(name => [name, isInner] as const), ...inner.map(name => [name, true] as const)]
}

/** Undefined when the request gives none: then its default holds. */
function valueNamed(variables: Json, name: string): Json | undefined {
  return typeof variables === 'object' && variables !== null && Object.hasOwn(variables, name)
    ? (variables as Readonly<Record<string, Json>>)[name]
    : undefined
}
