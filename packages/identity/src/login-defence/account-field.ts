import { type Exchange, fieldNames, foldedName, formPairs, type Json } from '@postern/core'
import { canonicalAccount } from './account-name.ts'
import { type LoginBody, readLoginBody } from './login-body.ts'

/** Which account a request tries. */
export type AccountReading =
  | {
      readonly kind: 'account'
      /** Its canonical name: see `canonicalAccount`. */
      readonly account: string
      /** The account exactly as it was sent; undefined where it stands in the request in two spellings. */
      readonly typed: string | undefined
      /** What else may be the account, where the request does not say it in one place: counted too. */
      readonly others?: readonly string[]
      /**
       * How far the answer is the backend's own: a client of GraphQL names what stands in it, so that it may
       * be `shaped` to look like a success, or be one only where something was `given`: a token or a cookie.
       */
      readonly answer?: 'shaped' | 'given'
      /** The stored document that this request sends as text, for those that name it by its hash later. */
      readonly document?: LoginDocument
    }
  /** This request is not a login. */
  | { readonly kind: 'none' }
  /**
   * The account cannot be determined with certainty: refused, or the backend would
   * check a login that was not counted.
   */
  | { readonly kind: 'unreadable' }
  /**
   * One request tries several accounts or passwords: refused, or it would be a
   * thousand guesses for the price of one.
   */
  | { readonly kind: 'several' }

/** A document of GraphQL that signs in, by its SHA-256. */
export interface LoginDocument {
  readonly hash: string
  /** Where its variables hold the account; see `placeOf` of graphql-login.ts. */
  readonly place: string
}

/** What is remembered of documents that sign in: the place of the account in one, by its hash. */
export type DocumentPlaces = (hash: string) => Promise<string | undefined>

/** Reads the account of a login. */
export type AccountReader = (exchange: Exchange, documents: DocumentPlaces) => Promise<AccountReading>

const MAX_DEPTH = 8

/** Names besides the first that one request may hold. */
const MAX_OTHERS = 4

/**
 * The account in a body field (`email`, `user.email`); with several names, in the first of them that is
 * there. What the others say, and the same names in the query, are `others`: many backends read one of these
 * (servlets and PHP's `$_REQUEST` the query, Rails and Laravel both), and a name that nobody reads must not
 * hide the one that is tried. Names match in any letter case, as many backends do. They are also looked for
 * in what tRPC's clients put around the fields: the number of the operation, and `json`.
 * @param absent what a body without any of the fields is: `unreadable` on a route that was named as a login,
 *   `none` on one that only looks like it
 */
export function accountField(
  names: readonly string[],
  absent: 'unreadable' | 'none' = 'unreadable',
): AccountReader {
  return async exchange => {
    const body = await readLoginBody(exchange)
    if (body.kind === 'unreadable') return { kind: 'unreadable' }
    const query: LoginBody = { kind: 'form', fields: formPairs(exchange.path.query) }
    const texts: string[] = []
    for (const source of [body, ...envelopes(body), query].map(sourceOf))
      for (const name of names) {
        const found = fieldOf(source, name.split('.').slice(0, MAX_DEPTH))
        // Beside a name that was found, an object may be anything: `user` may hold `user.email`.
        if (found.kind === 'repeated' && (texts.length === 0 || !found.isObject)) return { kind: 'several' }
        if (found.kind === 'found') texts.push(found.text)
      }
    return readingOfAll(texts, absent)
  }
}

/** The first text that is not empty is the account; where all are empty nobody can tell. */
function readingOfAll(texts: readonly string[], absent: 'unreadable' | 'none'): AccountReading {
  if (texts.length === 0) return { kind: absent }
  const filled = texts.filter(text => text.trim() !== '')
  const names = filled.map(canonicalAccount)
  const [account, ...others] = new Set(names)
  if (account === undefined || others.includes(undefined)) return { kind: 'unreadable' }
  if (others.length > MAX_OTHERS) return { kind: 'several' }
  const [typed, ...more] = new Set(filled.filter((_, index) => names[index] === account))
  const reading = { kind: 'account', account, typed: more.length === 0 ? typed : undefined } as const
  return others.length === 0 ? reading : { ...reading, others: others.filter(other => other !== undefined) }
}

/** The account to mail a link for: as it was typed, for that spelling is the one that the link opens. */
export function namedIn({ account, typed }: Extract<AccountReading, { kind: 'account' }>): string {
  return typed ?? account
}

/** The reading of an account as it was sent. */
export function readingOf(text: string): AccountReading {
  const account = canonicalAccount(text)
  return account === undefined ? { kind: 'unreadable' } : { kind: 'account', account, typed: text }
}

type Found =
  | { readonly kind: 'found'; readonly text: string }
  | { readonly kind: 'missing' }
  | { readonly kind: 'repeated'; readonly isObject?: true }

/**
 * Where names are sought, with those of all fields as they are compared: each name that is sought would take
 * a pass over a megabyte of them.
 */
type Source =
  | { readonly kind: 'form'; readonly fields: readonly (readonly [names: readonly string[], text: string])[] }
  | { readonly kind: 'list'; readonly values: readonly Json[] }
  | { readonly kind: 'object'; readonly members: ReadonlyMap<string, Json> }
  | { readonly kind: 'empty' }

function sourceOf(body: LoginBody): Source {
  if (body.kind === 'json') return sourceIn(body.value)
  if (body.kind !== 'form') return { kind: 'empty' }
  return { kind: 'form', fields: body.fields.map(([name, text]) => [fieldNames(name).map(bareName), text]) }
}

function sourceIn(value: Json): Source {
  if (typeof value !== 'object' || value === null) return { kind: 'empty' }
  if (Array.isArray(value)) return { kind: 'list', values: value }
  return {
    kind: 'object',
    members: new Map(Object.entries(value).map(([key, one]) => [foldedName(key), one])),
  }
}

function bareName(name: string): string {
  return foldedName(name).replace(/\[\d*\]$/, '')
}

function fieldOf(source: Source, path: readonly string[]): Found {
  const [first = '', ...rest] = path
  if (source.kind === 'list') return inBatch(source.values, path)
  if (source.kind === 'object') {
    const value = source.members.get(foldedName(first))
    return value === undefined ? { kind: 'missing' } : inJson(value, rest)
  }
  if (source.kind !== 'form') return { kind: 'missing' }
  // PHP, Rails and qs read `user[email]` as a field of `user`, and `email[]` as a list.
  const spellings = [
    path.join('.'),
    path[0] +
      path
        .slice(1)
        .map(name => `[${name}]`)
        .join(''),
  ].map(foldedName)
  const values = source.fields.filter(([names]) => names.some(name => spellings.includes(name)))
  if (values.length > 1) return { kind: 'repeated' }
  const text = values[0]?.[1]
  return text === undefined ? { kind: 'missing' } : { kind: 'found', text }
}

/** What tRPC's clients put around the fields of an operation: `{ "0": { "json": { email } } }`, or less. */
function envelopes(body: LoginBody): readonly LoginBody[] {
  if (body.kind !== 'json') return []
  const first = memberOf(body.value, '0')
  return [first, memberOf(body.value, 'json'), memberOf(first, 'json')]
    .filter(value => value !== undefined)
    .map(value => ({ kind: 'json', value }))
}

function memberOf(value: Json | undefined, name: string): Json | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
  return Object.getOwnPropertyDescriptor(value, name)?.value as Json | undefined
}

function inBatch(list: readonly Json[], path: readonly string[]): Found {
  return list.length === 1 && list[0] !== undefined ? inJson(list[0], path) : { kind: 'repeated' }
}

function inJson(value: Json, path: readonly string[]): Found {
  let inner: Json | undefined = value
  for (const name of path) {
    if (typeof inner !== 'object' || inner === null) return { kind: 'missing' }
    inner = Object.entries(inner).find(([key]) => foldedName(key) === foldedName(name))?.[1]
    if (inner === undefined) return { kind: 'missing' }
  }
  if (typeof inner === 'string') return { kind: 'found', text: inner }
  if (typeof inner === 'number') return { kind: 'found', text: String(inner) }
  // An object or list where a name belongs is an operator for some databases: {"email": {"$gt": ""}}.
  if (inner === null) return { kind: 'missing' }
  return Array.isArray(inner) ? { kind: 'repeated' } : { kind: 'repeated', isObject: true }
}
