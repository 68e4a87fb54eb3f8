export { LocalKeys } from './local/local-keys.ts'
export { open, seal } from './local/local-record.ts'
export type { RecordContext } from './record/record-context.ts'
export { type OpenedVault, type OpenVaultOptions, openVault } from './setup/open-vault.ts'
export {
  type HolderAddress,
  type HolderLink,
  SocketLink,
  type SocketLinkOptions,
} from './split/holder-link.ts'
export type { HolderId } from './split/part.ts'
export { SplitKeys, type SplitKeysOptions } from './split/split-keys.ts'
export { sqliteClient } from './sql/sqlite-client.ts'
export { VaultSql } from './sql/vault-sql.ts'
export type { Row } from './table/row-context.ts'
export type { StoredTerm } from './table/search-terms.ts'
export { PostgresSubjectSalts, SqliteSubjectSalts, type SubjectSalts } from './table/subject-salts.ts'
export type { TableSchema, TableSchemas } from './table/table-schema.ts'
export { type OpenOptions, Vault, type VaultOptions } from './table/vault.ts'
