import { parseStoredHash } from '../password/stored-hash.ts'
import type { Accounts } from './accounts.ts'
import { parseEmail } from './email.ts'

/** What an import did, line by line where it did not. */
export interface ImportReport {
  readonly created: number
  /** Addresses that had an account already. */
  readonly existing: number
  readonly faults: readonly { readonly line: number; readonly problem: string }[]
  /** First line that was not read, when the import was stopped. */
  readonly stoppedAt?: number
}

/** How an import is stopped. */
export interface ImportOptions {
  /** Stops the import after the account at hand. */
  readonly signal?: AbortSignal | undefined
}

const MOST_FAULTS = 100

/**
 * Imports accounts from CSV (RFC 4180) with a header line: `email` and, in any order, `name`,
 * `password_hash`, `locale`, `email_verified` (`true` or `false`). A line with a mistake is left out and
 * reported, without its contents; accounts that exist stay as they are.
 */
export async function importAccounts(
  csv: string,
  accounts: Accounts,
  { signal }: ImportOptions = {},
): Promise<ImportReport> {
  const [header, ...records] = parseCsv(csv)
  const columns = (header?.fields ?? []).map(name => name.trim().toLowerCase())
  const faults: { line: number; problem: string }[] = []
  const unknown = columns.filter(
    name => !['email', 'name', 'password_hash', 'locale', 'email_verified'].includes(name),
  )
  if (!columns.includes('email') || unknown.length > 0) {
    const problem = 'the first line must name the columns: email, name, password_hash, locale, email_verified'
    return { created: 0, existing: 0, faults: [{ line: 1, problem }] }
  }
  let created = 0
  let existing = 0
  for (const { line, fields } of records) {
    // An embedded database answers at once: a signal is heard between turns of the event loop only.
    await new Promise<void>(resolve => setImmediate(resolve))
    if (signal?.aborted === true) return { created, existing, faults, stoppedAt: line }
    const problem = await importOne(record(columns, fields), fields.length === columns.length, accounts)
    if (problem === 'created') created++
    else if (problem === 'existing') existing++
    else if (faults.length < MOST_FAULTS) faults.push({ line, problem })
  }
  return { created, existing, faults }
}

function record(columns: readonly string[], fields: readonly string[]): ReadonlyMap<string, string> {
  return new Map(columns.map((name, index) => [name, fields[index]?.trim() ?? '']))
}

async function importOne(
  fields: ReadonlyMap<string, string>,
  isWhole: boolean,
  accounts: Accounts,
): Promise<string> {
  if (!isWhole) return 'has another number of fields than the first line'
  const email = parseEmail(fields.get('email') ?? '')
  if (email === undefined) return 'the e-mail address is invalid'
  const passwordHash = fields.get('password_hash') ?? ''
  if (passwordHash !== '' && parseStoredHash(passwordHash) === undefined)
    return 'the password hash is of an unknown kind'
  const locale = fields.get('locale') ?? ''
  const account = await accounts.create({
    email,
    name: fields.get('name') ?? '',
    ...(locale !== '' && { locale: locale.slice(0, 10) }),
    ...(passwordHash !== '' && { passwordHash }),
    emailVerified: fields.get('email_verified') === 'true' ? 'yes' : 'no',
  })
  return account === undefined ? 'existing' : 'created'
}

/** RFC 4180; lines may end in LF alone. */
function parseCsv(text: string): readonly { readonly line: number; readonly fields: readonly string[] }[] {
  const records: { line: number; fields: string[] }[] = []
  let fields: string[] = []
  let line = 1
  let start = 1
  const pattern = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r?\n|$)/gy
  const plain = text.startsWith('\ufeff') ? text.slice(1) : text
  for (const match of plain.matchAll(pattern)) {
    const [whole, quoted, bare, end] = match
    if (whole === '' && fields.length === 0) break
    fields.push(quoted === undefined ? (bare ?? '') : quoted.replaceAll('""', '"'))
    line += whole.split('\n').length - 1
    if (end === ',') continue
    if (fields.length > 1 || fields[0] !== '') records.push({ line: start, fields })
    fields = []
    start = line
  }
  return records
}
