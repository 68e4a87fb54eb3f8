import { AsyncLocalStorage } from 'node:async_hooks'
import { ConfigError, CredentialError, StoreError } from '@postern/core'
import type { Acting } from '../budget/acting-as.ts'
import { RowBudgetExceeded } from '../budget/budget-refusal.ts'
import type { CountedBudgets, TableName, Taken } from '../budget/counted-budgets.ts'
import type { ReadBudgets } from '../read/read-budgets.ts'
import { RowReader } from '../read/row-reader.ts'
import { cascades, FOLLOWED, type Followed, followedOf } from './cascades.ts'
import { affectedRows, columnsOf, type MysqlAnswer, rowsOf, sizeAt } from './mysql-answer.ts'
import { isRaw, isScalar, textOf, valuesOf } from './mysql-values.ts'
import { ACTION_OF, type StatementKind, statementKind } from './statement-kind.ts'

/** What a guarded connection needs to know. */
export interface MysqlGuard {
  readonly changes: CountedBudgets
  readonly reads: ReadBudgets | undefined
  readonly cascades: 'refuse' | 'uncounted'
  readonly acting: () => Acting | undefined
  readonly report: (error: RowBudgetExceeded, acting: Acting) => void
  /** Receives each transaction that was open as its connection was given back. */
  readonly leftOpen: () => void
}

type Callback = (error: unknown, result?: unknown, fields?: unknown) => void
type Method = 'query' | 'execute'

/** A statement as the driver was given it. */
interface Asked {
  readonly method: Method
  readonly statement: unknown
  readonly values: unknown
}

/** Rows that the server has deleted, edited and inserted for this session since it began. */
interface Handled {
  readonly delete: number
  readonly update: number
  readonly insert: number
}

type Change = Extract<StatementKind, { is: 'change' }>

const OUTSIDE = 'a change on a guarded connection needs to be made inside actingAs()'
const HANDLED =
  "SHOW SESSION STATUS WHERE Variable_name IN ('Handler_delete', 'Handler_update', 'Handler_write', 'Handler_tmp_write')"

/** Our own rows are objects of texts and numbers, whatever the pool makes of those of the application. */
const OWN_ROWS = { rowsAsArray: false, nestTables: false, typeCast: true } as const
const COUNTERS = ['Handler_delete', 'Handler_update', 'Handler_write'] as const

/** What is called like a table and is a view is of other tables. */
const BASE_TABLES =
  "SELECT TABLE_NAME AS name FROM information_schema.TABLES WHERE TABLE_TYPE IN ('BASE TABLE', 'SYSTEM VERSIONED')"

/**
 * Counts on one connection of mysql2. The session is read-only but for transactions that are begun here, so
 * that what the count does not understand fails rather than passes. What a statement changed is read from the
 * server's own counters of the session, which also count what triggers and functions do; over budget the
 * whole transaction is rolled back.
 */
export class MysqlConnection {
  readonly #guard: MysqlGuard
  readonly #raw: Readonly<Record<Method, (...args: unknown[]) => unknown>>
  readonly #format: (...args: unknown[]) => unknown
  readonly #destroy: (...args: unknown[]) => unknown
  /** Statements run one after the other, for a change is several. */
  #turn: Promise<unknown> = Promise.resolve()
  #handled: Handled | undefined
  #followed: readonly Followed[] = []
  #tables: ReadonlySet<string> = new Set()
  #isInTransaction = false
  /** Whether a function could have changed rows since the count was looked at. */
  #isUnchecked = false
  /** Whether rows of internal temporary tables, which reads make, are counted apart: on MariaDB. */
  #isExact = false
  #taken: Taken[] = []

  constructor(connection: object, guard: MysqlGuard) {
    this.#guard = guard
    this.#raw = { query: methodOf(connection, 'query'), execute: methodOf(connection, 'execute') }
    this.#format = methodOf(connection, 'format')
    this.#destroy = methodOf(connection, 'destroy')
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

  /** Whether a transaction is open, once all statements are answered. */
  get isInTransaction(): boolean {
    return this.#isInTransaction
  }

  /**
   * The connection is given back: whoever gets it next is in no transaction of another, whose changes would
   * be charged to the wrong one, and who could take back those of all others.
   */
  release(): void {
    this.#turn = this.#turn.then(() => this.#endOpen()).catch(() => this.#destroy())
  }

  async #endOpen(): Promise<void> {
    if (!this.#isInTransaction) return
    if (this.#isUnchecked) await this.#handledSince()
    await this.#rollback()
    this.#guard.leftOpen()
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

  /**
   * The text with its values where a value can be the name of a table: in place of `??`, or by `raw()`. Other
   * values name nothing, even when they are equal to a name.
   */
  #namesIn(asked: Asked, text: string): string {
    return text.includes('??') || valuesOf(asked, text).some(isRaw) ? this.#written(asked, text) : text
  }

  #written({ method, statement, values }: Asked, text: string): string {
    if (method !== 'query') return text
    const own = typeof statement === 'object' && statement !== null ? statement : {}
    const given: unknown = values ?? Reflect.get(own, 'values')
    if (typeof given !== 'object' || given === null) return text
    return String(this.#format(text, given, Reflect.get(own, 'namedPlaceholders')))
  }

  /**
   * What a statement is. A value can make another of it: of `SET ?` and an object the driver makes settings,
   * and a body in JSON may hold an object.
   * @throws ConfigError as `statementKind`
   */
  #kindOf(asked: Asked, text: string): StatementKind {
    const kind = statementKind(text)
    if (kind.is === 'change') return kind
    const isSetting = kind.is === 'neutral' && !valuesOf(asked, text).every(isScalar)
    const written = isSetting ? this.#written(asked, text) : this.#namesIn(asked, text)
    return written === text ? kind : statementKind(written)
  }

  async #run(asked: Asked): Promise<MysqlAnswer> {
    const text = textOf(asked.statement)
    const kind = this.#kindOf(asked, text)
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
    this.#followed = rowsOf((await this.#send(FOLLOWED)).result).map(followedOf)
    this.#tables = new Set(rowsOf((await this.#send(BASE_TABLES)).result).map(row => String(row['name'])))
    await this.#handledSince()
  }

  async #read(asked: Asked, acting: Acting | undefined): Promise<MysqlAnswer> {
    this.#isUnchecked = this.#isInTransaction
    const answer = await this.#passCounting(asked, acting)
    const refusal = this.#countReads(answer, acting)
    if (refusal === undefined) return answer
    if (acting !== undefined) this.#guard.report(refusal, acting)
    throw refusal
  }

  /** An error can hold what the statement read. */
  async #passCounting(asked: Asked, acting: Acting | undefined): Promise<MysqlAnswer> {
    try {
      return await this.#pass(asked)
    } catch (error) {
      const { reads } = this.#guard
      if (reads === undefined || acting === undefined || !(error instanceof Error)) throw error
      const refusal = new RowReader(reads.charge(acting)).message(error.message.length)
      if (refusal === undefined) throw error
      this.#guard.report(refusal, acting)
      throw refusal
    }
  }

  /** Counts the rows of an answer; those of one that is refused count for nothing. */
  #countReads(answer: MysqlAnswer, acting: Acting | undefined): RowBudgetExceeded | undefined {
    const { reads } = this.#guard
    if (reads === undefined || acting === undefined) return undefined
    const reader = new RowReader(reads.charge(acting))
    const columns = columnsOf(answer)
    const places = [...columns.keys()]
    reader.describe({
      tables: [...new Set(columns.flatMap(({ table }) => (table === undefined ? [] : [table])))],
      stored: places.filter(place => columns[place]?.table !== undefined),
      computed: places.filter(place => columns[place]?.table === undefined),
      catalog: [],
    })
    for (const row of rowsOf(answer.result)) {
      const refusal = reader.row(place => {
        const column = columns[place]
        return column === undefined ? 0 : sizeAt(row, column, place)
      })
      if (refusal === undefined) continue
      reader.giveBack()
      return refusal
    }
    return undefined
  }

  async #change(asked: Asked, kind: Change, text: string, acting: Acting | undefined): Promise<MysqlAnswer> {
    if (acting === undefined) throw new CredentialError(OUTSIDE)
    this.#checkCascades(kind.verb, this.#namesIn(asked, text))
    const isAlone = !this.#isInTransaction
    if (isAlone) await this.#send('START TRANSACTION READ WRITE')
    let answer: MysqlAnswer
    try {
      answer = await this.#passCounting(asked, acting)
    } catch (error) {
      // The statement is undone, and its rows were handled all the same.
      await this.#handledSince()
      if (isAlone) await this.#send('ROLLBACK')
      throw error
    }
    const named = affectedRows(kind.verb, text, answer)
    const refusal =
      this.#count(kind, await this.#handledSince(), named, acting) ?? this.#countReads(answer, acting)
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
    { verb, table: target }: Change,
    counted: Handled,
    named: number,
    acting: Acting,
  ): RowBudgetExceeded | undefined {
    // To delete a row of a system-versioned table is to edit it, for the server.
    const ended = verb === 'delete' ? Math.max(0, named - counted.delete) : 0
    const handled = {
      ...counted,
      delete: counted.delete + ended,
      update: Math.max(0, counted.update - ended),
    }
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
    if (this.#guard.cascades === 'uncounted' || !cascades(this.#followed, verb, text)) return
    throw new ConfigError({
      place: 'guardMysql',
      problem:
        'the statement names a table that a foreign key deletes or edits rows of other tables with, uncounted',
      hint: 'change those rows first, under a foreign key with RESTRICT, or say cascades: "uncounted"',
    })
  }

  /** Commits, unless functions that reads called have changed more than is left. */
  async #end(acting: Acting | undefined): Promise<MysqlAnswer> {
    if (!this.#isUnchecked) return this.#commit()
    const found = await this.#handledSince()
    const handled = this.#isExact ? found : { ...found, insert: 0 }
    if (handled.delete + handled.update + handled.insert === 0) return this.#commit()
    const refusal =
      acting === undefined
        ? new CredentialError(OUTSIDE)
        : this.#count({ is: 'change', verb: 'select', table: undefined }, handled, 0, acting)
    if (refusal === undefined) return this.#commit()
    await this.#rollback()
    if (acting !== undefined && refusal instanceof RowBudgetExceeded) this.#guard.report(refusal, acting)
    throw refusal
  }

  /**
   * What was handled since it was asked last.
   * @throws what the server says when it does not say: then the transaction is rolled back
   */
  async #handledSince(): Promise<Handled> {
    const before = this.#handled
    const now = await this.#handledNow().catch(async (error: unknown) => {
      await this.#abandon()
      throw error
    })
    this.#isUnchecked = false
    this.#handled = now
    if (before === undefined) return now
    // A counter that went back was reset: then all of it counts.
    const since = (action: keyof Handled): number =>
      now[action] < before[action] ? now[action] : now[action] - before[action]
    return { delete: since('delete'), update: since('update'), insert: since('insert') }
  }

  async #handledNow(): Promise<Handled> {
    const found = Object.fromEntries(
      rowsOf((await this.#send(HANDLED)).result).map(row => [row['Variable_name'], Number(row['Value'])]),
    )
    const [deleted, updated, inserted] = COUNTERS.map(name => found[name] ?? Number.NaN)
    const now: Handled = { delete: deleted ?? 0, update: updated ?? 0, insert: inserted ?? 0 }
    if (Number.isNaN(now.delete + now.update + now.insert))
      throw new StoreError('does not say how many rows it changed', { store: 'MySQL', retryable: false })
    this.#isExact = found['Handler_tmp_write'] !== undefined
    return now
  }

  /**
   * Rows that could not be counted do not stay: the next transaction would commit them as it begins. Settings
   * of the session may be why, so it goes too; the pool opens another.
   */
  async #abandon(): Promise<void> {
    await this.#rollback().catch(() => {})
    this.#destroy()
  }

  async #commit(): Promise<MysqlAnswer> {
    const answer = await this.#send('COMMIT')
    this.#isInTransaction = false
    this.#taken = []
    return answer
  }

  async #rollback(): Promise<MysqlAnswer> {
    const answer = await this.#send('ROLLBACK')
    this.#isInTransaction = false
    this.#guard.changes.giveBack(this.#taken)
    return answer
  }

  #send(text: string): Promise<MysqlAnswer> {
    return this.#pass({ method: 'query', statement: { sql: text, ...OWN_ROWS }, values: undefined })
  }

  #pass({ method, statement, values }: Asked): Promise<MysqlAnswer> {
    return new Promise((resolve, reject) => {
      const done: Callback = (error, result, fields) => (error ? reject(error) : resolve({ result, fields }))
      if (values === undefined) this.#raw[method](statement, done)
      else this.#raw[method](statement, values, done)
    })
  }
}

function methodOf(target: object, name: string): (...args: unknown[]) => unknown {
  const method: unknown = Reflect.get(target, name)
  if (typeof method !== 'function')
    throw new ConfigError({
      place: 'guardMysql',
      problem: 'this is not a connection of mysql2',
      hint: 'guard the pool, and take connections from it',
    })
  return (...args) => Reflect.apply(method, target, args)
}
