import type { SubjectKey } from '../entry/seal.ts'
import type { Tile } from '../format/tile.ts'
import type { AuditQuery } from './audit-query.ts'

/** Entries that retention removes. */
export interface RemovedEntries {
  /** Index of the first entry that was kept until now. */
  readonly from: number
  /** Index of the first entry that stays. */
  readonly to: number
  /** Number of each tenant's last entry among all that were removed by then. */
  readonly numbers: ReadonlyMap<string, number>
}

/**
 * Where a log keeps what it published: files of a directory, or tables of a database. Everything that reads,
 * serves, ships or verifies a log uses this interface.
 */
export interface LogStore {
  /** For errors. */
  readonly name: string
  /** The latest signed checkpoint; undefined when there is no log. */
  checkpoint(): Promise<string | undefined>
  /** The latest checkpoint that witnesses cosigned, with their signatures. */
  witnessedCheckpoint(): Promise<string | undefined>
  /** Stores a checkpoint with the cosignatures it got. */
  keepWitnessed(note: string): Promise<void>
  /** Verifier keys that the log names for itself: enough to read, not to trust. */
  verifierKeys(): Promise<readonly string[]>
  /** Index of the first entry that retention kept. */
  minimumIndex(): Promise<number>
  /** Number of each tenant's last entry among those that retention removed, as far as the store knows it. */
  removedNumbers(): Promise<ReadonlyMap<string, number>>
  /**
   * The first `width` hashes of a tile, or the first `width` entries as a bundle;
   * undefined when it is not there.
   * @throws IntegrityError when it is there, and damaged
   */
  tile(tile: Tile): Promise<Uint8Array | undefined>
  /**
   * The stored bytes under a C2SP path, unchecked, so that a verifier can find
   * damage; undefined when there are none.
   */
  raw(path: string): Promise<Uint8Array | undefined>
  /**
   * Bytes of entries below a published size, in the order asked for.
   * @throws IntegrityError when one is missing or damaged
   */
  leaves(indexes: readonly number[], size: number): Promise<readonly Uint8Array[]>
  /** The subjects' keys with these ids, as far as they were not destroyed. */
  keys(ids: readonly string[]): Promise<ReadonlyMap<string, SubjectKey>>
  /**
   * Indexes of the entries that match everything but `text`, in pages, in the order asked for.
   * @throws IntegrityError when the store has nothing to search in
   */
  find(query: AuditQuery): AsyncIterable<readonly number[]>
  /**
   * Removes entries; tiles and checkpoints stay. Records the removal first: after a crash in between there
   * are more entries than stated, never fewer.
   * @returns false when another process removed some meanwhile
   */
  remove(removed: RemovedEntries): Promise<boolean>
  /** Removes what a removal left that a crash ended; absent where a removal is done whole or not at all. */
  finishRemoval?(): Promise<void>
}
