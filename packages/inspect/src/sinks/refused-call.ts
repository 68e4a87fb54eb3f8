import { EventEmitter } from 'node:events'
import promises from 'node:fs/promises'

/**
 * Hands an error to the caller of a watched method in the manner of that method, so that a refusal arrives
 * where the application expects failures: an error thrown from within a callback would end the process.
 *
 * @param self what the method was called on
 * @param method its name
 * @param parameters what it was called with
 * @param returns whether it is known to return a promise
 * @returns what the method returns when it fails
 * @throws the error, where the method throws its own
 */
export function refusedCall(
  error: Error,
  self: unknown,
  method: string,
  parameters: readonly unknown[],
  returns: 'promise' | 'unknown',
): unknown {
  const callback = parameters.at(-1)
  if (typeof callback === 'function' && !method.endsWith('Sync')) {
    process.nextTick(callback, error)
    return undefined
  }
  if (isMysql(self)) {
    const command = new EventEmitter()
    process.nextTick(() => command.emit('error', error))
    return command
  }
  if (returns === 'promise' || self === promises || isPostgres(self, parameters)) return Promise.reject(error)
  throw error
}

/** A client or pool of `pg`, called without a callback and without a query object of its own. */
function isPostgres(self: unknown, [first]: readonly unknown[]): boolean {
  const isOwnQuery = typeof first === 'object' && first !== null && 'submit' in first
  return (
    !isOwnQuery &&
    (hasMethod(self, 'escapeLiteral') || (hasMethod(self, 'connect') && hasMethod(self, 'end')))
  )
}

/** A connection or pool of `mysql2`, whose methods return a command that emits `error`. */
function isMysql(self: unknown): boolean {
  return hasMethod(self, 'addCommand') || hasMethod(self, 'getConnection')
}

function hasMethod(self: unknown, name: string): boolean {
  return typeof self === 'object' && self !== null && typeof Reflect.get(self, name) === 'function'
}
