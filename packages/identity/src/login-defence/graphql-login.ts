import { createHash } from 'node:crypto'
import { DOCUMENT_ID_MEMBERS, documentHashes, type Exchange, type Json } from '@postern/core'
import { type AccountReader, type AccountReading, type DocumentPlaces, readingOf } from './account-field.ts'
import { parseJson } from './answer-test.ts'
import { isShaped } from './graphql-shape.ts'
import { type GraphqlToken, graphqlTokens } from './graphql-tokens.ts'
import { readLoginBody } from './login-body.ts'

/** Where a GraphQL document holds a sign-in. */
export interface GraphqlLogin {
  /** Field of the mutation that signs in: `login`, `signIn`. */
  readonly field: string
  /** Name of the argument, or of a field of its input object, that holds the account: `email`. */
  readonly account: string
  /**
   * Names of stored (persisted) operations that sign in; their variables are read. Default: unknown. Then one
   * that was not seen with its text is a try if its variables hold the account by its name.
   */
  readonly operations?: readonly string[]
}

type Fields = { readonly [name: string]: Json }
/** One operation as it is posted. */
type Operation = Fields

const MAX_DEPTH = 4
/** Documents that do not sign in, whose hashes are remembered. */
const MAX_OTHERS = 1_000

/** What one operation is compared with. */
interface Known {
  readonly login: GraphqlLogin
  readonly places: DocumentPlaces
  /** Hashes of documents that were seen, and do not sign in. */
  readonly others: Set<string>
}

/**
 * The account of a login by GraphQL, in the arguments or the variables, also of a document that is named by
 * its hash. A document or batch with the field twice, under aliases for instance, tries several and is
 * refused; one without it is not a login.
 */
export function graphqlAccount(login: GraphqlLogin): AccountReader {
  const others = new Set<string>()
  return async (exchange, places) => {
    const operations = await readOperations(exchange)
    if (operations === undefined) return { kind: 'unreadable' }
    let found: AccountReading = { kind: 'none' }
    for (const operation of operations) {
      const reading = await readOperation(operation, { login, places, others })
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
  if (inBody === undefined || !query.some(([name]) => FIELDS.includes(name))) return inBody
  // Some servers take the document of the query although there is one in the body.
  const inQuery = fromPairs(query)
  return inQuery === undefined ? undefined : [...inQuery, ...inBody]
}

/** Undefined when a field is there twice: servers differ in which of two they take. */
function fromPairs(pairs: readonly (readonly [string, string])[]): readonly Operation[] | undefined {
  const fields = new Map(pairs)
  if (SINGLE.some(field => pairs.filter(([name]) => name === field).length > 1)) return undefined
  // A multipart request (file uploads) holds the operations in a field of that name.
  const operations = fields.get('operations')
  return operations === undefined ? [fromFields(fields)] : asOperations(parseJson(operations))
}

const SINGLE = ['query', 'operationName', 'variables', 'operations', 'extensions']
const FIELDS = [...SINGLE, ...DOCUMENT_ID_MEMBERS]

function fromFields(fields: ReadonlyMap<string, string>): Operation {
  return Object.fromEntries(FIELDS.map(name => [name, fields.get(name) ?? null]))
}

function asOperations(value: Json | undefined): readonly Operation[] | undefined {
  const list = Array.isArray(value) ? value : [value]
  return list.every(item => typeof item === 'object' && item !== null && !Array.isArray(item))
    ? (list as readonly Operation[])
    : undefined
}

async function readOperation(operation: Operation, known: Known): Promise<AccountReading> {
  const { query } = operation
  // Some servers take an empty text for none, and look at the hash.
  if (typeof query !== 'string' || query.trim() === '') return readStored(operation, known)
  const { login, others } = known
  const reading = readDocument(query, valuesOf(operation), login)
  const hashes = documentHashes(operation)
  if (hashes.length === 0) return reading
  const hash = createHash('sha256').update(query).digest('hex')
  if (!hashes.includes(hash)) return reading
  if (reading.kind === 'account') return { ...reading, document: { hash, place: placeOf(query, login) } }
  if (reading.kind === 'none') {
    const [oldest] = others.size >= MAX_OTHERS ? others : []
    if (oldest !== undefined) others.delete(oldest)
    others.add(hash)
  }
  return reading
}

function valuesOf({ variables = null }: Operation): Json {
  return typeof variables === 'string' ? (parseJson(variables) ?? null) : variables
}

function readDocument(text: string, variables: Json, login: GraphqlLogin): AccountReading {
  const values = callOf(text, login, name => memberOf(variables, name) ?? null)
  if (typeof values === 'string') return { kind: values }
  if (values === undefined) return { kind: 'unreadable' }
  return answered(
    named(find(values, login.account, MAX_DEPTH)),
    isShaped(graphqlTokens(text) ?? []) ? 'shaped' : 'given',
  )
}

function answered(reading: AccountReading, answer: 'shaped' | 'given'): AccountReading {
  return reading.kind === 'account' ? { ...reading, answer } : reading
}

/**
 * An operation without its text. The name of an operation tells which one it is, for a server runs no other;
 * where there is none, or nobody said which ones sign in, whoever is named by the variables may be tried.
 * That is counted, and makes no browser known: it may be anything about them.
 */
async function readStored(operation: Operation, { login, places, others }: Known): Promise<AccountReading> {
  const variables = valuesOf(operation)
  const hashes = documentHashes(operation)
  for (const hash of hashes) {
    const place = await places(hash)
    if (place !== undefined) return readPlace(place, variables, login)
  }
  if (hashes.length > 0 && hashes.every(hash => others.has(hash))) return { kind: 'none' }
  const account = find(variables, login.account, MAX_DEPTH)
  const { operationName: name } = operation
  if (login.operations !== undefined && typeof name === 'string' && name !== '')
    return login.operations.includes(name) ? named(account) : { kind: 'none' }
  const reading: AccountReading = account === undefined ? { kind: 'none' } : named(account)
  return reading.kind === 'account' ? { ...reading, others: [] } : reading
}

/** Stands for a variable; no name of GraphQL is empty. */
const VARIABLE = ''

/**
 * Where the variables of a document hold the account: `=email` in that one, `~input,more` somewhere in one of
 * those, `!` nowhere, because it is written in the text. A star at the end: the document shapes its answer.
 */
function placeOf(text: string, login: GraphqlLogin): string {
  const used = new Set<string>()
  const values = callOf(text, login, name => {
    used.add(name)
    return { [VARIABLE]: name }
  })
  const account = typeof values === 'object' ? find(values, login.account, MAX_DEPTH) : undefined
  const name = memberOf(account, VARIABLE)
  const shaped = isShaped(graphqlTokens(text) ?? []) ? '*' : ''
  if (typeof name === 'string') return `=${name}${shaped}`
  return account === undefined && used.size > 0 ? `~${[...used].join(',')}${shaped}` : '!'
}

function readPlace(kept: string, variables: Json, login: GraphqlLogin): AccountReading {
  const place = kept.replace(/\*$/, '')
  return answered(readAt(place, variables, login), place === kept ? 'given' : 'shaped')
}

function readAt(place: string, variables: Json, { account }: GraphqlLogin): AccountReading {
  const names = place.slice(1).split(',')
  if (place.startsWith('=')) return named(memberOf(variables, names[0] ?? ''))
  if (!place.startsWith('~')) return { kind: 'unreadable' }
  for (const name of names) {
    const found = find(memberOf(variables, name) ?? null, account, MAX_DEPTH)
    if (found !== undefined) return named(found)
  }
  return { kind: 'unreadable' }
}

/** The arguments of the one call of the login; undefined where they cannot be read. */
function callOf(
  text: string,
  login: GraphqlLogin,
  lookUp: (variable: string) => Json,
): Fields | undefined | 'unreadable' | 'none' | 'several' {
  const tokens = graphqlTokens(text)
  if (tokens === undefined) return 'unreadable'
  const calls = callsIn(tokens, login.field)
  if (calls.length === 0) return 'none'
  if (calls.length > 1) return 'several'
  return new ArgumentReader(tokens, (calls[0] ?? 0) + 2, lookUp).readArguments()
}

/**
 * Places of a field with arguments: not an alias, an argument, a variable or a directive. The name of an
 * operation stands outside of all braces; within them every name is a field's, whatever stands before it.
 */
function callsIn(tokens: readonly GraphqlToken[], field: string): readonly number[] {
  const calls: number[] = []
  let depth = 0
  for (const [index, { kind, text }] of tokens.entries()) {
    if (kind === 'mark') depth += text === '{' ? 1 : text === '}' ? -1 : 0
    if (depth === 0 || kind !== 'name' || text !== field) continue
    const before = tokens[index - 1]?.text
    if (tokens[index + 1]?.text === '(' && before !== '$' && before !== '@') calls.push(index)
  }
  return calls
}

function memberOf(value: Json | undefined, name: string): Json | undefined {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? (value as { readonly [key: string]: Json })[name]
    : undefined
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
  readonly #lookUp: (variable: string) => Json
  #at: number

  constructor(tokens: readonly GraphqlToken[], at: number, lookUp: (variable: string) => Json) {
    this.#tokens = tokens
    this.#at = at
    this.#lookUp = lookUp
  }

  readArguments(): Fields | undefined {
    return this.#readFields(')', 0)
  }

  #readFields(end: string, depth: number): Fields | undefined {
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
    return this.#lookUp(this.#next()?.text ?? '')
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
