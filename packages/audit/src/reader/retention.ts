import { type Clock, ConfigError, systemClock } from '@postern/core'
import { TILE_WIDTH } from '../format/tile.ts'
import { type LogReader, range } from './log-reader.ts'

/** What was removed, and where the log begins now. */
export interface Retained {
  /** Index of the first entry that is kept. */
  readonly minimumIndex: number
  /** Entry bundles removed now. */
  readonly bundles: number
}

/**
 * How far a clock may be ahead. An event that says a later time says nothing about when it was entered: one
 * that an application inserted would keep everything behind it.
 */
const MAX_AHEAD_MS = 86_400_000

/** Bundles removed in one step: bounds what a database does in one transaction. */
const STEP = 64

/**
 * Removes the entries from before a time, in whole bundles of 256. Tiles, checkpoints and so every proof
 * stay: an entry kept elsewhere can still be proven to have been in the log (C2SP tlog-tiles, "Pruning"). May
 * run while the log is open, on several instances at once.
 *
 * Entries from more than a day ahead of now go with the others of their bundle; a whole bundle of them goes
 * when those behind it are old.
 * @param before epoch milliseconds; the first bundle with a younger entry is kept, and all after it
 */
export async function removeEntriesBefore(
  reader: LogReader,
  before: number,
  options: { readonly onProgress?: (done: number, total: number) => void; readonly clock?: Clock } = {},
): Promise<Retained> {
  if (!Number.isFinite(before))
    throw new ConfigError({
      place: 'retention.before',
      problem: 'is not a time in milliseconds',
      hint: 'give epoch milliseconds, for example `Date.now() - 90 * 86_400_000`',
    })
  const latest = (options.clock ?? systemClock).now() + MAX_AHEAD_MS
  const walk: Walk = { before, latest, onProgress: options.onProgress }
  await reader.store.finishRemoval?.()
  const removal: Removal = { minimumIndex: await reader.minimumIndex(), bundles: 0 }
  for (;;) {
    let isDone = false
    try {
      isDone = await removeFrom(reader, removal, walk)
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

interface Walk {
  readonly before: number
  /** Later times are ignored. */
  readonly latest: number
  readonly onProgress: ((done: number, total: number) => void) | undefined
}

/** Removes what is old, from where the log begins. Returns false when another process has removed some. */
async function removeFrom(reader: LogReader, removal: Removal, walk: Walk): Promise<boolean> {
  const size = Number((await reader.head()).size)
  const numbers = new Map(await reader.store.removedNumbers())
  const bundles: Bundles = { ...walk, size, numbers, oldBelow: 0 }
  let to = removal.minimumIndex
  let isYounger = false
  while (!isYounger) {
    const from = removal.minimumIndex
    // The newest full bundle stays: a log that is read from its end always finds one.
    isYounger = to + 2 * TILE_WIDTH > size || !(await isOlder(reader, to, bundles))
    if (!isYounger) to += TILE_WIDTH
    if (to === from || (!isYounger && to - from < STEP * TILE_WIDTH)) continue
    if (!(await reader.store.remove({ from, to, numbers }))) return false
    removal.bundles += (to - from) / TILE_WIDTH
    removal.minimumIndex = to
    walk.onProgress?.(to, size)
  }
  return true
}

interface Bundles extends Walk {
  readonly size: number
  /** Gets the numbers of the tenants in a bundle that is older. */
  readonly numbers: Map<string, number>
  /** Bundles without a time below this index are old: the one there is. */
  oldBelow: number
}

/** Whether every entry of a bundle is from before a time. */
async function isOlder(reader: LogReader, from: number, bundles: Bundles): Promise<boolean> {
  const leaves = await leavesOf(reader, from, bundles)
  const age = ageOf(leaves, bundles)
  if (age === 'younger') return false
  if (age === 'unknown' && from >= bundles.oldBelow && !(await isBeforeOlder(reader, from, bundles)))
    return false
  for (const { leaf } of leaves) bundles.numbers.set(leaf.tenant, leaf.number)
  return true
}

/** Whether the first bundle behind one, of those whose entries have times, is older. */
async function isBeforeOlder(reader: LogReader, from: number, bundles: Bundles): Promise<boolean> {
  for (let at = from + TILE_WIDTH; at + 2 * TILE_WIDTH <= bundles.size; at += TILE_WIDTH) {
    const age = ageOf(await leavesOf(reader, at, bundles), bundles)
    if (age === 'unknown') continue
    if (age === 'older') bundles.oldBelow = at
    return age === 'older'
  }
  return false
}

type Leaves = Awaited<ReturnType<LogReader['leaves']>>

function leavesOf(reader: LogReader, from: number, { size }: Bundles): Promise<Leaves> {
  return reader.leaves(range(from, from + TILE_WIDTH), size)
}

function ageOf(leaves: Leaves, { before, latest }: Walk): 'older' | 'younger' | 'unknown' {
  const younger = leaves.filter(({ leaf }) => !(leaf.event.time < before))
  if (younger.some(({ leaf }) => leaf.event.time <= latest)) return 'younger'
  return younger.length > 0 && younger.length === leaves.length ? 'unknown' : 'older'
}
