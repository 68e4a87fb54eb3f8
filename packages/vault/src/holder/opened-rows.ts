import { createHash } from 'node:crypto'
import type { OpenItem } from '../split/open-batch.ts'

/** Rows in one entry. */
const MOST_ROWS = 100
/** Characters of a row in an entry: keys are as long as the caller likes. */
const MAX_ROW_TEXT = 200

/** What a log entry says of the records that one request opened, or of some of them. */
export type OpenedRows = {
  /** Values of these rows. */
  readonly records: number
  readonly tables: string[]
  /** `table/key (columns)`, with a tenant `tenant:table/key (columns)`; a long one with its hash. */
  readonly rows: string[]
  /** That the request began in an earlier entry. */
  readonly continued?: true
}

/**
 * Entries that name every row of a request. A thief chooses the order of the items, so that an entry which
 * stopped after some of them would not name the rows that the thief is after.
 */
export function openedRows(items: readonly OpenItem[]): readonly OpenedRows[] {
  const found = new Map<
    string,
    { readonly name: string; readonly table: string; readonly columns: string[] }
  >()
  for (const { tenant, table, column, row } of items) {
    const id = JSON.stringify([tenant, table, row])
    const known = found.get(id)
    const name = `${tenant === '' ? '' : `${tenant}:`}${table}/${row.join('/')}`
    if (known === undefined) found.set(id, { name, table, columns: [column] })
    else known.columns.push(column)
  }
  const rows = [...found.values()]
  const entries: OpenedRows[] = []
  for (let at = 0; at < rows.length; at += MOST_ROWS) {
    const some = rows.slice(at, at + MOST_ROWS)
    entries.push({
      records: some.reduce((sum, { columns }) => sum + columns.length, 0),
      tables: [...new Set(some.map(({ table }) => table))],
      rows: some.map(({ name, columns }) => `${shortened(name)} (${[...new Set(columns)].join(', ')})`),
      ...(at > 0 && { continued: true }),
    })
  }
  return entries
}

/** A long name by its beginning and its hash: rows whose keys begin alike are still told apart. */
function shortened(name: string): string {
  if (name.length <= MAX_ROW_TEXT) return name
  return `${name.slice(0, MAX_ROW_TEXT)}... sha256:${createHash('sha256').update(name).digest('hex').slice(0, 16)}`
}
