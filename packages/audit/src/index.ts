export { type Anchor, fileAnchor, type HttpAnchorOptions, httpAnchor } from './anchor.ts'
export type { AuditCounts, AuditLog, LeafReceipt } from './audit-log.ts'
export type { AuditQuery } from './audit-query.ts'
export { type Cursor, fileCursor } from './cursor.ts'
export type { Entry } from './entry.ts'
export { toCef } from './export/cef.ts'
export {
  type CheckedExport,
  checkExport,
  type ExportOptions,
  exportTenant,
  toNdjson,
} from './export/ndjson.ts'
export { toOcsf } from './export/ocsf.ts'
export { Shipper, type ShipperOptions } from './export/shipper.ts'
export type { Sink } from './export/sink.ts'
export { SyslogSink, type SyslogSinkOptions } from './export/syslog-sink.ts'
export { WebhookSink, type WebhookSinkOptions } from './export/webhook-sink.ts'
export {
  COSIGNATURE_V1,
  generateNoteKey,
  type NoteSigner,
  parseSignerKey,
  parseVerifierKey,
} from './format/note-key.ts'
export { verifyTlogProof } from './format/tlog-proof.ts'
export { logHandler, witnessHandler } from './log-handler.ts'
export { type AuditLogOptions, openAuditLog } from './open-audit-log.ts'
export { enterInPostgres } from './postgres/enter-in-postgres.ts'
export { openPostgresAuditLog, type PostgresAuditLogOptions } from './postgres/open-postgres-log.ts'
export type { PostgresAuditLog } from './postgres/postgres-log.ts'
export { readPostgresAuditLog } from './postgres/read-postgres-log.ts'
export { rebuildPostgresIndex } from './postgres/rebuild-columns.ts'
export { AuditLogReader, type ReadAuditLogOptions, readAuditLog } from './read-audit-log.ts'
export { type RebuildOptions, type Rebuilt, rebuildIndex } from './rebuild-index.ts'
export { type Retained, removeEntriesBefore } from './retention.ts'
export { readSigningKeys, retireSigningKey, rotateSigningKey } from './signing-keys.ts'
export type { Problem, VerifyOptions, VerifyReport } from './verifier.ts'
export { type VerifyStoreOptions, verifyDirectory, verifyStore } from './verify-store.ts'
export { Witness, type WitnessAnswer, type WitnessOptions } from './witness/witness.ts'
export type { WitnessClientOptions } from './witness/witness-client.ts'
