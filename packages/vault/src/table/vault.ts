import { ConfigError } from '@postern/core'
import type { LocalKeys } from '../local/local-keys.ts'
import { ContextEncoder } from '../record/context-encoder.ts'
import { doesNotOpen, tryOpenRecord } from '../record/open-record.ts'
import type { RecordContext } from '../record/record-context.ts'
import { type ParsedRecord, parseRecord } from '../record/record-format.ts'
import { recordPrf } from '../record/record-keys.ts'
import { SaltSource } from '../record/salt-source.ts'
import { sealRecord } from '../record/seal-record.ts'
import type { OpenCandidate } from '../split/answered.ts'
import type { SealKey } from '../split/seal-key.ts'
import type { SplitKeys } from '../split/split-keys.ts'
import { CellKeys, noKeys } from './cell-keys.ts'
import {
  beginsAsRecord,
  decodeValue,
  encodeValue,
  isSealed,
  readStored,
  storeRecord,
} from './column-value.ts'
import { checkMode } from './record-mode.ts'
import { contextOf, keyText, type Row, subjectOf } from './row-context.ts'
import { SearchTerms, type StoredTerm, searchTenant } from './search-terms.ts'
import { SubjectKeys } from './subject-keys.ts'
import type { SubjectSalts } from './subject-salts.ts'
import { type Column, compileTables, type Table, type TableSchemas } from './table-schema.ts'

/** The tables of a vault, its keys, and the salts of subjects. */
export interface VaultOptions {
  readonly tables: TableSchemas
  /** Keys of columns in mode `local`. */
  readonly local?: LocalKeys
  /** The holders, for columns in mode `split`. */
  readonly split?: SplitKeys
  /** 32 bytes, for tables that are searched. */
  readonly searchKey?: Uint8Array
  /** Salts per subject, for tables that declare one. */
  readonly subjects?: SubjectSalts
  /** What an erased value is returned as. Default null. */
  readonly erased?: unknown
}

/** On whose authority rows are opened. */
export interface OpenOptions {
  /** A capability signed by the person who reads. Without one the service's own, small, budget pays. */
  readonly capability?: string
}

/** A value of a row that has to be sealed or opened. */
interface Cell {
  readonly index: number
  readonly column: Column
  readonly context: RecordContext
  readonly encoded: Buffer
  readonly subject: string | undefined
}

/** A value of a row that has to be opened. */
interface StoredCell extends Cell {
  readonly record: ParsedRecord
}

/**
 * Seals and opens rows of tables whose encrypted columns are declared: all values of
 * a page in one round trip.
 */
export class Vault {
  readonly #tables: ReadonlyMap<string, Table>
  readonly #options: VaultOptions
  readonly #salts = new SaltSource()
  readonly #contexts = new ContextEncoder()
  readonly #search: SearchTerms | undefined

  /** @throws ConfigError with every issue of the tables */
  constructor(options: VaultOptions) {
    this.#tables = compileTables(options.tables)
    this.#options = options
    if (options.searchKey !== undefined) {
      const { searchKey, local, split } = options
      this.#search = new SearchTerms({ searchKey, local, split })
    }
  }

  /** Every declared table. */
  get tables(): readonly Table[] {
    return [...this.#tables.values()]
  }

  /** A declared table. @throws ConfigError when there is none of this name */
  table(name: string): Table {
    const table = this.#tables.get(name)
    if (table !== undefined) return table
    const known = [...this.#tables.keys()].slice(0, 10).join(', ')
    throw new ConfigError({
      place: `vault.tables.${name}`,
      problem: 'is not declared',
      hint: known === '' ? 'declare it in "tables"' : `declare it in "tables"; declared are ${known}`,
    })
  }

  /**
   * Rows with every declared column sealed, and search terms beside them: what may go to the database.
   * Columns that a row does not have stay absent, null stays null, other columns are untouched.
   * @throws ConfigError, CredentialError, StoreError; nothing was written then
   */
  async sealRows<T extends Row>(tableName: string, rows: readonly T[]): Promise<Record<string, unknown>[]> {
    const table = this.table(tableName)
    const out = rows.map((row): Record<string, unknown> => ({ ...row }))
    const cells: Cell[] = []
    for (const [index, row] of rows.entries()) {
      for (const column of table.columns) {
        const value = row[column.name]
        if (value === undefined || value === null) continue
        if (column.mode === 'held') this.#passHeld(column, value)
        // What begins like a record would be taken for one when it is read, and no page with it would open.
        else if (column.state !== 'plaintext' || beginsAsRecord(value, column))
          cells.push(this.#cell(table, column, row, index))
      }
    }
    const [keys, subjects, terms] = await Promise.all([
      this.#sealKeys(cells),
      SubjectKeys.of(cells, this.#options.subjects, 'ensure'),
      this.#storedTerms(table, rows),
    ])
    for (const [position, cell] of cells.entries()) {
      const { index, column, encoded } = cell
      const { recordKey, salt, epoch } = keys[position] as SealKey
      const record = sealRecord({
        recordKey: subjects.bind(recordKey, cell),
        salt,
        epoch,
        mode: column.mode,
        context: encoded,
        plaintext: encodeValue(rows[index]?.[column.name], column),
      })
      ;(out[index] as Record<string, unknown>)[column.name] = storeRecord(record, column)
    }
    for (const [index, row] of terms.entries()) Object.assign(out[index] as object, row)
    return out
  }

  /**
   * Fetches keys ahead for the split columns of rows that will be written, so that `sealRows` goes on when
   * the holders are away. The rows need their key, tenant and version only: choose ids beforehand (UUIDs, or
   * a sequence). Columns with search terms still need the holders.
   * @throws ConfigError, CredentialError, StoreError
   */
  async reserve(tableName: string, rows: readonly Row[]): Promise<void> {
    const table = this.table(tableName)
    const columns = table.columns.filter(({ mode }) => mode === 'split')
    await this.#options.split?.reserve(
      rows.flatMap(row => columns.map(column => contextOf(table, column, row))),
    )
  }

  /**
   * Rows with every declared column opened. Held columns stay as they are, because the client opens them, and
   * so do those that this process only ingests.
   * @throws BudgetExceeded, CredentialError, StoreError when the holders refuse or cannot be reached
   * @throws IntegrityError when any value does not open where it stands: no row is returned then
   */
  async openRows<T extends Row>(
    tableName: string,
    rows: readonly T[],
    options: OpenOptions = {},
  ): Promise<Record<string, unknown>[]> {
    const table = this.table(tableName)
    const out: Record<string, unknown>[] = []
    const cells: StoredCell[] = []
    // Loops by index here and below: the pairs of `entries()` were a sixteenth of what a page left to
    // collect.
    for (let index = 0; index < rows.length; index++) {
      const row = rows[index] as T
      out.push({ ...row })
      for (const column of table.columns) {
        const value = row[column.name]
        if (value === undefined || value === null || !isOpenedHere(column)) continue
        const stored = readStored(value, column)
        if ('plain' in stored) continue
        const record = parseRecord(stored.sealed)
        checkMode(record, column)
        const context = contextOf(table, column, row)
        const subject = subjectOf(table, row)
        cells.push({ index, column, context, encoded: this.#contexts.encode(context), subject, record })
      }
    }
    const [keys, subjects] = await Promise.all([
      CellKeys.of(cells, this.#options, options.capability),
      SubjectKeys.of(cells, this.#options.subjects, 'get'),
    ])
    for (let position = 0; position < cells.length; position++) {
      const cell = cells[position] as StoredCell
      const { index, column } = cell
      const target = out[index] as Record<string, unknown>
      if (subjects.isErased(cell)) {
        target[column.name] = this.#options.erased ?? null
        continue
      }
      let opened = this.#open(cell, keys.at(position), subjects)
      // Changed in the database, or a holder lied where the other could not contradict it.
      if (opened === undefined && (await keys.askThird()))
        opened = this.#open(cell, keys.at(position), subjects)
      if (opened === undefined) throw doesNotOpen(`${column.table}.${column.name}`)
      target[column.name] = decodeValue(opened, column)
    }
    return out
  }

  /** `WHERE column = term` for an equality. */
  equals(tableName: string, columnName: string, value: unknown, tenant?: string): Promise<StoredTerm> {
    const { column, scope } = this.#searched(tableName, columnName, tenant)
    return this.#terms(tableName).equals(column, value, scope)
  }

  /** `WHERE column = term` for "begins with", of a declared length. */
  prefix(tableName: string, columnName: string, text: string, tenant?: string): Promise<StoredTerm> {
    const { column, scope } = this.#searched(tableName, columnName, tenant)
    return this.#terms(tableName).prefix(column, text, scope)
  }

  /**
   * `WHERE column IN terms` for a range by declared buckets. Filter what comes back: the outermost buckets
   * also hold values outside of it.
   * @param range both ends included
   */
  range(
    tableName: string,
    columnName: string,
    range: { readonly from: number; readonly to: number },
    tenant?: string,
  ): Promise<readonly StoredTerm[]> {
    const { column, scope } = this.#searched(tableName, columnName, tenant)
    return this.#terms(tableName).range(column, range, scope)
  }

  /**
   * Holds a stored term against the keys: an empty result of the wrong keys becomes
   * an error. @throws IntegrityError
   */
  verifyTerm(tableName: string, columnName: string, stored: Uint8Array, tenant?: string): Promise<void> {
    const scope = searchTenant(this.table(tableName), tenant)
    return this.#terms(tableName).verify(this.column(tableName, columnName), stored, scope)
  }

  /** Destroys what every record of a subject was sealed with. True when there was something to destroy. */
  erase(subject: string): Promise<boolean> {
    if (this.#options.subjects === undefined)
      throw new ConfigError({ place: 'vault', problem: 'has no subject salts', hint: 'give `subjects`' })
    return this.#options.subjects.destroy(subject)
  }

  /** A declared column. @throws ConfigError */
  column(tableName: string, columnName: string): Column {
    const column = this.table(tableName).columns.find(({ name }) => name === columnName)
    if (column !== undefined) return column
    throw new ConfigError({
      place: `vault.tables.${tableName}.columns.${columnName}`,
      problem: 'is not declared',
      hint: `declare it in the "columns" of ${tableName}`,
    })
  }

  /** Epoch that a value sealed now is of. */
  currentEpoch(column: Column): number {
    return column.mode === 'local'
      ? (this.#options.local?.current ?? 0)
      : Math.max(0, this.#options.split?.epoch ?? 0)
  }

  /** What is found has to be opened, to drop rows that only share the truncated term. */
  #searched(
    table: string,
    name: string,
    tenant?: string,
  ): { readonly column: Column; readonly scope: string } {
    const column = this.column(table, name)
    if (column.access === 'full') return { column, scope: searchTenant(this.table(table), tenant) }
    throw new ConfigError({
      place: `${table}.${name}`,
      problem: 'is only ingested here and cannot be searched',
      hint: 'search from a process whose "access" to it is full',
    })
  }

  #terms(tableName: string): SearchTerms {
    if (this.#search !== undefined) return this.#search
    throw new ConfigError({
      place: `vault.tables.${tableName}`,
      problem: 'is searched, but the vault has no searchKey',
      hint: 'give one beside the holders too: 32 random bytes, kept apart from the database',
    })
  }

  #cell(table: Table, column: Column, row: Row, index: number): Cell {
    const context = contextOf(table, column, row)
    return { index, column, context, encoded: this.#contexts.encode(context), subject: subjectOf(table, row) }
  }

  /** Only what is sealed already may pass for a held column: the server has nothing to seal it with. */
  #passHeld(column: Column, value: unknown): void {
    if (isSealed(value)) return
    throw new ConfigError({
      place: `${column.table}.${column.name}`,
      problem: 'is held: it must come sealed from the client, and a plain value was given',
      hint: 'seal it with `@postern/vault/held` where the user is',
    })
  }

  async #sealKeys(cells: readonly Cell[]): Promise<readonly SealKey[]> {
    const { local, split } = this.#options
    const ofSplit = cells.filter(({ column }) => column.mode === 'split')
    if (ofSplit.length > 0 && split === undefined) throw noKeys((ofSplit[0] as Cell).column, 'split')
    const made = split === undefined ? [] : await split.seal(ofSplit.map(({ context }) => context))
    let next = 0
    return cells.map(cell => {
      if (cell.column.mode === 'split') return made[next++] as SealKey
      if (local === undefined) throw noKeys(cell.column, 'local')
      const salt = this.#salts.next()
      const epoch = local.current
      return { salt, epoch, recordKey: recordPrf(local.prf(epoch), cell.encoded, salt) }
    })
  }

  /** The value of a record, by the candidate that it commits to; undefined when there is none. */
  #open(cell: StoredCell, candidates: readonly OpenCandidate[], subjects: SubjectKeys): Buffer | undefined {
    for (const { recordKey, against } of candidates) {
      const opened = tryOpenRecord(cell.record, subjects.bind(recordKey, cell), cell.encoded)
      if (opened === undefined) continue
      this.#options.split?.blame(against)
      return opened
    }
    return undefined
  }

  async #storedTerms(table: Table, rows: readonly Row[]): Promise<readonly Record<string, unknown>[]> {
    const out = rows.map((): Record<string, unknown> => ({}))
    const searched = table.columns.filter(
      ({ search, state }) => search !== undefined && state !== 'plaintext',
    )
    await Promise.all(
      searched.map(async column => {
        const present = rows.flatMap((row, index) => (row[column.name] === undefined ? [] : [index]))
        if (present.length === 0) return
        const tenants = present.map(index =>
          table.tenant === undefined ? '' : keyText(table, table.tenant, rows[index] as Row),
        )
        const terms = await this.#terms(table.name).store(
          column,
          present.map(index => rows[index]?.[column.name]),
          tenants,
        )
        for (const [position, index] of present.entries())
          Object.assign(out[index] as object, terms[position])
      }),
    )
    return out
  }
}

function isOpenedHere({ mode, access }: Column): boolean {
  return mode !== 'held' && access === 'full'
}
