import { ConfigError, systemRandom } from '@postern/core'
import { connectPostgres, migrate, openSqlite, readSecretFile, type SqlClient } from '@postern/store'
import { LocalKeys } from '../local/local-keys.ts'
import type { RewriteClient } from '../migrate/write-rows.ts'
import { selfSignedIdentity, type TlsIdentity } from '../primitive/certificate.ts'
import { signingKeyOf } from '../primitive/ed25519.ts'
import { SocketLink } from '../split/holder-link.ts'
import { HOLDERS, type HolderId } from '../split/part.ts'
import { SplitKeys } from '../split/split-keys.ts'
import { sqliteClient } from '../sql/sqlite-client.ts'
import { JOB_MIGRATIONS, POSTGRES_DIALECT, SQLITE_DIALECT, type TableDialect } from '../sql/table.sql.ts'
import { SqliteSubjectSalts } from '../table/subject-salts.ts'
import type { TableSchemas } from '../table/table-schema.ts'
import { Vault } from '../table/vault.ts'
import { compareKeys, type KeyFaults } from './compared-keys.ts'
import { readVaultFile, type VaultFile } from './vault-file.ts'

const CONNECT_MS = 5_000

/** A vault as `vault.json` describes it. */
export interface OpenedVault {
  readonly file: VaultFile
  readonly vault: Vault
  readonly links: readonly SocketLink[]
  close(): void
}

/** The environment, which tables are opened, and how long connections are waited for. */
export interface OpenVaultOptions {
  readonly environment?: Readonly<Record<string, string | undefined>>
  /** Changes the tables of the file: the command line sets a column's state for a migration. */
  readonly tables?: (tables: TableSchemas) => TableSchemas
  /** Longest wait for holders to be reached, milliseconds. Default 5,000. */
  readonly connectTimeout?: number
  /** How many are waited for: two (default) are enough to work with. */
  readonly waitFor?: 2 | 3
  /**
   * Called with a holder that gave a wrong answer: it is broken or lies. Default: a warning of the process
   * (`POSTERN_VAULT_LIAR`), once for each holder.
   */
  readonly onLiar?: (holder: HolderId) => void
  /**
   * Called when the database of the vault knows a later key than the key file holds: what others seal does
   * not open here. Default: a warning of the process (`POSTERN_VAULT_KEY`).
   */
  readonly onMissingKey?: (fault: ConfigError) => void
}

/**
 * Opens the vault of a `vault.json` and connects to its holders. Local keys are held against those that the
 * database knows, where the file names one that answers.
 * @example
 * const { vault } = await openVault('vault.json')
 * @throws ConfigError, also where a local key is another one than the database knows; StoreError
 */
export async function openVault(path: string, options: OpenVaultOptions = {}): Promise<OpenedVault> {
  const file = readVaultFile(path, options.environment ?? process.env)
  const local = file.keys === undefined ? undefined : LocalKeys.read(file.keys)
  if (local !== undefined) await checkKeys(file, local, options)
  const links = file.holders === undefined ? [] : openLinks(file)
  const split =
    links.length === 0
      ? undefined
      : new SplitKeys({
          links,
          onLiar: options.onLiar ?? warnOnce(),
          ...(file.termsNeed !== undefined && { termsNeed: file.termsNeed }),
        })
  let subjects: SqliteSubjectSalts | undefined
  const close = (): void => {
    split?.close()
    subjects?.close()
  }
  try {
    subjects = file.subjects === undefined ? undefined : new SqliteSubjectSalts(file.subjects)
    const vault = new Vault({
      tables: options.tables === undefined ? file.tables : options.tables(file.tables),
      ...(local !== undefined && { local }),
      ...(split !== undefined && { split }),
      ...(file.searchKey !== undefined && { searchKey: readSecret(file.searchKey) }),
      ...(subjects !== undefined && { subjects }),
    })
    await connected(links, options.waitFor ?? 2, options.connectTimeout ?? CONNECT_MS)
    // Learns the epoch, so that a rewrap knows what is old.
    await split?.prepare().catch(() => {})
    return { file, vault, links, close }
  } catch (error) {
    close()
    throw error
  }
}

/** What one server sealed with another key of the same number would be found when a record does not open. */
async function checkKeys(
  { database, keys: place = '' }: VaultFile,
  keys: LocalKeys,
  { connectTimeout = CONNECT_MS, onMissingKey = warnOfKey }: OpenVaultOptions,
): Promise<void> {
  if (database === undefined) return
  // A vault works without its database, and an application may have another driver.
  const faults: KeyFaults = await compareKeys(database, keys, place, connectTimeout).catch(() => ({}))
  if (faults.other !== undefined) throw faults.other
  if (faults.missing !== undefined) onMissingKey(faults.missing)
}

function warnOfKey({ message }: ConfigError): void {
  process.emitWarning(message, { code: 'POSTERN_VAULT_KEY' })
}

/** The database of a vault file, with the table of jobs in it. @throws ConfigError, StoreError */
export async function openVaultDatabase(file: VaultFile): Promise<{
  readonly client: SqlClient & RewriteClient
  readonly dialect: TableDialect
  close(): Promise<void>
}> {
  const { database } = file
  if (database === undefined)
    throw new ConfigError({
      place: `${file.path}: database`,
      problem: 'is missing',
      hint: 'name it, e.g. "${DATABASE_URL}"',
    })
  if (/^postgres(?:ql)?:/.test(database)) {
    const postgres = connectPostgres({ url: database })
    try {
      await migrate(postgres, 'vault', JOB_MIGRATIONS)
    } catch (error) {
      await postgres.close()
      throw error
    }
    return { client: postgres, dialect: POSTGRES_DIALECT, close: () => postgres.close() }
  }
  const sqlite = openSqlite({ path: database, migrations: [{ name: 'vault', migrations: JOB_MIGRATIONS }] })
  return { client: sqliteClient(sqlite), dialect: SQLITE_DIALECT, close: async () => sqlite.close() }
}

/** The application's TLS identity from its seed file. */
export function readIdentity(path: string): TlsIdentity {
  return selfSignedIdentity(
    'postern vault application',
    signingKeyOf(readSecret(path)),
    systemRandom,
    Date.now(),
  )
}

/** What goes on all by itself with the other two holders would otherwise show nowhere. */
function warnOnce(): (holder: HolderId) => void {
  const warned = new Set<HolderId>()
  return holder => {
    if (warned.has(holder)) return
    warned.add(holder)
    process.emitWarning(
      `holder ${holder} gave a wrong answer; the other two decide. Stop it and look into its log`,
      {
        code: 'POSTERN_VAULT_LIAR',
      },
    )
  }
}

function openLinks(file: VaultFile): readonly SocketLink[] {
  const { holders, identity } = file
  if (holders === undefined) return []
  const tls = identity === undefined ? undefined : readIdentity(identity)
  if (tls === undefined && HOLDERS.some(id => !('unix' in holders[id])))
    throw new ConfigError({
      place: `${file.path}: identity`,
      problem: 'is missing, and holders are reached over TLS',
      hint: 'make it with postern vault init',
    })
  return HOLDERS.map(id => new SocketLink(id, holders[id], { identity: tls }))
}

async function connected(links: readonly SocketLink[], count: 2 | 3, timeout: number): Promise<void> {
  const until = performance.now() + timeout
  while (links.length > 0 && links.filter(({ isUp }) => isUp).length < count && performance.now() < until)
    await new Promise(resolve => setTimeout(resolve, 10))
}

/** 32 bytes from a private file. @throws ConfigError */
function readSecret(path: string): Buffer {
  const text = readSecretFile(path, {
    missing: 'make it with postern vault init',
    notFile: 'give the file that postern vault init made',
  }).trim()
  const bytes = Buffer.from(text, 'base64url')
  if (bytes.length !== 32) throw new ConfigError({ place: path, problem: 'must hold 32 bytes in base64url' })
  return bytes
}
