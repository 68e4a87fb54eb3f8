import { type Exchange, mayHoldRequests } from '@postern/core'
import { batchedNames } from './batched-names.ts'
import { DEFAULT_LANES } from './lane-rules.ts'
import { BATCHED_LOGIN, type CompiledLogin, isObviousLogin, OBVIOUS_LOGIN } from './login-settings.ts'

/** A request that names several operations could try a password with each. */
const SEVERAL: CompiledLogin = {
  read: () => Promise.resolve({ kind: 'several' }),
  tests: {},
  lanes: DEFAULT_LANES,
}

/** What guards a login, by the path of a request: one that names several operations is refused. */
export function oneLogin(login: CompiledLogin, { path }: Exchange): CompiledLogin {
  return batchedNames(path).length > 1 ? SEVERAL : login
}

/** What guards a request that nobody named a login and that looks like one, or may hold one. */
export function obviousLogin(exchange: Exchange): CompiledLogin | undefined {
  if (isObviousLogin(exchange)) return oneLogin(OBVIOUS_LOGIN, exchange)
  return mayHoldRequests(exchange) ? BATCHED_LOGIN : undefined
}
