import { ConfigError, type ConfigIssue } from '@postern/core'
import type { Mode } from '../record/record-format.ts'

/**
 * Where a column stands on its way to being encrypted. `plaintext`: written plain, read either way. `dual`:
 * written sealed, read either way. `strict`: sealed both ways, and a value that is not is an error.
 */
export type ColumnState = 'plaintext' | 'dual' | 'strict'

/** What a value is to the application; sealed as bytes, it comes back as this. */
export type ValueType = 'text' | 'bytes' | 'json' | 'number' | 'bigint' | 'boolean' | 'date'

/** What a process does with a column. */
export type ColumnAccess = 'full' | 'ingest'

/** How a column may be searched. Each way is a column of its own beside it, of type `bytea` or BLOB. */
export interface SearchSchema {
  /** Equality. */
  readonly equals?: {
    readonly column: string
    /**
     * Bits kept of the term, a multiple of 8 from 16 to 128. Fewer hide more, and
     * find more rows to open. Default 40.
     */
    readonly bits?: number
  }
  /** The first characters: from how many to which column. */
  readonly prefixes?: Readonly<Record<number, string>>
  /** Ranges by declared bounds: which column, and the bounds in ascending order. */
  readonly buckets?: { readonly column: string; readonly bounds: readonly number[] }
  /** `exact` (default), or `caseless`: NFKC, lower case, trimmed. */
  readonly normalise?: 'exact' | 'caseless'
}

/** One encrypted column. */
export interface ColumnSchema {
  readonly mode: Mode
  /** Default `strict`. */
  readonly state?: ColumnState
  /** Default `text`. */
  readonly type?: ValueType
  /**
   * `bytes` (default): the record as it is. `text`: `pv1.` and base64url, for a
   * column that stays of type text.
   */
  readonly storage?: 'bytes' | 'text'
  /**
   * `full` (default), or `ingest`: this process seals values and never asks to open one. Rows come back
   * with the column as it is stored. Give its service no right to open the column either.
   */
  readonly access?: ColumnAccess
  readonly search?: SearchSchema
}

/** One table with encrypted columns. */
export interface TableSchema {
  /** Columns of the primary key, in order. */
  readonly key: readonly string[]
  /** Column with the tenant. Without it all rows are of one. */
  readonly tenant?: string
  /** Column with the row's version, a number that the application raises with each change. */
  readonly version?: string
  /** Column that says whose data the row is: what `erase` destroys together. */
  readonly subject?: string
  readonly columns: Readonly<Record<string, ColumnSchema>>
}

/** The tables with encrypted columns, by name. */
export type TableSchemas = Readonly<Record<string, TableSchema>>

/** A column with every default filled in. */
export interface Column {
  readonly table: string
  readonly name: string
  readonly mode: Mode
  readonly state: ColumnState
  readonly type: ValueType
  readonly storage: 'bytes' | 'text'
  readonly access: ColumnAccess
  readonly search: SearchSchema | undefined
}

/** A table with every default filled in. */
export interface Table {
  readonly name: string
  readonly key: readonly string[]
  readonly tenant: string | undefined
  readonly version: string | undefined
  readonly subject: string | undefined
  readonly columns: readonly Column[]
}

/**
 * Checks schemas and fills in the defaults.
 * @throws ConfigError with every issue found
 */
export function compileTables(schemas: TableSchemas): ReadonlyMap<string, Table> {
  const issues: ConfigIssue[] = []
  const tables = new Map<string, Table>()
  for (const [name, schema] of Object.entries(schemas)) {
    const place = `vault.tables.${name}`
    const plain = [...schema.key, schema.tenant, schema.version, schema.subject]
    if (schema.key.length === 0)
      issues.push({ place: `${place}.key`, problem: 'must name the columns of the primary key' })
    for (const column of Object.keys(schema.columns))
      if (plain.includes(column))
        issues.push({
          place: `${place}.columns.${column}`,
          problem: 'is a key, tenant, version or subject column, which must stay readable',
        })
    const columns = Object.entries(schema.columns).map(([column, settings]): Column => {
      checkSearch(settings, `${place}.columns.${column}`, issues)
      checkAccess(settings, `${place}.columns.${column}`, issues)
      return {
        table: name,
        name: column,
        mode: settings.mode,
        state: settings.state ?? 'strict',
        type: settings.type ?? 'text',
        storage: settings.storage ?? 'bytes',
        access: settings.access ?? 'full',
        search: settings.search,
      }
    })
    const { key, tenant, version, subject } = schema
    tables.set(name, { name, key, tenant, version, subject, columns })
  }
  if (issues.length > 0) throw new ConfigError(issues)
  return tables
}

/** The columns that search terms of a column are stored in. */
export function termColumns(search: SearchSchema | undefined): readonly string[] {
  const { equals, prefixes, buckets } = search ?? {}
  return [equals?.column, buckets?.column, ...Object.values(prefixes ?? {})].filter(
    (name): name is string => name !== undefined,
  )
}

function checkAccess({ access, state }: ColumnSchema, place: string, issues: ConfigIssue[]): void {
  const given: unknown = access
  if (given !== undefined && given !== 'full' && given !== 'ingest')
    issues.push({ place: `${place}.access`, problem: 'must be full or ingest' })
  // Plain values of a table that is still being migrated would be readable all the same.
  if (access === 'ingest' && state !== undefined && state !== 'strict')
    issues.push({ place: `${place}.access`, problem: 'ingest needs the state strict' })
}

function checkSearch({ search, mode, type }: ColumnSchema, place: string, issues: ConfigIssue[]): void {
  if (search === undefined) return
  const at = (problem: string): unknown => issues.push({ place: `${place}.search`, problem })
  if (mode === 'held')
    at('the server never reads a held column, so it cannot make terms of it: search in the client')
  const bits = search.equals?.bits ?? 40
  if (!Number.isInteger(bits) || bits % 8 !== 0 || bits < 16 || bits > 128)
    at('bits must be a multiple of 8 from 16 to 128')
  const { bounds } = search.buckets ?? { bounds: [] }
  if (bounds.some((bound, index) => index > 0 && bound <= (bounds[index - 1] ?? bound)))
    at('bounds must ascend')
  if (search.buckets !== undefined && type !== 'number' && type !== 'date')
    at('buckets are for numbers and dates')
  for (const length of Object.keys(search.prefixes ?? {}))
    if (!/^[1-9]\d?$/.test(length)) at('a prefix length is a number of characters from 1 to 99')
}
