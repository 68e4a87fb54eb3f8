import { ConfigError } from '@postern/core'
import type { Acting } from '../budget/acting-as.ts'
import { budgetError, type ReadBudgetExceeded, RowBudgetExceeded } from '../budget/budget-refusal.ts'
import type { ReadBudgets } from '../read/read-budgets.ts'
import { columnSources, RowReader, textsIn } from '../read/row-reader.ts'
import type { TableNames } from '../read/table-names.ts'
import { sizeOfValue } from '../read/value-size.ts'

/** What a session of postgres.js needs to count what is read in it. */
export interface SessionReads {
  readonly budgets: ReadBudgets
  readonly names: TableNames
  readonly acting: Acting
  readonly report: (error: ReadBudgetExceeded, acting: Acting) => void
}

/** Methods of a session that make a query, and those that hand out a session of their own. */
const QUERIES: ReadonlySet<PropertyKey> = new Set(['unsafe', 'file'])

/**
 * A session of postgres.js whose queries count the rows they are sent, also those of cursors and of
 * `forEach`. What is over budget does not reach the caller: its query fails instead.
 */
export function countingSession<S extends object>(session: S, reads: SessionReads): S {
  return new Proxy(session, {
    apply: (target, self, args) => counted(call(target, self, args), reads),
    get: (target, name) => {
      const value: unknown = Reflect.get(target, name)
      if (typeof value !== 'function') return value
      if (QUERIES.has(name)) return (...args: unknown[]) => counted(call(value, target, args), reads)
      if (name !== 'savepoint') return value
      return (...args: unknown[]) =>
        call(
          value,
          target,
          args.map(arg =>
            typeof arg === 'function'
              ? (inner: object) => call(arg, undefined, [countingSession(inner, reads)])
              : arg,
          ),
        )
    },
  })
}

function call(target: unknown, self: unknown, args: unknown[]): unknown {
  if (typeof target !== 'function')
    throw new ConfigError({
      place: 'sql',
      problem: 'is not a session of postgres.js',
      hint: 'pass the `sql` that `begin` hands to its function',
    })
  return Reflect.apply(target, self, args)
}

/** What is used of a query of postgres.js: it calls these of its own as answers arrive. */
interface Answered {
  resolve: (result: unknown) => unknown
  reject: (error: unknown) => unknown
}

function isQuery(value: unknown): value is Answered {
  return value instanceof Promise && 'resolve' in value && 'reject' in value
}

function counted(query: unknown, { budgets, names, acting, report }: SessionReads): unknown {
  // Identifiers and fragments that are not queries.
  if (!isQuery(query)) return query
  const reader = new RowReader(budgets.charge(acting))
  let refusal: ReadBudgetExceeded | undefined
  const refuse = (error: ReadBudgetExceeded): ReadBudgetExceeded => {
    refusal = error
    report(error, acting)
    return error
  }
  const take = (result: unknown, rows: readonly unknown[]): ReadBudgetExceeded | undefined => {
    const columns = columnsOf(result, query)
    const sources = columnSources(
      columns.map(({ table }) => table),
      id => {
        const name = names.of(id)
        return budgets.needsNames ? name : ''
      },
      id => names.isLasting(id),
    )
    reader.describe(sources)
    for (const row of rows) {
      const over = reader.row(place => sizeOfValue(valueAt(row, place, columns[place]?.name)))
      if (over !== undefined) return refuse(over)
    }
    return undefined
  }
  const { resolve, reject } = query
  query.reject = error => {
    if (refusal !== undefined || budgetError(error) instanceof RowBudgetExceeded) return reject(error)
    const over = reader.message(textsIn(error))
    return reject(over === undefined ? error : refuse(over))
  }
  query.resolve = result => {
    if (refusal !== undefined) return reject(refusal)
    for (const one of resultsIn(result)) {
      const over = take(one, one)
      if (over === undefined) continue
      reader.giveBack()
      return reject(over)
    }
    return resolve(result)
  }
  // Called from the socket for each row: it must not throw, and the query fails at its end.
  around(query, 'forEachFn', inner => (row, result) => {
    if (refusal === undefined && take(result, [row]) === undefined) call(inner, undefined, [row, result])
  })
  around(query, 'cursorFn', inner => result => {
    const over = Array.isArray(result) ? take(result, result) : undefined
    if (over !== undefined) throw over
    return call(inner, undefined, [result])
  })
  Object.defineProperty(query, 'readable', {
    value: async () => {
      throw new ConfigError({
        place: 'reads',
        problem: 'a stream of COPY cannot be counted',
        hint: 'use an instance without reads for exports that are allowed, or read with SELECT',
      })
    },
  })
  return query
}

/** Wraps a function that the query is given later. */
function around(
  query: object,
  name: string,
  wrap: (inner: unknown) => (...args: unknown[]) => unknown,
): void {
  let current: unknown
  Object.defineProperty(query, name, {
    get: () => current,
    set: (inner: unknown) => {
      current = typeof inner === 'function' ? wrap(inner) : inner
    },
  })
}

/** One result, or those of several statements in one text. */
function resultsIn(result: unknown): readonly (readonly unknown[])[] {
  if (!Array.isArray(result)) return []
  return 'columns' in result || !result.every(Array.isArray) ? [result] : result
}

interface Column {
  readonly name: string
  readonly table: number
}

function columnsOf(result: unknown, query: object): readonly Column[] {
  const own: unknown =
    typeof result === 'object' && result !== null && 'columns' in result ? result.columns : undefined
  const statement: unknown = Reflect.get(query, 'statement')
  const columns =
    own ??
    (typeof statement === 'object' && statement !== null ? Reflect.get(statement, 'columns') : undefined)
  return Array.isArray(columns) ? columns : []
}

/** A value, or the whole row where a `transform` has made something else of it. */
function valueAt(row: unknown, place: number, name = ''): unknown {
  if (typeof row !== 'object' || row === null) return row
  if (Array.isArray(row)) return row[place]
  return Object.hasOwn(row, name) ? Reflect.get(row, name) : row
}
