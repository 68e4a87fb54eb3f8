export { type Anchor, fileAnchor, type HttpAnchorOptions, httpAnchor } from './anchor.ts'
export type { AuditCounts, AuditLog } from './audit-log.ts'
export type { AuditQuery } from './audit-query.ts'
export type { Entry } from './entry.ts'
export { COSIGNATURE_V1, generateNoteKey } from './format/note-key.ts'
export { verifyTlogProof } from './format/tlog-proof.ts'
export { logHandler, witnessHandler } from './log-handler.ts'
export { type AuditLogOptions, openAuditLog } from './open-audit-log.ts'
export {
  openPostgresAuditLog,
  type PostgresAuditLog,
  type PostgresAuditLogOptions,
} from './postgres/postgres-log.ts'
export { type AuditLogReader, type ReadAuditLogOptions, readAuditLog } from './read-audit-log.ts'
export { retireSigningKey, rotateSigningKey } from './signing-keys.ts'
export type { Problem, VerifyOptions, VerifyReport } from './verifier.ts'
export { type VerifyDirectoryOptions, verifyDirectory } from './verify-directory.ts'
export { Witness, type WitnessAnswer, type WitnessOptions } from './witness/witness.ts'
export type { WitnessClientOptions } from './witness/witness-client.ts'
