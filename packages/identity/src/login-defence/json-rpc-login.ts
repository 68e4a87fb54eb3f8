import type { Json } from '@postern/core'
import { type AccountReader, type AccountReading, readingOf } from './account-field.ts'
import { valueAt } from './answer-test.ts'
import { readLoginBody } from './login-body.ts'

/** Where a JSON-RPC request holds a sign-in. */
export interface JsonRpcLogin {
  /** Method that signs in: `auth.login`. */
  readonly method: string
  /** Where the account is in the parameters: a name (`email`), or a position (`0`). */
  readonly account: string
}

/** The account of a login by JSON-RPC 2.0. A batch that calls the method twice is refused. */
export function jsonRpcAccount(login: JsonRpcLogin): AccountReader {
  return async exchange => {
    const body = await readLoginBody(exchange)
    if (body.kind === 'unreadable') return { kind: 'unreadable' }
    if (body.kind !== 'json') return { kind: 'none' }
    const calls = (Array.isArray(body.value) ? body.value : [body.value]).filter(
      call => valueAt(call, ['method']) === login.method,
    )
    if (calls.length > 1) return { kind: 'several' }
    return calls[0] === undefined ? { kind: 'none' } : readCall(calls[0], login.account)
  }
}

function readCall(call: Json, name: string): AccountReading {
  const account = valueAt(call, ['params', ...name.split('.')])
  return typeof account === 'string' ? readingOf(account) : { kind: 'unreadable' }
}
