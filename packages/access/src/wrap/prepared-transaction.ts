import { ConfigError } from '@postern/core'

/**
 * A statement that gives a transaction away instead of ending it, with comments between its words as some may
 * stand there. In a text in quotes it is taken for one too: a value is a parameter.
 */
const PREPARES = /\bPREPARE(?:\s+TRANSACTION\b|\s*(?:--|\/\*))/i
const TRANSACTION = /\bTRANSACTION\b/i

/**
 * Why a statement is not sent, if it is one of `PREPARE TRANSACTION`: what it leaves holds its locks until
 * somebody else ends it, over restarts of the server too, and with them the counts of budgets and every row
 * that it changed.
 */
export function preparedRefusal(text: string): ConfigError | undefined {
  // Two searches, each of one pass: whoever got SQL in chooses the length of the text too.
  if (!TRANSACTION.test(text) || !PREPARES.test(text)) return undefined
  return new ConfigError({
    place: 'a guarded connection',
    problem:
      'PREPARE TRANSACTION leaves a transaction that holds its locks and counts until somebody ends it',
    hint: 'end it with COMMIT; two-phase commit goes over a connection that is not guarded',
  })
}

/** A session of postgres.js on which `unsafe` refuses what `preparedRefusal` does. */
export function endingSession<S extends object>(session: S): S {
  return new Proxy(session, {
    get: (target, name) => {
      const value: unknown = Reflect.get(target, name)
      if (typeof value !== 'function') return value
      if (name === 'unsafe')
        return (...args: unknown[]) => {
          const refusal = preparedRefusal(String(args[0]))
          if (refusal !== undefined) throw refusal
          return Reflect.apply(value, target, args)
        }
      if (name !== 'savepoint') return value
      return (...args: unknown[]) =>
        Reflect.apply(
          value,
          target,
          args.map(arg =>
            typeof arg === 'function'
              ? (inner: object) => Reflect.apply(arg, undefined, [endingSession(inner)])
              : arg,
          ),
        )
    },
  })
}
