import { type KeyLookup, openEntry } from '../entry/open-entry.ts'
import type { LogFiles } from '../files/log-files.ts'
import { TILE_WIDTH } from '../format/tile.ts'
import type { AuditIndex } from './audit-index.ts'

export interface FillIndex {
  readonly index: AuditIndex
  readonly log: LogFiles
  readonly keys: KeyLookup
  readonly origin: string
  /** Entries of the log that the index is to have. */
  readonly size: number
  /** Entries that the log has, when it is to have fewer: the last bundle has that many. */
  readonly written?: number
  readonly onProgress?: (done: number, total: number) => void
}

/** Brings an index up to a size of the log, from its bundles. What retention removed is not indexed. */
export function fillIndex({ index, log, keys, origin, size, written = size, onProgress }: FillIndex): void {
  const { minimumIndex, numbers } = log.removed()
  if (index.size < minimumIndex) index.startAt(minimumIndex, numbers)
  for (let at = index.size; at < size; ) {
    const bundle = Math.floor(at / TILE_WIDTH)
    const end = Math.min(size, (bundle + 1) * TILE_WIDTH)
    const entries = log.readBundle(bundle, Math.min(written, (bundle + 1) * TILE_WIDTH) - bundle * TILE_WIDTH)
    for (; at < end; at++) {
      const { entry, subject } = openEntry(entries[at % TILE_WIDTH] ?? new Uint8Array(0), at, origin, keys)
      index.add({ entry, subject })
    }
    index.commit(at)
    onProgress?.(at, size)
  }
}
