import type { AuditQuery } from './audit-query.ts'
import type { Tile } from './format/tile.ts'
import type { SubjectKey } from './seal.ts'

/** Entries that retention lets go. */
export interface RemovedEntries {
  /** Index of the first entry that was kept until now. */
  readonly from: number
  /** Index of the first entry that stays. */
  readonly to: number
  /** Number of each tenant's last entry among all that are gone by then. */
  readonly numbers: ReadonlyMap<string, number>
}

/**
 * Where a log keeps what it published: files of a directory, or tables of a database. Everything that reads a log, serves it, sends it away
 * or vouches for it does so through this.
 */
export interface LogStore {
  /** For errors. */
  readonly name: string
  /** The latest signed checkpoint; undefined when there is no log. */
  checkpoint(): Promise<string | undefined>
  /** The latest checkpoint that witnesses cosigned, with their signatures. */
  witnessedCheckpoint(): Promise<string | undefined>
  /** Keeps a checkpoint with the cosignatures it got. */
  keepWitnessed(note: string): Promise<void>
  /** Verifier keys that the log names for itself: enough to read, not to trust. */
  verifierKeys(): Promise<readonly string[]>
  /** Index of the first entry that retention kept. */
  minimumIndex(): Promise<number>
  /** Number of each tenant's last entry among those that retention removed, as far as the store knows it. */
  removedNumbers(): Promise<ReadonlyMap<string, number>>
  /**
   * The first `width` hashes of a tile, or the first `width` entries as a bundle; undefined when it is not there.
   * @throws IntegrityError when it is there, and damaged
   */
  tile(tile: Tile): Promise<Uint8Array | undefined>
  /**
   * What stands under a C2SP path, as it stands there, for a verifier to find what is wrong with it; undefined when nothing does.
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
   * Removes entries; tiles and checkpoints stay. Says so first: after a crash in between there is more than promised, never less.
   * @returns false when another process removed some meanwhile
   */
  remove(removed: RemovedEntries): Promise<boolean>
}
