import { ConfigError, CredentialError, IntegrityError } from '@postern/core'
import { type ParsedRecord, parseRecord } from '../record/record-format.ts'
import { beginsAsRecord, encodeValue, readStored } from '../table/column-value.ts'
import { isOfOtherMode } from '../table/record-mode.ts'
import type { Row } from '../table/row-context.ts'
import { type Column, type Table, termColumns } from '../table/table-schema.ts'
import type { Vault } from '../table/vault.ts'
import { fromPlain, toPlain } from './plain-value.ts'
import type { RowWriter } from './write-rows.ts'

/**
 * What a job does to every row. `seal`: plain values become records. `open`: the other way, back. `rewrap`:
 * records of an earlier epoch become records of the current one, and records that lack search terms, because
 * the search was declared after they were written, get them. `seal` and `rewrap` also move records that
 * were sealed while the column was in the other mode, `local` or `split`.
 */
export type RewriteKind = 'seal' | 'open' | 'rewrap'

/** What is done to rows, and through which keys. */
export interface RowRewrite {
  readonly kind: RewriteKind
  readonly vault: Vault
  /**
   * Rows of each batch that are opened through the keys before they are written, to see that they do. Default
   * 1. All rows are read back and compared.
   */
  readonly verify?: number
}

/** Values that were rewritten, rows that needed it, and which of these changed meanwhile. */
export interface RowOutcome {
  readonly rewritten: number
  readonly due: number
  readonly contended: readonly Row[]
}

/** Rewrites what needs it in some rows. */
export async function rewriteRows(
  { kind, vault, verify = 1 }: RowRewrite,
  table: Table,
  columns: readonly Column[],
  writer: RowWriter,
  rows: readonly Row[],
): Promise<RowOutcome> {
  const needed = rows.flatMap(row => {
    const names = columns
      .filter(
        column =>
          needsRewriting(kind, vault, column, row[column.name]) ||
          (kind === 'rewrap' && lacksTerms(column, row)),
      )
      .map(({ name }) => name)
    return names.length === 0 ? [] : [{ row, names }]
  })
  if (needed.length === 0) return { rewritten: 0, due: 0, contended: [] }
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
  const changes = needed.flatMap(({ row, names }, index) => {
    const set = only(
      written[index] as Row,
      Object.keys(written[index] as Row).filter(name => !beside.has(name)),
    )
    // On the way back, text that begins like a record stays as it is.
    const changed = names.filter(
      name =>
        set[name] !== row[name] &&
        // A value that has no term to add (one too short for a prefix) keeps its record.
        (kind !== 'rewrap' || isDue(vault, columns, name, row, set)),
    )
    return changed.length === 0 ? [] : [{ row, set, guard: [...names, ...guards(table)], changed }]
  })
  const done = await writer.write(changes)
  const contended = changes.filter(({ row }) => !done.has(writer.keyOf(row)))
  const rewritten = changes.reduce(
    (sum, { row, changed }) => sum + (done.has(writer.keyOf(row)) ? changed.length : 0),
    0,
  )
  return { rewritten, due: changes.length, contended: contended.map(({ row }) => row) }
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

function needsRewriting(kind: RewriteKind, vault: Vault, column: Column, value: unknown): boolean {
  if (value === null || value === undefined) return false
  if (kind === 'seal') return !isRecord(value, column)
  const stored = readStored(value, { ...column, state: kind === 'rewrap' ? column.state : 'dual' })
  if ('plain' in stored) return false
  if (kind === 'open') return true
  const record = parseRecord(stored.sealed)
  return isOfOtherMode(record, column) || record.epoch < vault.currentEpoch(column)
}

/** Whether a record has no term for some search that its column declares. */
function lacksTerms(column: Column, row: Row): boolean {
  const terms = termColumns(column.search)
  if (!terms.some(term => row[term] === null)) return false
  const value = row[column.name]
  return value !== null && value !== undefined && 'sealed' in readStored(value, column)
}

/** Whether a record is of an earlier epoch, or gets a term that it lacked. */
function isDue(vault: Vault, columns: readonly Column[], name: string, row: Row, set: Row): boolean {
  const column = columns.find(one => one.name === name)
  if (column === undefined) return false
  const gets = termColumns(column.search).some(term => row[term] === null && set[term] !== null)
  return gets || needsRewriting('rewrap', vault, column, row[name])
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

/** Columns that say where a row belongs. */
export function columnsBeside({ tenant, version, subject }: Table): readonly string[] {
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
