import {
  BudgetExceeded,
  type Clock,
  ConfigError,
  IntegrityError,
  type Json,
  systemClock,
} from '@postern/core'
import type { SqlClient } from '@postern/store'
import { parseRecord } from '../record/record-format.ts'
import { JOB_SQL, selectAfter, selectByKey, type TableDialect, updateIfSame } from '../sql/table.sql.ts'
import { readStored } from '../table/column-value.ts'
import type { Row } from '../table/row-context.ts'
import type { Column, Table } from '../table/table-schema.ts'
import type { Vault } from '../table/vault.ts'
import { fromPlain, toPlain } from './plain-value.ts'

/**
 * What a job does to every row. `seal`: plain values become records. `open`: the other way, back. `rewrap`:
 * records of an earlier epoch become records of the current one.
 */
export type RewriteKind = 'seal' | 'open' | 'rewrap'

/** The table and columns of a job, and what it does to them. */
export interface RewriteOptions {
  readonly kind: RewriteKind
  readonly table: string
  readonly vault: Vault
  readonly client: Pick<SqlClient, 'query'>
  readonly dialect: TableDialect
  /** Rows read and written at a time. Default 100. */
  readonly batch?: number
  /** Pause between two batches, milliseconds. Default 0. */
  readonly pause?: number
  /** Rows of each batch that are opened again through the keys, to see that they do. Default 1. */
  readonly verify?: number
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
 * Each row is written only if it still is what was read (compare and set), then read back and compared. Where
 * it stands is kept in `vault_job`; killed at any point, it goes on from the last batch, and finds what it
 * had already done. A budget that is used up makes it wait, not fail.
 * @throws ConfigError when the column's state does not allow it
 * @throws IntegrityError naming the column when a value does not open, or is not
 *   what was written. Never with a value
 */
export async function rewriteTable(options: RewriteOptions): Promise<RewriteProgress> {
  const { kind, vault, client, batch = 100, pause = 0, signal } = options
  const table = vault.table(options.table)
  const columns = table.columns.filter(({ mode }) => mode !== 'held')
  checkStates(columns, kind)
  const job = `${kind} ${table.name}`
  const read = [...new Set([...table.key, ...columnsBeside(table), ...columns.map(({ name }) => name)])]
  const wait = options.wait ?? (milliseconds => new Promise(resolve => setTimeout(resolve, milliseconds)))
  const known = await client.query<{ readonly position: string; readonly done: unknown }>(JOB_SQL.get, [job])
  let position =
    known.rows[0] === undefined ? undefined : (JSON.parse(known.rows[0].position) as readonly Json[])
  let rows = Number(known.rows[0]?.done ?? 0)
  let rewritten = 0
  let contended = 0
  for (;;) {
    const text = selectAfter(table.name, table.key, read, position === undefined ? 'first' : 'next')
    const page = (await client.query<Row>(text, [...(position ?? []), batch])).rows
    if (page.length === 0) break
    let todo: readonly Row[] = page
    for (let attempt = 0; todo.length > 0; attempt++) {
      if (attempt === MAX_ATTEMPTS)
        throw new IntegrityError(
          `${table.name}: a row changed ${MAX_ATTEMPTS} times while it was rewritten; run the job again`,
        )
      const outcome = await patiently(
        () => rewriteRows(options, table, columns, todo),
        options.clock ?? systemClock,
        wait,
      )
      rewritten += outcome.rewritten
      contended += outcome.contended.length
      todo = await readAgain(client, table, read, outcome.contended)
    }
    const last = page.at(-1) as Row
    position = table.key.map(name => jsonKey(last[name]))
    rows += page.length
    await client.query(JOB_SQL.put, [job, JSON.stringify(position), rows])
    options.onProgress?.({ rows, rewritten, contended, done: false })
    if (signal?.aborted === true) return { rows, rewritten, contended, done: false }
    if (pause > 0) await wait(pause)
  }
  await client.query(JOB_SQL.remove, [job])
  const progress = { rows, rewritten, contended, done: true }
  options.onProgress?.(progress)
  return progress
}

/** Rewrites what needs it in some rows; returns those that changed meanwhile. */
async function rewriteRows(
  { kind, vault, client, dialect, verify = 1 }: RewriteOptions,
  table: Table,
  columns: readonly Column[],
  rows: readonly Row[],
): Promise<{ readonly rewritten: number; readonly contended: readonly Row[] }> {
  const needed = rows.flatMap(row => {
    const names = columns
      .filter(column => needsRewriting(kind, vault, column, row[column.name]))
      .map(({ name }) => name)
    return names.length === 0 ? [] : [{ row, names }]
  })
  if (needed.length === 0) return { rewritten: 0, contended: [] }
  const parts = needed.map(({ row, names }) => only(row, [...table.key, ...columnsBeside(table), ...names]))
  const plain =
    kind === 'seal'
      ? parts.map((part, index) => convert(part, columns, needed[index]?.names ?? [], fromPlain))
      : await vault.openRows(table.name, parts)
  const written =
    kind === 'open'
      ? plain.map((part, index) => convert(part, columns, needed[index]?.names ?? [], toPlain))
      : await vault.sealRows(table.name, plain)
  const contended: Row[] = []
  let rewritten = 0
  const check: Row[] = []
  for (const [index, { row, names }] of needed.entries()) {
    const made = written[index] as Row
    const set = Object.keys(made).filter(
      name => !table.key.includes(name) && !columnsBeside(table).includes(name),
    )
    const text = updateIfSame(table.name, table.key, set, [...names, ...guards(table)], dialect)
    const values = [
      ...set.map(name => made[name]),
      ...table.key.map(name => row[name]),
      ...[...names, ...guards(table)].map(name => row[name]),
    ]
    if ((await client.query(text, values)).rowCount === 0) contended.push(row)
    else {
      rewritten += names.length
      if (check.length < verify) check.push(made)
    }
  }
  await verifyRows(kind, vault, client, table, check, plain, written)
  return { rewritten, contended }
}

/** Reads rows back, compares them with what was written, and opens them: they must be what went in. */
async function verifyRows(
  kind: RewriteKind,
  vault: Vault,
  client: Pick<SqlClient, 'query'>,
  table: Table,
  check: readonly Row[],
  plain: readonly Row[],
  written: readonly Row[],
): Promise<void> {
  const stored = await readAgain(client, table, [...new Set(check.flatMap(row => Object.keys(row)))], check)
  if (kind === 'open') return
  const opened = await vault.openRows(table.name, stored)
  for (const row of opened) {
    const index = written.findIndex(made => table.key.every(name => `${made[name]}` === `${row[name]}`))
    for (const { name } of table.columns)
      if (row[name] !== undefined && JSON.stringify(row[name]) !== JSON.stringify(plain[index]?.[name]))
        throw new IntegrityError(
          `${table.name}.${name}: a value that was just written does not read back as it was`,
        )
  }
}

async function readAgain(
  client: Pick<SqlClient, 'query'>,
  table: Table,
  read: readonly string[],
  rows: readonly Row[],
): Promise<readonly Row[]> {
  const again: Row[] = []
  for (const row of rows) {
    again.push(
      ...(
        await client.query<Row>(
          selectByKey(table.name, table.key, read),
          table.key.map(name => row[name]),
        )
      ).rows,
    )
  }
  return again
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
  const stored = readStored(value, { ...column, state: kind === 'rewrap' ? column.state : 'dual' })
  if (kind === 'seal') return 'plain' in stored
  if ('plain' in stored) return false
  return kind === 'open' || parseRecord(stored.sealed).epoch < vault.currentEpoch(column)
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

function jsonKey(value: unknown): string | number {
  return typeof value === 'number' ? value : String(value)
}
