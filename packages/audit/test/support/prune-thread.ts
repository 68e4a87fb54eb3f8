// Prunes a log from another thread, and says when it is done.
import { workerData } from 'node:worker_threads'
import { readAuditLog, removeEntriesBefore } from '../../src/index.ts'

interface Task {
  readonly directory: string
  readonly before: number
  /** Gets 1 at the end. */
  readonly isDone: Int32Array
}

const { directory, before, isDone } = workerData as Task
const reader = readAuditLog(directory)
await removeEntriesBefore(reader, before)
reader.close()
Atomics.store(isDone, 0, 1)
Atomics.notify(isDone, 0)
