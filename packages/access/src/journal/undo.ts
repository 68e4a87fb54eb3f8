import { ConfigError } from '@postern/core'
import type { PostgresDatabase, SqlClient } from '@postern/store'
import type { SigningKey } from '../budget/signed-token.ts'
import { ENTRIES, EXACT_TEXT, MARK_UNDONE, TRIGGERS } from './journal.sql.ts'
import { Restoration, type UndoConflict } from './restoration.ts'
import { describeTable, type RestoreBatch, type TableShape } from './restore-batch.ts'
import { type EntryName, type KeptRows, openRows } from './seal-journal.ts'

/** For undoing a change: keys of the journal, which tables, and what a conflict does. */
export interface UndoOptions {
  /** Keys of the journal: that which sealed the rows among them. */
  readonly keys: readonly SigningKey[]
  /** Tables to restore, as `listChanges` names them. Default: all of the change. */
  readonly tables?: readonly string[]
  /**
   * What happens when rows cannot be put back: nothing is restored (`stop`), or all
   * others are (`skip`). Default `stop`.
   */
  readonly conflicts?: 'stop' | 'skip'
}

/** What an undo did, or would do. */
export interface UndoReport {
  readonly change: string
  /** Whether anything was written. */
  readonly isApplied: boolean
  readonly restored: readonly {
    readonly table: string
    readonly action: 'delete' | 'update'
    readonly rows: number
  }[]
  /** The first hundred. */
  readonly conflicts: readonly UndoConflict[]
  readonly conflictCount: number
}

interface EntryRow extends EntryName {
  readonly table: string
  readonly action: 'delete' | 'update'
  readonly columns: readonly string[]
  readonly old: readonly string[] | null
  readonly became: readonly string[] | null
  readonly sealed: Uint8Array | null
  readonly isUndone: boolean
  readonly rows: number
}

/** What one statement of a restore may take. */
const LONG = '10m'

/** Thrown to roll back what was tried only. */
class RolledBack extends Error {
  readonly report: UndoReport

  constructor(report: UndoReport) {
    super('rolled back')
    this.report = report
  }
}

/**
 * What `undoChange` would do: it is done, counted and rolled back.
 * @throws ConfigError when the change is not in the journal; IntegrityError when its rows do not open
 */
export function showUndo(
  database: PostgresDatabase,
  change: string,
  options: UndoOptions,
): Promise<UndoReport> {
  return undo(database, change, options, 'show')
}

/**
 * Puts the rows of a change back as they were, the last changed first, and parents before their children.
 * Triggers of the application do not fire, foreign keys are checked, generated columns are generated,
 * sequences stay where they are. Run it as the owner of the tables.
 * @throws ConfigError when the change is not in the journal; IntegrityError when its rows do not open;
 *   StoreError when the database refuses
 */
export function undoChange(
  database: PostgresDatabase,
  change: string,
  options: UndoOptions,
): Promise<UndoReport> {
  return undo(database, change, options, 'apply')
}

async function undo(
  database: PostgresDatabase,
  change: string,
  options: UndoOptions,
  mode: 'show' | 'apply',
): Promise<UndoReport> {
  try {
    return await database.transaction(async client => {
      const report = await restore(client, change, options)
      const isKept = mode === 'apply' && (report.conflictCount === 0 || options.conflicts === 'skip')
      if (!isKept) throw new RolledBack({ ...report, isApplied: false })
      return report
    })
  } catch (error) {
    if (error instanceof RolledBack) return error.report
    throw error
  }
}

async function restore(client: SqlClient, change: string, options: UndoOptions): Promise<UndoReport> {
  await client.query(EXACT_TEXT)
  const found = await client.query<EntryRow>(ENTRIES, [change], LONG)
  const entries = found.rows.filter(entry => options.tables?.includes(entry.table) ?? true)
  if (entries.length === 0) {
    throw new ConfigError({
      place: `change ${change.slice(0, 40)}`,
      problem: found.rows.length === 0 ? 'is not in the journal' : 'changed none of these tables',
      hint: 'see postern undo list',
    })
  }
  const shapes = new Map<string, TableShape | undefined>()
  for (const table of new Set(entries.map(entry => entry.table)))
    shapes.set(table, await describeTable(client, table))
  const own = [...shapes.values()].filter(shape => shape !== undefined && shape.stranger === null)
  const tree = [...new Set(own.flatMap(shape => shape?.tree ?? []))].sort()
  const loud = await quieten(client, tree)

  const run = new Restoration(client)
  const batches: RestoreBatch[] = []
  for (const entry of entries) {
    const { id, table, action, columns, rows } = entry
    const shape = shapes.get(table)
    if (shape === undefined) run.refuse(table, 'the table is not there any more', rows)
    // Its constraints, generated columns and casts would run with the rights of whoever undoes.
    else if (shape.stranger !== null) run.refuse(table, strangers(shape.stranger), rows)
    else if (entry.isUndone) run.refuse(table, 'it was put back before', rows)
    else batches.push({ id, table, action, columns, shape, ...rowsOf(entry, options.keys) })
  }
  await run.restoreAll(batches)
  await client.query(MARK_UNDONE, [run.done])
  for (const trigger of loud)
    await client.query(`ALTER TABLE ONLY ${trigger.table} ENABLE ${MODES[trigger.mode]} ${trigger.name}`)
  await client.query('SET CONSTRAINTS ALL IMMEDIATE', undefined, LONG)
  return { change, isApplied: true, ...run.report() }
}

function rowsOf(entry: EntryRow, keys: readonly SigningKey[]): KeptRows {
  return entry.sealed === null
    ? { old: entry.old ?? [], became: entry.became ?? [] }
    : openRows(entry, entry.sealed, keys)
}

function strangers(owner: string): string {
  return `${owner} owns it, whose functions would run with your rights; if you trust that role, list it in budgetDatabase.exempt`
}

interface LoudTrigger {
  readonly table: string
  readonly name: string
  /** `O` fires in ordinary sessions, `R` in those of a replica, `A` always. */
  readonly mode: 'O' | 'R' | 'A'
}

const MODES: Readonly<Record<LoudTrigger['mode'], string>> = {
  O: 'TRIGGER',
  R: 'REPLICA TRIGGER',
  A: 'ALWAYS TRIGGER',
}

/**
 * Disables the triggers that users made, budgets among them, for this transaction;
 * those of foreign keys go on. Table by table (`ONLY`): else a trigger of a partition would afterwards be as
 * that of its parent is, whatever its owner has set.
 */
async function quieten(client: SqlClient, tables: readonly string[]): Promise<readonly LoudTrigger[]> {
  const { rows } = await client.query<LoudTrigger>(TRIGGERS, [tables])
  for (const { table, name } of rows)
    await client.query(`ALTER TABLE ONLY ${table} DISABLE TRIGGER ${name}`, undefined, LONG)
  return rows
}
