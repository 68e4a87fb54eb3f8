import { AsyncLocalStorage } from 'node:async_hooks'
import { ConfigError, CredentialError } from '@postern/core'
import type { RowAction } from '../budget/budget.ts'
import { RowBudgetExceeded } from '../budget/budget-refusal.ts'
import type { CountedBudgets, TableName, Taken } from '../budget/counted-budgets.ts'
import type { ReadBudgets } from '../read/read-budgets.ts'
import { RowReader } from '../read/row-reader.ts'
import type { Acting } from '../wrap/acting-as.ts'
import { type StatementKind, statementKind } from './statement-kind.ts'

/** What a guarded connection needs to know. */
export interface MysqlGuard {
  readonly changes: CountedBudgets
  readonly reads: ReadBudgets | undefined
  readonly cascades: 'refuse' | 'uncounted'
  readonly acting: () => Acting | undefined
  readonly report: (error: RowBudgetExceeded, acting: Acting) => void
}

type Callback = (error: unknown, result?: unknown, fields?: unknown) => void
type Method = 'query' | 'execute'

/** A statement as the driver was given it. */
interface Asked {
  readonly method: Method
  readonly statement: unknown
  readonly values: unknown
}

interface Answer {
  readonly result: unknown
  readonly fields: unknown
}

/** Rows that the server has deleted, edited and inserted for this session since it began. */
interface Handled {
  readonly delete: number
  readonly update: number
  readonly insert: number
}

const OUTSIDE = 'a change on a guarded connection needs to be made inside actingAs()'
const HANDLED =
  "SHOW SESSION STATUS WHERE Variable_name IN ('Handler_delete', 'Handler_update', 'Handler_write')"

/** Tables that rows of others follow: the server does not count what a foreign key deletes or edits. */
const FOLLOWED = `
  SELECT DISTINCT REFERENCED_TABLE_NAME AS name, DELETE_RULE NOT IN ('RESTRICT', 'NO ACTION') AS deletes, UPDATE_RULE NOT IN ('RESTRICT', 'NO ACTION') AS updates
  FROM information_schema.REFERENTIAL_CONSTRAINTS
  WHERE DELETE_RULE NOT IN ('RESTRICT', 'NO ACTION') OR UPDATE_RULE NOT IN ('RESTRICT', 'NO ACTION')`

/** What is called like a table and is a view is of other tables. */
const BASE_TABLES = "SELECT TABLE_NAME AS name FROM information_schema.TABLES WHERE TABLE_TYPE = 'BASE TABLE'"

/**
 * Counts on one connection of mysql2. The session is read-only but for transactions that are begun here, so
 * that what the count does not understand fails rather than passes. What a statement changed is read from the
 * server's own counters of the session, which also count what triggers and functions do; over budget the
 * whole transaction is rolled back.
 */
export class MysqlConnection {
  readonly #guard: MysqlGuard
  readonly #raw: Readonly<Record<Method, (...args: unknown[]) => unknown>>
  /** Statements run one after the other, for a change is several. */
  #turn: Promise<unknown> = Promise.resolve()
  #handled: Handled | undefined
  #followed: readonly Followed[] = []
  #tables: ReadonlySet<string> = new Set()
  #isInTransaction = false
  /** Whether a function could have changed rows since the count was looked at. */
  #isUnchecked = false
  #taken: Taken[] = []

  constructor(connection: object, guard: MysqlGuard) {
    this.#guard = guard
    this.#raw = { query: methodOf(connection, 'query'), execute: methodOf(connection, 'execute') }
    for (const method of ['query', 'execute'] as const)
      Reflect.set(connection, method, (...args: unknown[]) => this.#ask(method, args))
    for (const name of ['prepare', 'changeUser', 'reset', 'resetConnection'])
      Reflect.set(connection, name, () => {
        throw new ConfigError({
          place: 'guardMysql',
          problem: `${name}() would bypass the count`,
          hint: 'use query() or execute()',
        })
      })
  }

  #ask(method: Method, args: readonly unknown[]): void {
    const callback = args.at(-1)
    if (typeof callback !== 'function')
      throw new ConfigError({
        place: 'guardMysql',
        problem: 'a statement without a callback is a stream, and cannot be counted',
        hint: 'give a callback, or use mysql2/promise',
      })
    const done = AsyncLocalStorage.bind((...answer: Parameters<Callback>) => callback(...answer))
    const [statement, values] = args.slice(0, -1)
    const run = AsyncLocalStorage.bind(() => this.#run({ method, statement, values }))
    this.#turn = this.#turn.then(run).then(
      ({ result, fields }) => done(null, result, fields),
      (error: unknown) => done(error),
    )
  }

  async #run(asked: Asked): Promise<Answer> {
    const text = textOf(asked.statement)
    const kind = statementKind(text)
    const acting = this.#guard.acting()
    if (this.#handled === undefined) await this.#begin()
    switch (kind.is) {
      case 'read':
        return this.#read(asked, acting)
      case 'change':
        return this.#change(asked, kind, text, acting)
      case 'begin':
        if (this.#isInTransaction) await this.#end(acting)
        await this.#send('START TRANSACTION READ WRITE')
        this.#isInTransaction = true
        return { result: {}, fields: undefined }
      case 'commit':
        return this.#end(acting)
      case 'rollback':
        if (this.#isUnchecked) await this.#handledSince()
        return this.#rollback()
      case 'neutral':
        this.#isUnchecked = this.#isInTransaction
        return this.#pass(asked)
    }
  }

  async #begin(): Promise<void> {
    await this.#send('SET SESSION TRANSACTION READ ONLY')
    this.#followed = rowsOf((await this.#send(FOLLOWED)).result).map(row => ({
      name: new RegExp(`(?<![\\w$])${escaped(String(row['name']))}(?![\\w$])`, 'i'),
      deletes: Number(row['deletes']) === 1,
      updates: Number(row['updates']) === 1,
    }))
    this.#tables = new Set(rowsOf((await this.#send(BASE_TABLES)).result).map(row => String(row['name'])))
    await this.#handledSince()
  }

  async #read(asked: Asked, acting: Acting | undefined): Promise<Answer> {
    this.#isUnchecked = this.#isInTransaction
    const answer = await this.#pass(asked)
    const { reads } = this.#guard
    if (reads === undefined || acting === undefined) return answer
    const reader = new RowReader(reads.charge(acting))
    const columns = columnsOf(answer.fields)
    const tables = columns.map(({ table }) => table)
    reader.describe(
      [...new Set(tables.filter(table => table !== undefined))],
      tables.flatMap((table, place) => (table === undefined ? [place] : [])),
    )
    for (const row of rowsOf(answer.result)) {
      const refusal = reader.row(place => sizeOf(Reflect.get(row, columns[place]?.name ?? place)))
      if (refusal === undefined) continue
      reader.giveBack()
      this.#guard.report(refusal, acting)
      throw refusal
    }
    return answer
  }

  async #change(
    asked: Asked,
    kind: Extract<StatementKind, { is: 'change' }>,
    text: string,
    acting: Acting | undefined,
  ): Promise<Answer> {
    if (acting === undefined) throw new CredentialError(OUTSIDE)
    this.#checkCascades(kind.verb, text)
    const isAlone = !this.#isInTransaction
    if (isAlone) await this.#send('START TRANSACTION READ WRITE')
    let answer: Answer
    try {
      answer = await this.#pass(asked)
    } catch (error) {
      // The statement is undone, and its rows were handled all the same.
      await this.#handledSince()
      if (isAlone) await this.#send('ROLLBACK')
      throw error
    }
    const refusal = this.#count(kind, await this.#handledSince(), affected(answer.result), acting)
    if (refusal !== undefined) {
      await this.#rollback()
      this.#guard.report(refusal, acting)
      throw refusal
    }
    if (isAlone) await this.#commit()
    return answer
  }

  /** Rows of tables that are not the statement's plain target count against every budget on the action. */
  #count(
    { verb, table: target }: Extract<StatementKind, { is: 'change' }>,
    handled: Handled,
    named: number,
    acting: Acting,
  ): RowBudgetExceeded | undefined {
    const table = target !== undefined && this.#tables.has(target) ? target : undefined
    for (const action of ['delete', 'update', 'insert'] as const) {
      const rows = handled[action]
      const own = ACTION_OF[verb] === action && table !== undefined ? Math.min(rows, named) : 0
      for (const [name, units] of [
        [table === undefined ? undefined : `.${table}`, own],
        [undefined, rows - own],
      ] as const satisfies readonly (readonly [TableName, number])[]) {
        if (units <= 0) continue
        const detail = this.#guard.changes.take(acting, action, name, units, this.#taken)
        if (detail !== undefined) return new RowBudgetExceeded(detail)
      }
    }
    return undefined
  }

  #checkCascades(verb: string, text: string): void {
    if (this.#guard.cascades === 'uncounted' || verb === 'insert' || verb === 'load') return
    const isEdit = verb === 'update'
    if (!this.#followed.some(({ name, deletes, updates }) => (isEdit ? updates : deletes) && name.test(text)))
      return
    throw new ConfigError({
      place: 'guardMysql',
      problem:
        'the statement names a table that a foreign key deletes or edits rows of other tables with, uncounted',
      hint: 'change those rows first, under a foreign key with RESTRICT, or say cascades: "uncounted"',
    })
  }

  /** Commits, unless functions that reads called have changed more than is left. */
  async #end(acting: Acting | undefined): Promise<Answer> {
    if (!this.#isUnchecked) return this.#commit()
    const handled = { ...(await this.#handledSince()), insert: 0 }
    if (handled.delete + handled.update === 0) return this.#commit()
    const refusal =
      acting === undefined
        ? new CredentialError(OUTSIDE)
        : this.#count({ is: 'change', verb: 'select', table: undefined }, handled, 0, acting)
    if (refusal === undefined) return this.#commit()
    await this.#rollback()
    if (acting !== undefined && refusal instanceof RowBudgetExceeded) this.#guard.report(refusal, acting)
    throw refusal
  }

  /** What was handled since it was asked last. */
  async #handledSince(): Promise<Handled> {
    const before = this.#handled
    this.#isUnchecked = false
    const found = Object.fromEntries(
      rowsOf((await this.#send(HANDLED)).result).map(row => [row['Variable_name'], Number(row['Value'])]),
    )
    const now: Handled = {
      delete: found['Handler_delete'] ?? 0,
      update: found['Handler_update'] ?? 0,
      insert: found['Handler_write'] ?? 0,
    }
    this.#handled = now
    if (before === undefined) return now
    // A counter that went back was reset: then all of it counts.
    const since = (action: keyof Handled): number =>
      now[action] < before[action] ? now[action] : now[action] - before[action]
    return { delete: since('delete'), update: since('update'), insert: since('insert') }
  }

  async #commit(): Promise<Answer> {
    const answer = await this.#send('COMMIT')
    this.#isInTransaction = false
    this.#taken = []
    return answer
  }

  async #rollback(): Promise<Answer> {
    const answer = await this.#send('ROLLBACK')
    this.#isInTransaction = false
    this.#guard.changes.giveBack(this.#taken)
    return answer
  }

  #send(text: string): Promise<Answer> {
    return this.#pass({ method: 'query', statement: text, values: undefined })
  }

  #pass({ method, statement, values }: Asked): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const done: Callback = (error, result, fields) => (error ? reject(error) : resolve({ result, fields }))
      if (values === undefined) this.#raw[method](statement, done)
      else this.#raw[method](statement, values, done)
    })
  }
}

interface Followed {
  readonly name: RegExp
  readonly deletes: boolean
  readonly updates: boolean
}

const ACTION_OF: Readonly<Record<string, RowAction>> = {
  delete: 'delete',
  update: 'update',
  insert: 'insert',
  replace: 'insert',
  load: 'insert',
}

function methodOf(target: object, name: string): (...args: unknown[]) => unknown {
  const method: unknown = Reflect.get(target, name)
  if (typeof method !== 'function')
    throw new ConfigError({ place: 'guardMysql', problem: 'this is not a connection of mysql2' })
  return (...args) => Reflect.apply(method, target, args)
}

function textOf(statement: unknown): string {
  const text: unknown =
    typeof statement === 'object' && statement !== null && 'sql' in statement ? statement.sql : statement
  if (typeof text !== 'string')
    throw new ConfigError({ place: 'guardMysql', problem: 'a statement has no text' })
  return text
}

function affected(result: unknown): number {
  return typeof result === 'object' && result !== null && 'affectedRows' in result
    ? Number(result.affectedRows)
    : 0
}

function rowsOf(result: unknown): readonly Record<string, unknown>[] {
  return Array.isArray(result) ? result : []
}

interface Column {
  readonly name: string
  readonly table: string | undefined
}

function columnsOf(fields: unknown): readonly Column[] {
  if (!Array.isArray(fields)) return []
  return fields.map(field => ({
    name: String(field.name),
    table:
      field.orgTable === '' || field.orgTable === undefined
        ? undefined
        : `${field.schema ?? ''}.${field.orgTable}`,
  }))
}

function sizeOf(value: unknown): number {
  if (value === null || value === undefined) return 0
  if (typeof value === 'string' || value instanceof Uint8Array) return value.length
  return typeof value === 'object' ? JSON.stringify(value).length : 8
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
}
