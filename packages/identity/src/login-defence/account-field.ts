import type { Exchange, Json } from '@postern/core'
import { canonicalAccount } from './account-name.ts'
import { type LoginBody, readLoginBody } from './login-body.ts'

/** Which account a request tries. */
export type AccountReading =
  | { readonly kind: 'account'; readonly account: string }
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

/** Reads the account of a login. */
export type AccountReader = (exchange: Exchange) => Promise<AccountReading>

const MAX_DEPTH = 8

/**
 * The account in a body field (`email`, `user.email`); with several names, in the first of them that is
 * there. Names match in any letter case, as many backends do.
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
    for (const name of names) {
      const found = fieldOf(body, name.split('.').slice(0, MAX_DEPTH))
      if (found.kind === 'repeated') return { kind: 'several' }
      if (found.kind === 'found') return readingOf(found.text)
    }
    return { kind: absent }
  }
}

/** The reading of an account as it was sent. */
export function readingOf(text: string): AccountReading {
  const account = canonicalAccount(text)
  return account === undefined ? { kind: 'unreadable' } : { kind: 'account', account }
}

type Found =
  | { readonly kind: 'found'; readonly text: string }
  | { readonly kind: 'missing' }
  | { readonly kind: 'repeated' }

function fieldOf(body: LoginBody, path: readonly string[]): Found {
  if (body.kind === 'json')
    return Array.isArray(body.value) ? inBatch(body.value, path) : inJson(body.value, path)
  if (body.kind !== 'form') return { kind: 'missing' }
  // PHP, Rails and qs read `user[email]` as a field of `user`, and `email[]` as a list.
  const spellings = [
    path.join('.'),
    path[0] +
      path
        .slice(1)
        .map(name => `[${name}]`)
        .join(''),
  ]
  const values = body.fields.filter(([name]) => {
    const bare = name.toLowerCase().replace(/\[\d*\]$/, '')
    return spellings.some(spelling => spelling.toLowerCase() === bare)
  })
  if (values.length > 1) return { kind: 'repeated' }
  const text = values[0]?.[1]
  return text === undefined ? { kind: 'missing' } : { kind: 'found', text }
}

function inBatch(list: readonly Json[], path: readonly string[]): Found {
  return list.length === 1 && list[0] !== undefined ? inJson(list[0], path) : { kind: 'repeated' }
}

function inJson(value: Json, path: readonly string[]): Found {
  let inner: Json | undefined = value
  for (const name of path) {
    if (typeof inner !== 'object' || inner === null) return { kind: 'missing' }
    inner = Object.entries(inner).find(([key]) => key.toLowerCase() === name.toLowerCase())?.[1]
    if (inner === undefined) return { kind: 'missing' }
  }
  if (typeof inner === 'string') return { kind: 'found', text: inner }
  if (typeof inner === 'number') return { kind: 'found', text: String(inner) }
  // An object or list where a name belongs is an operator for some databases: {"email": {"$gt": ""}}.
  return inner === null ? { kind: 'missing' } : { kind: 'repeated' }
}
