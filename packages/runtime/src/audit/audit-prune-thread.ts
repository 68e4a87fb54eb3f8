// The thread of audit-prune.ts: removes what is too old, says what it did, and ends.
import { parentPort, workerData } from 'node:worker_threads'
import { readAuditLog, removeEntriesBefore } from '@postern/audit'
import type { PruneTask } from './audit-prune.ts'

const { directory, before } = workerData as PruneTask
const reader = readAuditLog(directory)
try {
  parentPort?.postMessage(await removeEntriesBefore(reader, before))
} finally {
  reader.close()
}
