import type { Event, EventRecorder, HealthProbe, Receipt } from '@postern/core'
import type { AuditQuery } from './audit-query.ts'
import type { Entry } from './entry.ts'

/** What a log has done so far, for metrics. */
export interface AuditCounts {
  /** Entries that survive a power cut. */
  readonly durable: number
  /** Entries under the latest checkpoint; the rest follows. */
  readonly published: number
  /** Events taken over and not yet durable. */
  readonly waiting: number
  /** Events nobody waited for that were dropped, because the queue was full or the disk failed. Each loss is itself entered. */
  readonly lost: number
  /** Events of floods that stand in the log as a count. */
  readonly coalesced: number
}

/** What tells an entry of the tree: enough to ask for its proof, and to check that the proof is of this entry. */
export interface LeafReceipt extends Receipt {
  /** RFC 6962 leaf hash, hex. */
  readonly leafHash: string
}

/** The tamper-evident log. */
export interface AuditLog extends EventRecorder, HealthProbe {
  /**
   * Like `commit`, and resolves when the event is in the tree, under a checkpoint: the receipt is complete. On the embedded log that is
   * some milliseconds after it is durable, for leaves are sealed and hashed behind the acknowledgement; requests wait for `commit` alone.
   * @throws StoreError when it cannot be made durable in time, or is durable and cannot be published
   */
  append(event: Event): Promise<LeafReceipt>
  /**
   * The promise `before` around an act: its intent is durable before it starts, its outcome is entered after it.
   * @throws StoreError when the intent cannot be entered; then nothing was done. Else whatever the act throws
   */
  around<T>(intent: Event, act: () => Promise<T>): Promise<T>
  /** Proof that an entry is in the log (C2SP tlog-proof), for anyone to verify offline. */
  proof(index: bigint): Promise<string>
  /** Entries that match; waits until everything durable is searchable. */
  query(query: AuditQuery): AsyncIterable<Entry>
  /**
   * Destroys the key of a principal: what says who they are becomes unreadable, every proof still holds. Resolves once it is destroyed.
   * @param options.tenant of the principal, if it belongs to one
   */
  eraseSubject(id: string, options?: { readonly tenant?: string }): Promise<LeafReceipt>
  /** A signed checkpoint of everything durable. */
  checkpoint(): Promise<string>
  counts(): AuditCounts
  /** Makes everything taken over durable and published, and lets the directory go. */
  close(): Promise<void>
}
