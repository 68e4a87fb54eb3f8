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
  /** `table/key (columns)`, with a tenant `tenant:table/key (columns)`. */
  readonly rows: string[]
  /** That the request began in an earlier entry. */
  readonly continued?: true
}

/**
 * Entries that name every row of a request. A thief chooses the order of the items, so that an entry which
 * stopped after some of them would not name the rows that the thief is after.
 */
export function openedRows(items: readonly OpenItem[]): readonly OpenedRows[] {
  const columnsOf = new Map<string, { readonly table: string; readonly columns: string[] }>()
  for (const { tenant, table, column, row } of items) {
    const name = `${tenant === '' ? '' : `${tenant}:`}${table}/${row.join('/')}`.slice(0, MAX_ROW_TEXT)
    const known = columnsOf.get(name)
    if (known === undefined) columnsOf.set(name, { table, columns: [column] })
    else known.columns.push(column)
  }
  const rows = [...columnsOf]
  const entries: OpenedRows[] = []
  for (let at = 0; at < rows.length; at += MOST_ROWS) {
    const some = rows.slice(at, at + MOST_ROWS)
    entries.push({
      records: some.reduce((sum, [, { columns }]) => sum + columns.length, 0),
      tables: [...new Set(some.map(([, { table }]) => table))],
      rows: some.map(([name, { columns }]) => `${name} (${[...new Set(columns)].join(', ')})`),
      ...(at > 0 && { continued: true }),
    })
  }
  return entries
}
