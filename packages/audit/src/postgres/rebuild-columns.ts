import { migrate, type PostgresDatabase, type SqlClient } from '@postern/store'
import type { Entry } from '../entry/entry.ts'
import { subjectAddressToken } from '../entry/key-store.ts'
import { unsealEntry } from '../entry/open-entry.ts'
import { TILE_WIDTH } from '../format/tile.ts'
import { LogReader, range } from '../reader/log-reader.ts'
import type { RebuildOptions, Rebuilt } from '../rebuild-index.ts'
import { INSERT_ADDRESSES, NUMBERS_FROM, POSTGRES_MIGRATIONS, PUT_COLUMNS, PUT_TENANTS } from './audit.sql.ts'
import { DatabaseStore } from './database-store.ts'
import { type EntryColumns, entryColumns } from './entry-columns.ts'
import { searchToken } from './postgres-subjects.ts'

/** The columns by which an entry is found. */
interface Findable {
  readonly index: number
  readonly columns: EntryColumns
  /** Row of `audit_addresses` that leads to it. */
  readonly token: Buffer | undefined
}

const COLUMNS =
  'time, type, tenant, number::text AS number, action, resource, resource_id, decision, request, subject, address'

/**
 * Compares the searchable columns of a log in a database with its entries, and corrects them on request: the
 * columns beside each leaf, the addresses, the tenants' numbers. Instances may continue appending.
 * @throws StoreError when the database does not answer
 * @throws IntegrityError when an entry itself is missing or changed
 */
export async function rebuildPostgresIndex(
  database: PostgresDatabase,
  options: Pick<RebuildOptions, 'mode' | 'onProgress'> = {},
): Promise<Rebuilt> {
  await migrate(database, 'audit', POSTGRES_MIGRATIONS)
  const { rows } = await database.query<{ search_key: Buffer }>('SELECT search_key FROM audit_state')
  const searchKey = rows[0]?.search_key ?? Buffer.alloc(0)
  const reader = new LogReader(new DatabaseStore(database, searchKey), [])
  const head = await reader.head()
  const size = Number(head.size)
  const numbers = new Map<string, number>()
  let identical = true
  for (let start = await reader.minimumIndex(); start < size; start += TILE_WIDTH) {
    const page = await findable(reader, searchKey, range(start, Math.min(size, start + TILE_WIDTH)))
    for (const { columns } of page) numbers.set(columns.tenant, columns.number)
    const wrong = await differing(database, page)
    if (wrong.length > 0) identical = false
    if (wrong.length > 0 && options.mode === 'replace') await putRight(database, wrong)
    options.onProgress?.(Math.min(size, start + TILE_WIDTH), size)
  }
  const isSame = await compareNumbers(database, { numbers, size, isReplacing: options.mode === 'replace' })
  return { size, identical: identical && isSame }
}

async function findable(
  reader: LogReader,
  searchKey: Uint8Array,
  indexes: readonly number[],
): Promise<readonly Findable[]> {
  const { origin, size } = await reader.head()
  const leaves = await reader.leaves(indexes, Number(size))
  const keys = await reader.store.keys(
    leaves.flatMap(({ leaf }) => (leaf.sealed === undefined ? [] : [leaf.sealed.key])),
  )
  return leaves.map(({ leaf, bytes }) => {
    const entry: Entry = unsealEntry(leaf, bytes, origin, { byId: id => keys.get(id) })
    const subject = leaf.sealed?.key ?? null
    const key = subject === null ? undefined : keys.get(subject)
    const { address } = entry.event.actor
    const isFound = key !== undefined && address !== undefined
    const own = isFound ? Buffer.from(subjectAddressToken(key, address)) : null
    return {
      index: leaf.index,
      columns: entryColumns({
        event: leaf.event,
        tenant: leaf.tenant,
        number: leaf.number,
        subject,
        address: own,
      }),
      token: isFound ? searchToken(searchKey, 'address', address) : undefined,
    }
  })
}

/** The entries of a page that the database would not find by their contents. */
async function differing(client: SqlClient, page: readonly Findable[]): Promise<readonly Findable[]> {
  const { rows } = await client.query<Omit<EntryColumns, 'number'> & { at: string; number: string }>(
    `SELECT idx::text AS at, ${COLUMNS} FROM audit_entries WHERE idx = ANY($1::bigint[])`,
    [page.map(({ index }) => index)],
  )
  const stored = new Map(
    rows.map(({ at, ...columns }) => [Number(at), { ...columns, number: Number(columns.number) }]),
  )
  const addresses = await client.query<{ token: Buffer; subject: string }>(
    'SELECT token, subject FROM audit_addresses WHERE token = ANY($1::bytea[])',
    [page.flatMap(({ token }) => (token === undefined ? [] : [token]))],
  )
  const known = new Set(addresses.rows.map(({ token, subject }) => `${token.toString('hex')} ${subject}`))
  return page.filter(({ index, columns, token }) => {
    if (token !== undefined && !known.has(`${token.toString('hex')} ${columns.subject}`)) return true
    const there = stored.get(index)
    return there === undefined || fingerprint(there, token) !== fingerprint(columns, token)
  })
}

/** Without the token of an address whose key was destroyed: it finds nothing. */
function fingerprint(columns: EntryColumns, token: Buffer | undefined): string {
  const { time, type, tenant, number, action, resource, resource_id, decision, request, subject } = columns
  const address = token === undefined ? null : (columns.address?.toString('hex') ?? null)
  const all = [time, type, tenant, number, action, resource, resource_id, decision, request, subject, address]
  return JSON.stringify(all)
}

async function putRight(client: SqlClient, wrong: readonly Findable[]): Promise<void> {
  const list = <T>(pick: (columns: EntryColumns) => T): readonly T[] =>
    wrong.map(({ columns }) => pick(columns))
  await client.query(PUT_COLUMNS, [
    wrong.map(({ index }) => index),
    list(({ time }) => time),
    list(({ type }) => type),
    list(({ tenant }) => tenant),
    list(({ number }) => number),
    list(({ action }) => action),
    list(({ resource }) => resource),
    list(({ resource_id }) => resource_id),
    list(({ decision }) => decision),
    list(({ request }) => request),
    list(({ subject }) => subject),
    list(({ address }) => address),
  ])
  const found = wrong.filter(({ token }) => token !== undefined)
  await client.query(INSERT_ADDRESSES, [
    found.map(({ token }) => token),
    found.map(({ columns }) => columns.subject),
    found.map(({ columns }) => columns.address),
  ])
}

interface ComparedNumbers {
  /** Number of each tenant's last entry below a size. */
  readonly numbers: ReadonlyMap<string, number>
  readonly size: number
  readonly isReplacing: boolean
}

/**
 * Whether every tenant's next number follows its entries, and puts right what does not. Nothing is entered
 * meanwhile: a number that is too high is as wrong as one that is too low.
 */
function compareNumbers(database: PostgresDatabase, compared: ComparedNumbers): Promise<boolean> {
  return database.transaction(async client => {
    await client.query('SELECT size FROM audit_state FOR UPDATE')
    const later = await client.query<{ tenant: string; number: string }>(NUMBERS_FROM, [compared.size])
    const numbers = new Map([
      ...compared.numbers,
      ...later.rows.map(({ tenant, number }) => [tenant, Number(number)] as const),
    ])
    const { rows } = await client.query<{ tenant: string; number: string }>(
      'SELECT tenant, number::text AS number FROM audit_tenants WHERE tenant = ANY($1)',
      [[...numbers.keys()]],
    )
    const stored = new Map(rows.map(({ tenant, number }) => [tenant, Number(number)]))
    const wrong = [...numbers].filter(([tenant, number]) => stored.get(tenant) !== number)
    if (wrong.length > 0 && compared.isReplacing)
      await client.query(PUT_TENANTS, [wrong.map(([tenant]) => tenant), wrong.map(([, number]) => number)])
    return wrong.length === 0
  })
}
