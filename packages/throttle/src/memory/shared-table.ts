import { MAX_ASKS } from '../limit/question.ts'
import { BucketLocks } from './bucket-locks.ts'
import { BucketTable, bucketsFor, formatTable, tableBytes } from './bucket-table.ts'

const HEADER_BYTES = 64
/** Word of the header that numbers the threads that opened the table. */
const NEXT_MARK = 5

export interface SharedTableOptions {
  /** How many keys fit: 32 bytes each. About 1.4 for every key that is active within its window. */
  readonly slots: number
}

/**
 * Memory for limits that several worker threads share: make it in the main thread, hand it to the workers
 * (`workerData`), and give it to `memoryStore({ table })` in each. The limits are as exact as in one thread.
 * @throws ConfigError for a number of slots that is not from 64 to 67,108,864
 */
export function sharedTable(options: SharedTableOptions): SharedArrayBuffer {
  const buckets = bucketsFor(options.slots)
  const buffer = new SharedArrayBuffer(tableBytes(buckets, 'locked'))
  formatTable(buffer, buckets, machineTime())
  return buffer
}

/** A table and the locks of this thread. @throws ConfigError for a buffer that is not a table */
export interface OpenTable {
  readonly table: BucketTable
  readonly locks: BucketLocks
  /** Milliseconds since the table was made, the same in all threads. */
  readonly now: () => number
}

/** Opens a shared table in this thread. */
export function openSharedTable(buffer: SharedArrayBuffer): OpenTable {
  const header = new Int32Array(buffer, 0, HEADER_BYTES / 4)
  const mark = Atomics.add(header, NEXT_MARK, 1) + 1
  const locks = new BucketLocks(
    new Int32Array(buffer, HEADER_BYTES, header[1] as number),
    mark,
    MAX_ASKS * 2 + 1,
  )
  const table = new BucketTable(buffer, locks)
  const offset = machineTime() - performance.now() - table.epoch
  return { table, locks, now: () => performance.now() + offset }
}

/**
 * Milliseconds of the machine's monotonic clock, which all threads read alike; `performance.now()` begins
 * at zero in each.
 */
function machineTime(): number {
  const [seconds, nanoseconds] = process.hrtime()
  return seconds * 1_000 + nanoseconds / 1_000_000
}
