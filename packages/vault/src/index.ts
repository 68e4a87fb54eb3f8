export { AgentView, type AgentViewOptions, type TokenFormat } from './agent/agent-view.ts'
export { LocalKeys } from './local/local-keys.ts'
export { open, seal } from './local/local-record.ts'
export {
  type RewriteKind,
  type RewriteOptions,
  type RewriteProgress,
  rewriteTable,
} from './migrate/rewrite-table.ts'
export { type KyselyVault, kyselyVault } from './orm/kysely-vault.ts'
export { type SealedColumn, sealedColumn } from './orm/sealed-column.ts'
export { selfSignedIdentity, type TlsIdentity } from './primitive/certificate.ts'
export { generateSigningKey, type SigningKey } from './primitive/ed25519.ts'
export type { RecordContext } from './record/record-context.ts'
export { type Mode, type ParsedRecord, parseRecord, RECORD_OVERHEAD } from './record/record-format.ts'
export {
  type OpenedVault,
  type OpenVaultOptions,
  openVault,
  openVaultDatabase,
  readIdentity,
} from './setup/open-vault.ts'
export { type KnownHolder, type TrustDomains, trustDomains } from './setup/trust-domains.ts'
export { readVaultFile, type VaultFile } from './setup/vault-file.ts'
export {
  type Capability,
  type CapabilityAction,
  capabilityToSign,
  type NamedRecord,
  signCapability,
} from './split/capability.ts'
export { type HolderAddress, type HolderLink, SocketLink } from './split/holder-link.ts'
export { type IdentityStatement, signIdentity } from './split/identity-statement.ts'
export type { HolderId } from './split/part.ts'
export { SplitKeys, type SplitKeysOptions } from './split/split-keys.ts'
export { sqliteClient } from './sql/sqlite-client.ts'
export { JOB_MIGRATIONS, POSTGRES_DIALECT, SQLITE_DIALECT } from './sql/table.sql.ts'
export { VaultSql } from './sql/vault-sql.ts'
export type { Row } from './table/row-context.ts'
export type { StoredTerm } from './table/search-terms.ts'
export { SUBJECT_MIGRATIONS } from './table/subject-salts.sql.ts'
export { PostgresSubjectSalts, SqliteSubjectSalts, type SubjectSalts } from './table/subject-salts.ts'
export type {
  ColumnSchema,
  ColumnState,
  SearchSchema,
  TableSchema,
  TableSchemas,
  ValueType,
} from './table/table-schema.ts'
export { type OpenOptions, Vault, type VaultOptions } from './table/vault.ts'
