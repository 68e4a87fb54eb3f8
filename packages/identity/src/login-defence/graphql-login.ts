import type { Exchange, Json } from '@postern/core'
import { type AccountReader, type AccountReading, readingOf } from './account-field.ts'
import { parseJson } from './answer-test.ts'
import { type GraphqlToken, graphqlTokens } from './graphql-tokens.ts'
import { readLoginBody } from './login-body.ts'

/** Where a GraphQL document holds a sign-in. */
export interface GraphqlLogin {
  /** Field of the mutation that signs in: `login`, `signIn`. */
  readonly field: string
  /** Name of the argument, or of a field of its input object, that holds the account: `email`. */
  readonly account: string
  /** Names of stored (persisted) operations that sign in; their variables are read. */
  readonly operations?: readonly string[]
}

/** One operation as it is posted. */
interface Operation {
  readonly query?: Json
  readonly variables?: Json
  readonly operationName?: Json
}

const MAX_DEPTH = 4

/**
 * The account of a login by GraphQL, in the arguments or the variables. A document or batch with the field
 * twice, under aliases for instance, tries several and is refused; one without it is not a login.
 */
export function graphqlAccount(login: GraphqlLogin): AccountReader {
  return async exchange => {
    const operations = await readOperations(exchange)
    if (operations === undefined) return { kind: 'unreadable' }
    let found: AccountReading = { kind: 'none' }
    for (const operation of operations) {
      const reading = readOperation(operation, login)
      if (reading.kind === 'none') continue
      if (found.kind !== 'none' || reading.kind !== 'account')
        return found.kind === 'none' ? reading : { kind: 'several' }
      found = reading
    }
    return found
  }
}

async function readOperations(exchange: Exchange): Promise<readonly Operation[] | undefined> {
  const body = await readLoginBody(exchange)
  if (body.kind === 'unreadable') return undefined
  const query = [...new URLSearchParams(exchange.path.query)]
  if (body.kind === 'empty') return fromPairs(query)
  const inBody = body.kind === 'form' ? fromPairs(body.fields) : asOperations(body.value)
  if (inBody === undefined || !query.some(([name]) => name === 'query')) return inBody
  // Some servers take the document of the query although there is one in the body.
  const inQuery = fromPairs(query)
  return inQuery === undefined ? undefined : [...inQuery, ...inBody]
}

/** Undefined when a field is there twice: servers differ in which of two they take. */
function fromPairs(pairs: readonly (readonly [string, string])[]): readonly Operation[] | undefined {
  const fields = new Map(pairs)
  if (FIELDS.some(field => pairs.filter(([name]) => name === field).length > 1)) return undefined
  // A multipart request (file uploads) holds the operations in a field of that name.
  const operations = fields.get('operations')
  return operations === undefined ? [fromFields(fields)] : asOperations(parseJson(operations))
}

const FIELDS = ['query', 'operationName', 'variables', 'operations']

function fromFields(fields: ReadonlyMap<string, string>): Operation {
  return {
    query: fields.get('query') ?? null,
    operationName: fields.get('operationName') ?? null,
    variables: parseJson(fields.get('variables') ?? 'null') ?? null,
  }
}

function asOperations(value: Json | undefined): readonly Operation[] | undefined {
  const list = Array.isArray(value) ? value : [value]
  return list.every(item => typeof item === 'object' && item !== null && !Array.isArray(item))
    ? (list as readonly Operation[])
    : undefined
}

function readOperation(operation: Operation, login: GraphqlLogin): AccountReading {
  const variables = operation.variables ?? null
  if (typeof operation.query !== 'string') {
    const isLogin = (login.operations ?? []).includes(String(operation.operationName))
    return isLogin ? named(find(variables, login.account, MAX_DEPTH)) : { kind: 'none' }
  }
  const tokens = graphqlTokens(operation.query)
  if (tokens === undefined) return { kind: 'unreadable' }
  const calls = tokens.flatMap((token, index) =>
    token.kind === 'name' && token.text === login.field && isCall(tokens, index) ? [index] : [],
  )
  if (calls.length === 0) return { kind: 'none' }
  if (calls.length > 1) return { kind: 'several' }
  const reader = new ArgumentReader(tokens, (calls[0] ?? 0) + 2, variables)
  const values = reader.readArguments()
  return values === undefined ? { kind: 'unreadable' } : named(find(values, login.account, MAX_DEPTH))
}

/**
 * A field with arguments: not an alias, an argument, a variable, a directive or the
 * name of the operation itself.
 */
function isCall(tokens: readonly GraphqlToken[], index: number): boolean {
  const before = tokens[index - 1]?.text
  return (
    tokens[index + 1]?.text === '(' &&
    before !== '$' &&
    before !== '@' &&
    before !== 'mutation' &&
    before !== 'query' &&
    before !== 'subscription'
  )
}

function named(value: Json | undefined): AccountReading {
  return typeof value === 'string' ? readingOf(value) : { kind: 'unreadable' }
}

function find(value: Json, name: string, depth: number): Json | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || depth === 0) return undefined
  const entries = Object.entries(value)
  const own = entries.find(([key]) => key.toLowerCase() === name.toLowerCase())
  if (own !== undefined) return own[1]
  for (const [, inner] of entries) {
    const found = find(inner, name, depth - 1)
    if (found !== undefined) return found
  }
  return undefined
}

/**
 * Reads `name: value, ...)` with variables put in; lists and constants only as far
 * as is needed to get past them.
 */
class ArgumentReader {
  readonly #tokens: readonly GraphqlToken[]
  readonly #variables: Json
  #at: number

  constructor(tokens: readonly GraphqlToken[], at: number, variables: Json) {
    this.#tokens = tokens
    this.#at = at
    this.#variables = variables
  }

  readArguments(): Json | undefined {
    return this.#readFields(')', 0)
  }

  #readFields(end: string, depth: number): { readonly [key: string]: Json } | undefined {
    const fields: Record<string, Json> = Object.create(null) as Record<string, Json>
    while (this.#peek()?.text !== end) {
      const name = this.#next()
      if (name?.kind !== 'name' || this.#next()?.text !== ':') return undefined
      const value = this.#readValue(depth)
      if (value === undefined) return undefined
      fields[name.text] = value
    }
    this.#at++
    return fields
  }

  #readValue(depth: number): Json | undefined {
    const token = this.#next()
    if (token === undefined || depth > MAX_DEPTH) return undefined
    if (token.kind !== 'mark') return token.text
    if (token.text === '{') return this.#readFields('}', depth + 1)
    if (token.text === '[') return this.#skipList(depth)
    if (token.text !== '$') return undefined
    const name = this.#next()?.text ?? ''
    const value = this.#variables
    return typeof value === 'object' && value !== null && Object.hasOwn(value, name)
      ? (value as { readonly [key: string]: Json })[name]
      : null
  }

  #skipList(depth: number): Json | undefined {
    while (this.#peek()?.text !== ']') if (this.#readValue(depth + 1) === undefined) return undefined
    this.#at++
    return null
  }

  #peek(): GraphqlToken | undefined {
    return this.#tokens[this.#at]
  }

  #next(): GraphqlToken | undefined {
    return this.#tokens[this.#at++]
  }
}
