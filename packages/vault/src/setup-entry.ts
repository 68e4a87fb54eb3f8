/** `@postern/vault/setup`: what operators' programs need: the vault file, its database, jobs over tables. */
export type { RewriteKind, RowRewrite } from './migrate/rewrite-rows.ts'
export {
  MOST_ROWS,
  type RewriteOptions,
  type RewriteProgress,
  rewriteTable,
} from './migrate/rewrite-table.ts'
export { identitySeed, selfSignedIdentity, type TlsIdentity } from './primitive/certificate.ts'
export { checkKnownKeys } from './setup/known-keys.ts'
export { openVaultDatabase, readIdentity } from './setup/open-vault.ts'
export { rotateLocalKeys } from './setup/rotate-local-keys.ts'
export { storedKey } from './setup/stored-key.ts'
export { type KnownHolder, type TrustDomains, trustDomains } from './setup/trust-domains.ts'
export { readVaultFile, type VaultFile } from './setup/vault-file.ts'
export { JOB_MIGRATIONS, POSTGRES_DIALECT, SQLITE_DIALECT } from './sql/table.sql.ts'
export { SUBJECT_MIGRATIONS } from './table/subject-salts.sql.ts'
