import type { SqlClient } from '@postern/store'
import { DESCRIBE } from './journal.sql.ts'
import type { KeptRows } from './seal-journal.ts'

/** A table as it is now. Names are quoted where they must be. */
export interface TableShape {
  /** Name and type of each column. */
  readonly columns: readonly string[]
  /** Columns that hold what was written, not what is generated. */
  readonly stored: readonly string[]
  /** Those of them that an UPDATE may set. */
  readonly settable: readonly string[]
  /** Each column of `t`, as the journal wrote it. */
  readonly written: readonly string[]
  readonly key: readonly string[]
  /** The table and its partitions and children. */
  readonly tree: readonly string[]
  /** Who may alter any of these and log in, and is neither this role, a superuser nor exempt. */
  readonly stranger: string | null
}

/** Rows of one table that one statement changed. */
export interface RestoreBatch extends KeptRows {
  /** The journal entry. */
  readonly id: string
  readonly table: string
  readonly action: 'delete' | 'update'
  /** Name and type of each column as it was then. */
  readonly columns: readonly string[]
  readonly shape: TableShape
}

/** Rows that were put back, and those that could not be. */
export interface BatchResult {
  readonly restored: number
  readonly conflicts: readonly { readonly key: string; readonly why: string }[]
}

/** The table as it is now; undefined when there is none of that name. */
export async function describeTable(client: SqlClient, table: string): Promise<TableShape | undefined> {
  const { rows } = await client.query<TableShape>(DESCRIBE, [table])
  return rows[0]
}

const LONG = '10m'

/** @throws PostgresError when a constraint does not hold; then nothing of the batch was written */
export async function restoreBatch(client: SqlClient, batch: RestoreBatch): Promise<BatchResult> {
  const type = await rowType(client, batch)
  return batch.action === 'delete' ? insertBack(client, batch, type) : setBack(client, batch, type)
}

/**
 * The type that the journal's text is of: that of the table, or one of that time
 * when the table was altered since.
 */
async function rowType(client: SqlClient, { columns, shape, table }: RestoreBatch): Promise<string> {
  if (columns.join() === shape.columns.join()) return table
  await client.query(
    `DROP TYPE IF EXISTS pg_temp.postern_row; CREATE TYPE pg_temp.postern_row AS (${columns.join(', ')})`,
  )
  return 'pg_temp.postern_row'
}

/** Name of a column in `name type`, where the name may be quoted. */
const COLUMN = /^("(?:[^"]|"")*"|[^ ]+) /

function common(names: readonly string[], columns: readonly string[]): readonly string[] {
  const then = new Set(columns.map(column => COLUMN.exec(column)?.[1]))
  return names.filter(name => then.has(name))
}

async function insertBack(
  client: SqlClient,
  { table, shape, columns, old }: RestoreBatch,
  type: string,
): Promise<BatchResult> {
  const names = common(shape.stored, columns)
  const { key } = shape
  const values = names.map(name => `(g.r).${name}`).join(', ')
  const made = key.length === 0 ? '1' : key.join(', ')
  const given = `WITH given AS MATERIALIZED (SELECT u.r::${type} AS r FROM unnest($1::text[]) AS u (r)),
    made AS (INSERT INTO ${table} (${names.join(', ')}) OVERRIDING SYSTEM VALUE SELECT ${values} FROM given AS g
             ON CONFLICT DO NOTHING RETURNING ${made})`
  if (key.length === 0) {
    const { rows } = await client.query<{ n: number }>(
      `${given} SELECT count(*)::int AS n FROM made`,
      [old],
      LONG,
    )
    const restored = rows[0]?.n ?? 0
    const lost = Array.from({ length: old.length - restored }, () => ({
      key: '',
      why: 'another row has its place',
    }))
    return { restored, conflicts: lost }
  }
  const { rows } = await client.query<{ key: string }>(
    `${given} SELECT ${keyText(key)} AS key FROM given AS g
     WHERE NOT EXISTS (SELECT FROM made AS m WHERE ${key.map(name => `m.${name} = (g.r).${name}`).join(' AND ')})`,
    [old],
    LONG,
  )
  const conflicts = rows.map(row => ({
    key: row.key,
    why: 'a row with this key, or one of its unique values, is there again',
  }))
  return { restored: old.length - conflicts.length, conflicts }
}

async function setBack(
  client: SqlClient,
  { table, shape, columns, old, became }: RestoreBatch,
  type: string,
): Promise<BatchResult> {
  const { key } = shape
  if (key.length === 0) {
    const why = 'the table has no primary key, so that edited rows cannot be told apart'
    return { restored: 0, conflicts: old.map(() => ({ key: '', why })) }
  }
  const set = common(shape.settable, columns).map(name => `${name} = (g.r).${name}`)
  const current = shape.written.some(column => column.startsWith('NULL::'))
    ? `ROW(${shape.written.join(', ')})::text`
    : 't::text'
  const given = `WITH given AS MATERIALIZED (
    SELECT u.r::${type} AS r, u.b::uuid AS b, u.i FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS u (r, b, i))`
  const sameKey = key.map(name => `t.${name} = (g.r).${name}`).join(' AND ')
  const first = await client.query<{ i: number }>(
    `${given} UPDATE ${table} AS t SET ${set.join(', ')} FROM given AS g
     WHERE ${sameKey} AND md5(${current})::uuid = g.b RETURNING g.i::int AS i`,
    [old, became],
    LONG,
  )
  const left = without(old, became, first.rows)
  if (left.old.length === 0) return { restored: old.length, conflicts: [] }
  // An edit of the key itself: the row is found by what it became.
  const second = await client.query<{ i: number }>(
    `${given} UPDATE ${table} AS t SET ${set.join(', ')} FROM given AS g
     WHERE md5(${current})::uuid = g.b AND NOT EXISTS (SELECT FROM ${table} AS t WHERE ${sameKey}) RETURNING g.i::int AS i`,
    [left.old, left.became],
    LONG,
  )
  const rest = without(left.old, left.became, second.rows)
  const { rows } = await client.query<{ key: string; there: boolean }>(
    `${given} SELECT ${keyText(key)} AS key, EXISTS (SELECT FROM ${table} AS t WHERE ${sameKey}) AS there FROM given AS g`,
    [rest.old, rest.became],
    LONG,
  )
  const conflicts = rows.map(row => ({
    key: row.key,
    why: row.there ? 'the row was edited again since' : 'the row is not there any more',
  }))
  return { restored: old.length - conflicts.length, conflicts }
}

function without(
  old: readonly string[],
  became: readonly string[],
  done: readonly { i: number }[],
): KeptRows {
  const places = new Set(done.map(({ i }) => i - 1))
  return { old: old.filter((_, i) => !places.has(i)), became: became.filter((_, i) => !places.has(i)) }
}

/** `id=7, month=1`. */
function keyText(key: readonly string[]): string {
  return `concat_ws(', ', ${key.map(name => `'${name.replaceAll("'", "''")}=' || (g.r).${name}::text`).join(', ')})`
}
