import {
  BudgetExceeded,
  type Clock,
  ConfigError,
  CredentialError,
  IntegrityError,
  systemClock,
} from '@postern/core'
import { type ParsedRecord, parseRecord } from '../record/record-format.ts'
import { JOB_SQL, selectAfter, type TableDialect } from '../sql/table.sql.ts'
import { beginsAsRecord, encodeValue, readStored } from '../table/column-value.ts'
import { isOfOtherMode } from '../table/record-mode.ts'
import { keyText, type Row } from '../table/row-context.ts'
import type { Column, Table } from '../table/table-schema.ts'
import type { Vault } from '../table/vault.ts'
import { fromPlain, toPlain } from './plain-value.ts'
import { type RewriteClient, RowWriter } from './write-rows.ts'

/**
 * What a job does to every row. `seal`: plain values become records. `open`: the other way, back. `rewrap`:
 * records of an earlier epoch become records of the current one. `seal` and `rewrap` also move records that
 * were sealed while the column was in the other mode, `local` or `split`.
 */
export type RewriteKind = 'seal' | 'open' | 'rewrap'

/** The table and columns of a job, and what it does to them. */
export interface RewriteOptions {
  readonly kind: RewriteKind
  readonly table: string
  readonly vault: Vault
  /**
   * `PostgresDatabase` or `sqliteClient`. With another client that has no transactions, what a trigger
   * changes is found out after it was written: the first batch is one row then.
   */
  readonly client: RewriteClient
  readonly dialect: TableDialect
  /** Rows read and written at a time. Default 100. */
  readonly batch?: number
  /** Pause between two batches, milliseconds. Default 0. */
  readonly pause?: number
  /**
   * Rows of each batch that are opened through the keys before they are written, to see that they do. Default
   * 1. All rows are read back and compared.
   */
  readonly verify?: number
  /**
   * Keys of rows that are left as they are, each as `postern vault canary` takes it. Whoever opens a canary
   * is frozen, and a job opens rows.
   */
  readonly except?: readonly (readonly string[])[]
  /** Called after each batch. */
  readonly onProgress?: (progress: RewriteProgress) => void
  /** Ends the job after the batch at hand; running it again goes on from there. */
  readonly signal?: AbortSignal
  readonly clock?: Clock
  /** How the job waits for the pause or for a budget; told milliseconds. */
  readonly wait?: (milliseconds: number) => Promise<void>
}

/** How far a rewriting job is. */
export interface RewriteProgress {
  /** Rows looked at, over all runs of the job. */
  readonly rows: number
  /** Values rewritten in this run. */
  readonly rewritten: number
  /** Rows that changed under the job, and were taken again. */
  readonly contended: number
  /** Whether every row was looked at. */
  readonly done: boolean
}

/**
 * Longest wait for a budget before it is asked for again, milliseconds: a holder that lies names any time.
 */
const LONGEST_WAIT = 3_600_000
/** How often a row that changes under the job is taken again. */
const MAX_ATTEMPTS = 10

/**
 * Rewrites the encrypted columns of a table row by row, in the order of its key,
 * while the application works on.
 *
 * A batch is one statement in one transaction: each row is written only if it still is what was read (compare
 * and set), then read back and compared, and all of it is undone if one is not what was written. Where it
 * stands is kept in `vault_job`; killed at any point, it goes on from the last batch, and finds what it had
 * already done. A budget that is used up makes it wait, not fail.
 * @throws ConfigError when the column's state does not allow it
 * @throws IntegrityError naming the column when a value does not open, or is not
 *   what was written. Never with a value
 */
export async function rewriteTable(options: RewriteOptions): Promise<RewriteProgress> {
  const { kind, vault, client, batch = 100, pause = 0, signal } = options
  const table = vault.table(options.table)
  const columns = table.columns.filter(({ mode }) => mode !== 'held')
  checkStates(columns, kind)
  const isLeft = leftOut(table, options.except ?? [])
  const job = `${kind} ${table.name}`
  const read = [...new Set([...table.key, ...columnsBeside(table), ...columns.map(({ name }) => name)])]
  const wait = options.wait ?? (milliseconds => new Promise(resolve => setTimeout(resolve, milliseconds)))
  const known = await client.query<{ readonly position: string; readonly done: unknown }>(JOB_SQL.get, [job])
  let position: readonly unknown[] | undefined =
    known.rows[0] === undefined
      ? undefined
      : (JSON.parse(known.rows[0].position) as readonly StoredKey[]).map(fromStoredKey)
  let rows = Number(known.rows[0]?.done ?? 0)
  let rewritten = 0
  let contended = 0
  const writer = await RowWriter.of(client, table, options.dialect)
  let limit = writer.canUndo ? batch : 1
  for (;;) {
    const text = selectAfter(table.name, table.key, read, position === undefined ? 'first' : 'next')
    const page = (await client.query<Row>(text, [...(position ?? []), limit])).rows
    if (page.length === 0) break
    limit = batch
    let todo: readonly Row[] = page.filter(row => !isLeft(row))
    for (let attempt = 0; todo.length > 0; attempt++) {
      if (attempt === MAX_ATTEMPTS)
        throw new IntegrityError(
          `${table.name}: a row changed ${MAX_ATTEMPTS} times while it was rewritten; run the job again`,
        )
      const outcome = await patiently(
        () => rewriteRows(options, table, columns, writer, todo),
        options.clock ?? systemClock,
        wait,
      )
      rewritten += outcome.rewritten
      contended += outcome.contended.length
      todo = outcome.contended.length === 0 ? [] : await writer.read(outcome.contended, read)
    }
    const last = page.at(-1) as Row
    position = table.key.map(name => last[name])
    rows += page.length
    await client.query(JOB_SQL.put, [job, JSON.stringify(position.map(toStoredKey)), rows])
    options.onProgress?.({ rows, rewritten, contended, done: false })
    if (signal?.aborted === true) return { rows, rewritten, contended, done: false }
    if (pause > 0) await wait(pause)
  }
  await client.query(JOB_SQL.remove, [job])
  const progress = { rows, rewritten, contended, done: true }
  options.onProgress?.(progress)
  return progress
}

/**
 * Whether a row is one of those that the job must not touch.
 * @throws ConfigError for a key of another length
 */
function leftOut(table: Table, except: readonly (readonly string[])[]): (row: Row) => boolean {
  const left = new Set(except.map(key => JSON.stringify(key)))
  for (const key of except)
    if (key.length !== table.key.length)
      throw new ConfigError({
        place: 'except',
        problem: `names a row by ${key.length} values, and the key of ${table.name} has ${table.key.length}`,
        hint: `one value each of ${table.key.join(', ')}`,
      })
  if (left.size === 0) return () => false
  return row => left.has(JSON.stringify(table.key.map(name => keyText(table, name, row))))
}

/** Rewrites what needs it in some rows; returns those that changed meanwhile. */
async function rewriteRows(
  { kind, vault, verify = 1 }: RewriteOptions,
  table: Table,
  columns: readonly Column[],
  writer: RowWriter,
  rows: readonly Row[],
): Promise<{ readonly rewritten: number; readonly contended: readonly Row[] }> {
  const needed = rows.flatMap(row => {
    const names = columns
      .filter(column => needsRewriting(kind, vault, column, row[column.name]))
      .map(({ name }) => name)
    return names.length === 0 ? [] : [{ row, names }]
  })
  if (needed.length === 0) return { rewritten: 0, contended: [] }
  const beside = new Set([...table.key, ...columnsBeside(table)])
  const parts = needed.map(({ row, names }) => only(row, [...beside, ...names]))
  const plain =
    kind === 'seal'
      ? await Promise.all(
          parts.map((part, index) => plainRow(vault, table, columns, part, needed[index]?.names ?? [])),
        )
      : await vault.openRows(table.name, parts)
  const written =
    kind === 'open'
      ? plain.map((part, index) =>
          backToPlain(part, parts[index] as Row, columns, needed[index]?.names ?? []),
        )
      : await vault.sealRows(table.name, plain)
  // Before anything is written over: what does not open now would be lost.
  if (kind !== 'open') await verifyRows(vault, table, plain.slice(0, verify), written.slice(0, verify))
  const changes = needed.map(({ row, names }, index) => ({
    row,
    set: only(
      written[index] as Row,
      Object.keys(written[index] as Row).filter(name => !beside.has(name)),
    ),
    guard: [...names, ...guards(table)],
  }))
  const done = await writer.write(changes)
  const contended = needed.filter(({ row }) => !done.has(writer.keyOf(row)))
  const rewritten = needed.reduce(
    (sum, { row, names }) => sum + (done.has(writer.keyOf(row)) ? names.length : 0),
    0,
  )
  return { rewritten, contended: contended.map(({ row }) => row) }
}

/**
 * A row with its plain values as the application has them. A value that was sealed while the column was in
 * the other mode is opened; what only looks like one is text that somebody wrote.
 */
async function plainRow(
  vault: Vault,
  table: Table,
  columns: readonly Column[],
  part: Row,
  names: readonly string[],
): Promise<Row> {
  const sealed = columns.filter(
    column => names.includes(column.name) && recordIn(part[column.name], column) !== undefined,
  )
  const opened: Record<string, unknown> = {}
  for (const { name } of sealed)
    try {
      const [row] = await vault.openRows(table.name, [
        only(part, [...table.key, ...columnsBeside(table), name]),
      ])
      opened[name] = row?.[name]
    } catch (error) {
      if (!isRefusedAsRecord(error)) throw error
    }
  const left = names.filter(name => !Object.hasOwn(opened, name))
  return { ...convert(part, columns, left, fromPlain), ...opened }
}

/** It does not open where it stands, is of an epoch that there is not, or of a mode that has no keys here. */
function isRefusedAsRecord(error: unknown): boolean {
  return error instanceof IntegrityError || error instanceof CredentialError || error instanceof ConfigError
}

/** Opens sealed rows: they must be what went in. */
async function verifyRows(
  vault: Vault,
  table: Table,
  plain: readonly Row[],
  sealed: readonly Row[],
): Promise<void> {
  const opened = await vault.openRows(table.name, sealed)
  for (const [index, row] of opened.entries())
    for (const column of table.columns) {
      const value = row[column.name]
      if (value === undefined || value === null || column.mode === 'held') continue
      if (!encodeValue(value, column).equals(encodeValue(plain[index]?.[column.name], column)))
        throw new IntegrityError(
          `${table.name}.${column.name}: a value that was just sealed does not open as it was; nothing was written`,
        )
    }
}

/** Runs work again when a budget was used up, once it is free. */
async function patiently<T>(
  work: () => Promise<T>,
  clock: Clock,
  wait: (milliseconds: number) => Promise<void>,
): Promise<T> {
  for (;;) {
    try {
      return await work()
    } catch (error) {
      if (!(error instanceof BudgetExceeded)) throw error
      await wait(Math.min(LONGEST_WAIT, Math.max(1_000, error.retryAt - clock.now())))
    }
  }
}

function needsRewriting(kind: RewriteKind, vault: Vault, column: Column, value: unknown): boolean {
  if (value === null || value === undefined) return false
  if (kind === 'seal') return !isRecord(value, column)
  const stored = readStored(value, { ...column, state: kind === 'rewrap' ? column.state : 'dual' })
  if ('plain' in stored) return false
  if (kind === 'open') return true
  const record = parseRecord(stored.sealed)
  return isOfOtherMode(record, column) || record.epoch < vault.currentEpoch(column)
}

/**
 * Whether a value is a record of the column's mode. What only begins like one was written before there was a
 * vault, by a person who chose it so: it is sealed like every other text, or it would hold the job up, and
 * then every page that it is on.
 */
function isRecord(value: unknown, column: Column): boolean {
  return recordIn(value, column)?.mode === column.mode
}

/** A stored value as a record; undefined when it is something else. */
function recordIn(value: unknown, column: Column): ParsedRecord | undefined {
  try {
    const stored = readStored(value, { ...column, state: 'dual' })
    return 'sealed' in stored ? parseRecord(stored.sealed) : undefined
  } catch (error) {
    if (error instanceof IntegrityError) return undefined
    throw error
  }
}

function checkStates(columns: readonly Column[], kind: RewriteKind): void {
  const allowed = { seal: ['dual'], open: ['plaintext'], rewrap: ['dual', 'strict'] }[kind]
  for (const { table, name, state, access } of columns) {
    if (access === 'ingest')
      throw new ConfigError({
        place: `${table}.${name}`,
        problem: `is only ingested here, and "${kind}" has to open it`,
        hint: 'run the job from a vault.json without "access", as a service that may open the column',
      })
    if (!allowed.includes(state))
      throw new ConfigError({
        place: `${table}.${name}`,
        problem: `is in state "${state}", but "${kind}" needs "${allowed.join('" or "')}"`,
        hint:
          kind === 'seal'
            ? 'set it to "dual" first, everywhere, so that nobody writes plain values any more'
            : 'set it first, everywhere',
      })
  }
}

/** Columns that say where a row belongs. */
function columnsBeside({ tenant, version, subject }: Table): readonly string[] {
  return [tenant, version, subject].filter(name => name !== undefined)
}

/** What a sealed value is bound to must not change either between reading and writing. */
function guards(table: Table): readonly string[] {
  return columnsBeside(table).filter(name => !table.key.includes(name))
}

function only(row: Row, names: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(names.map(name => [name, row[name]]))
}

function convert(
  row: Row,
  columns: readonly Column[],
  names: readonly string[],
  how: (value: unknown, column: Column) => unknown,
): Record<string, unknown> {
  const out: Record<string, unknown> = { ...row }
  for (const column of columns)
    if (names.includes(column.name)) out[column.name] = how(row[column.name], column)
  return out
}

/**
 * An opened row as it is written plain. What begins like a record stays sealed, or it would be taken for one.
 */
function backToPlain(row: Row, sealed: Row, columns: readonly Column[], names: readonly string[]): Row {
  const plain = convert(row, columns, names, toPlain)
  for (const column of columns)
    if (names.includes(column.name) && beginsAsRecord(plain[column.name], column))
      plain[column.name] = sealed[column.name]
  return plain
}

/** A key value in the position of a job: bytes as hexadecimal text in an object. */
type StoredKey = string | number | { readonly hex: string }

function toStoredKey(value: unknown): StoredKey {
  if (value instanceof Uint8Array) return { hex: Buffer.from(value).toString('hex') }
  return typeof value === 'number' ? value : String(value)
}

function fromStoredKey(value: StoredKey): unknown {
  return typeof value === 'object' ? Buffer.from(value.hex, 'hex') : value
}
