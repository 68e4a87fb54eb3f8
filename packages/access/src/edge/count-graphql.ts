import type { Json } from '@postern/core'
import { countIds } from './count-ids.ts'

/**
 * What a GraphQL request would change: rows by the kind of change, as the names of its mutation fields say.
 */
export interface MutationCount {
  readonly deletes: number
  readonly updates: number
}

const NOTHING: MutationCount = { deletes: 0, updates: 0 }
const DELETES = /^(?:delete|remove|destroy|purge|clear|erase|drop|wipe)|(?:_delete|Delete)$/i
/** Punctuators, names and variables, strings, comments (GraphQL, October 2021, section 2.1). */
const TOKEN =
  /#[^\n\r]*|"""(?:[^"\\]|\\.|"(?!""))*"""|"(?:[^"\\\n]|\\.)*"|\.\.\.|\$?[_A-Za-z]\w*|[!$&()[\]{}:=@|]|-?\d[\w.+-]*|[\s,\uFEFF]+|./gsu
const MAX_TOKENS = 100_000
const MAX_SPREADS = 1_000

interface Field {
  readonly name: string
  /** Elements of the longest list among its arguments; variables by name. */
  readonly listed: number
  readonly variables: readonly string[]
}

interface Selection {
  readonly fields: Field[]
  readonly spreads: string[]
}

/**
 * Counts the mutations of a GraphQL request body: each field of a mutation, aliases and fragments included,
 * as often as the longest list among its arguments is long. A list of operations (a batch) adds up. Undefined
 * when it is no GraphQL request, or names a stored document only.
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

function add(a: MutationCount, b: MutationCount): MutationCount {
  return { deletes: a.deletes + b.deletes, updates: a.updates + b.updates }
}

function countDocument(text: string, variables: Json): MutationCount | undefined {
  const tokens: string[] = []
  for (const [token] of text.matchAll(TOKEN)) {
    if (/^(?:#|[\s,\uFEFF])/.test(token)) continue
    if (tokens.length >= MAX_TOKENS) return undefined
    tokens.push(token)
  }
  const mutations: Selection[] = []
  const fragments = new Map<string, Selection>()
  for (let i = 0; i < tokens.length; ) {
    const kind = tokens[i] ?? ''
    const name = tokens[i + 1] ?? ''
    const selection: Selection = { fields: [], spreads: [] }
    i = readSelection(tokens, openingBrace(tokens, i) + 1, selection)
    if (kind === 'mutation') mutations.push(selection)
    else if (kind === 'fragment') fragments.set(name, selection)
  }
  return countSelections(mutations, fragments, variables)
}

function countSelections(
  mutations: readonly Selection[],
  fragments: ReadonlyMap<string, Selection>,
  variables: Json,
): MutationCount {
  let deletes = 0
  let updates = 0
  let spreads = 0
  const visit = ({ fields, spreads: names }: Selection, seen: readonly string[]): void => {
    for (const { name, listed, variables: used } of fields) {
      const units = Math.max(listed, ...used.map(variable => countIds(valueNamed(variables, variable))))
      if (DELETES.test(name)) deletes += units
      else updates += units
    }
    for (const name of names) {
      const fragment = fragments.get(name)
      if (fragment === undefined || seen.includes(name) || ++spreads > MAX_SPREADS) continue
      visit(fragment, [...seen, name])
    }
  }
  for (const mutation of mutations) visit(mutation, [])
  return { deletes, updates }
}

function valueNamed(variables: Json, name: string): Json {
  return typeof variables === 'object' && variables !== null && !Array.isArray(variables)
    ? ((variables as Readonly<Record<string, Json>>)[name] ?? null)
    : null
}

/**
 * Reads the fields of one level; inline fragments belong to it. @returns the place after its closing brace
 */
function readSelection(tokens: readonly string[], start: number, into: Selection): number {
  let i = start
  while (i < tokens.length && tokens[i] !== '}') {
    if (tokens[i] === '...') i = readSpread(tokens, i + 1, into)
    else i = readField(tokens, i, into)
  }
  return i + 1
}

/** @param i after the three dots */
function readSpread(tokens: readonly string[], i: number, into: Selection): number {
  const next = tokens[i] ?? ''
  if (next !== 'on' && next !== '@' && next !== '{') {
    into.spreads.push(next)
    return skipDirectives(tokens, i + 1)
  }
  return readSelection(tokens, openingBrace(tokens, i) + 1, into)
}

function readField(tokens: readonly string[], start: number, into: Selection): number {
  const isAliased = tokens[start + 1] === ':'
  const name = tokens[isAliased ? start + 2 : start] ?? ''
  let i = start + (isAliased ? 3 : 1)
  let given: Omit<Field, 'name'> = { listed: 1, variables: [] }
  if (tokens[i] === '(') {
    const end = closing(tokens, i)
    given = readArguments(tokens.slice(i + 1, end))
    i = end + 1
  }
  into.fields.push({ name, ...given })
  i = skipDirectives(tokens, i)
  return tokens[i] === '{' ? closing(tokens, i) + 1 : i
}

function skipDirectives(tokens: readonly string[], start: number): number {
  let i = start
  while (tokens[i] === '@') {
    i += 2
    if (tokens[i] === '(') i = closing(tokens, i) + 1
  }
  return i
}

/** The next `{` that is not inside of brackets. */
function openingBrace(tokens: readonly string[], start: number): number {
  let i = start
  while (i < tokens.length && tokens[i] !== '{') i = tokens[i] === '(' ? closing(tokens, i) + 1 : i + 1
  return i
}

function readArguments(tokens: readonly string[]): {
  readonly listed: number
  readonly variables: readonly string[]
} {
  let listed = 1
  for (let i = 0; i < tokens.length; i++) {
    if (tokens[i] !== '[') continue
    let elements = 0
    for (let j = i + 1, end = closing(tokens, i); j < end; j++) {
      const token = tokens[j] ?? ''
      elements++
      if (token === '[' || token === '{') j = closing(tokens, j)
    }
    listed = Math.max(listed, elements)
  }
  return { listed, variables: tokens.filter(token => token.startsWith('$')).map(token => token.slice(1)) }
}

const PAIRS: Readonly<Record<string, string>> = { '(': ')', '[': ']', '{': '}' }

/** The place of the bracket that closes one; the end where none does. */
function closing(tokens: readonly string[], start: number): number {
  const open: string[] = []
  for (let i = start; i < tokens.length; i++) {
    const token = tokens[i] ?? ''
    const pair = PAIRS[token]
    if (pair !== undefined) open.push(pair)
    else if (token === open.at(-1)) open.pop()
    if (open.length === 0) return i
  }
  return tokens.length
}
