import { ConfigError } from '@postern/core'
import { TILE_WIDTH } from '../format/tile.ts'
import { type LogReader, range } from './log-reader.ts'

/** What was removed, and where the log begins now. */
export interface Retained {
  /** Index of the first entry that is kept. */
  readonly minimumIndex: number
  /** Entry bundles removed now. */
  readonly bundles: number
}

/** Bundles removed in one step: bounds what a database does in one transaction. */
const STEP = 64

/**
 * Removes the entries from before a time, in whole bundles of 256. Tiles, checkpoints and so every proof
 * stay: an entry kept elsewhere can still be proven to have been in the log (C2SP tlog-tiles, "Pruning"). May
 * run while the log is open, on several instances at once.
 * @param before epoch milliseconds; the first bundle with a younger entry is kept, and all after it
 */
export async function removeEntriesBefore(
  reader: LogReader,
  before: number,
  options: { readonly onProgress?: (done: number, total: number) => void } = {},
): Promise<Retained> {
  if (!Number.isFinite(before))
    throw new ConfigError({
      place: 'retention.before',
      problem: 'is not a time in milliseconds',
      hint: 'give epoch milliseconds, for example `Date.now() - 90 * 86_400_000`',
    })
  await reader.store.finishRemoval?.()
  const removal: Removal = { minimumIndex: await reader.minimumIndex(), bundles: 0 }
  for (;;) {
    let isDone = false
    try {
      isDone = await removeFrom(reader, before, removal, options.onProgress)
    } catch (error) {
      // An entry that another process removed while it was read here is not missing.
      if ((await reader.minimumIndex()) <= removal.minimumIndex) throw error
    }
    const minimumIndex = await reader.minimumIndex()
    if (isDone || minimumIndex <= removal.minimumIndex) return { ...removal, minimumIndex }
    // Another process removed some meanwhile: behind those there may be more that this one is to remove.
    removal.minimumIndex = minimumIndex
  }
}

/** What is removed so far, and where the log begins. */
type Removal = { -readonly [Key in keyof Retained]: Retained[Key] }

/** Removes what is old, from where the log begins. Returns false when another process has removed some. */
async function removeFrom(
  reader: LogReader,
  before: number,
  removal: Removal,
  onProgress: ((done: number, total: number) => void) | undefined,
): Promise<boolean> {
  const size = Number((await reader.head()).size)
  const numbers = new Map(await reader.store.removedNumbers())
  let to = removal.minimumIndex
  let isYounger = false
  while (!isYounger) {
    const from = removal.minimumIndex
    // The newest full bundle stays: a log that is read from its end always finds one.
    isYounger = to + 2 * TILE_WIDTH > size || !(await isOlder(reader, { from: to, size, before, numbers }))
    if (!isYounger) to += TILE_WIDTH
    if (to === from || (!isYounger && to - from < STEP * TILE_WIDTH)) continue
    if (!(await reader.store.remove({ from, to, numbers }))) return false
    removal.bundles += (to - from) / TILE_WIDTH
    removal.minimumIndex = to
    onProgress?.(to, size)
  }
  return true
}

interface Bundle {
  readonly from: number
  readonly size: number
  readonly before: number
  /** Gets the numbers of the tenants in a bundle that is older. */
  readonly numbers: Map<string, number>
}

/** Whether every entry of a bundle is from before a time. */
async function isOlder(reader: LogReader, { from, size, before, numbers }: Bundle): Promise<boolean> {
  const leaves = await reader.leaves(range(from, from + TILE_WIDTH), size)
  if (!leaves.every(({ leaf }) => leaf.event.time < before)) return false
  for (const { leaf } of leaves) numbers.set(leaf.tenant, leaf.number)
  return true
}
