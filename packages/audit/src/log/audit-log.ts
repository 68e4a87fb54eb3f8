import type { Event, EventRecorder, HealthProbe, Receipt } from '@postern/core'
import type { Entry } from '../entry/entry.ts'
import type { AuditQuery } from '../reader/audit-query.ts'

/** What a log has done so far, for metrics. */
export interface AuditCounts {
  /** Entries that survive a power cut. */
  readonly durable: number
  /** Entries under the latest checkpoint; the rest follows. */
  readonly published: number
  /** Events accepted and not yet durable. */
  readonly waiting: number
  /**
   * Events in mode `after` that were dropped, because the queue was full or the disk
   * failed. Every loss is logged as well.
   */
  readonly lost: number
  /** Events of floods that the log holds only as a count. */
  readonly coalesced: number
}

/**
 * Identifies an entry of the tree: enough to request its proof, and to check that
 * the proof is for this entry.
 */
export interface LeafReceipt extends Receipt {
  /** RFC 6962 leaf hash, hex. */
  readonly leafHash: string
}

/** The tamper-evident log: a Merkle tree of entries (RFC 6962) under signed checkpoints (C2SP tlog-tiles). */
export interface AuditLog extends EventRecorder, HealthProbe {
  /**
   * Like `commit`, and resolves when the event is in the tree, under a checkpoint: the receipt is complete.
   * On the embedded log that is some milliseconds after it is durable, because leaves are sealed and hashed
   * after the acknowledgement; requests wait for `commit` only.
   * @throws StoreError when it cannot be made durable in time, or is durable and cannot be published
   */
  append(event: Event): Promise<LeafReceipt>
  /**
   * Durability mode `before` around an act: its intent is durable before it starts,
   * and its outcome is logged after it.
   * @throws StoreError when the intent cannot be logged; the act has not run then.
   *   Otherwise whatever the act throws
   */
  around<T>(intent: Event, act: () => Promise<T>): Promise<T>
  /** Proof that an entry is in the log (C2SP tlog-proof), for anyone to verify offline. */
  proof(index: bigint): Promise<string>
  /** Entries that match; waits until everything durable is searchable. */
  query(query: AuditQuery): AsyncIterable<Entry>
  /**
   * Destroys the key of a principal: the personal parts of their entries become unreadable, and every proof
   * stays valid. Resolves once it is destroyed.
   * @param options.tenant of the principal, if it belongs to one
   */
  eraseSubject(id: string, options?: { readonly tenant?: string }): Promise<LeafReceipt>
  /** A signed checkpoint of everything durable. */
  checkpoint(): Promise<string>
  counts(): AuditCounts
  /** Makes every accepted event durable and published, and releases the directory. */
  close(): Promise<void>
}
