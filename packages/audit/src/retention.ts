import { join } from 'node:path'
import { ConfigError } from '@postern/core'
import { disk, type FileLayer } from './embedded/file-layer.ts'
import { LogFiles, MINIMUM_INDEX } from './embedded/log-files.ts'
import { TILE_WIDTH, tilePath } from './format/tile.ts'
import type { AuditLogReader } from './read-audit-log.ts'

/** What retention did. */
export interface Retained {
  /** Index of the first entry that is kept. */
  readonly minimumIndex: number
  /** Entry bundles removed now. */
  readonly bundles: number
}

/**
 * Removes the entries from before a time, in whole bundles of 256. Tiles, checkpoints and so every proof stay: an entry that somebody kept can
 * still be shown to have been in the log (C2SP tlog-tiles, "Pruning"). May run while the log is open.
 * @param before epoch milliseconds; the first bundle with a younger entry is kept, and all after it
 */
export function removeEntriesBefore(
  reader: AuditLogReader,
  before: number,
  options: { readonly files?: FileLayer; readonly onProgress?: (done: number, total: number) => void } = {},
): Retained {
  if (!Number.isFinite(before))
    throw new ConfigError({ place: 'retention.before', problem: 'is not a time in milliseconds' })
  const files = options.files ?? disk
  const log = new LogFiles(files, reader.log.directory)
  const size = Number(reader.head().size)
  const { minimumIndex: start, numbers } = log.removed()
  const last = new Map(numbers)
  let end = start
  // The newest full bundle stays: a log that is read from its end always finds one.
  for (; end + 2 * TILE_WIDTH <= size; end += TILE_WIDTH) {
    const entries = [...reader.entries(BigInt(end), BigInt(end + TILE_WIDTH))]
    if (!entries.every(({ event }) => event.time < before)) break
    for (const { tenant, number } of entries) last.set(tenant, number)
    options.onProgress?.(end, size)
  }
  if (end === start) return { minimumIndex: start, bundles: 0 }
  // Said first, removed then: after a crash in between there is more than promised, never less.
  // The tenants' numbers go on where they were, even for one of whom nothing is left.
  log.replace(MINIMUM_INDEX, `${end}\n${JSON.stringify(Object.fromEntries(last))}\n`)
  for (let index = start / TILE_WIDTH; index < end / TILE_WIDTH; index++)
    files.remove(join(log.directory, tilePath({ level: 'entries', index, width: TILE_WIDTH })))
  return { minimumIndex: end, bundles: (end - start) / TILE_WIDTH }
}
