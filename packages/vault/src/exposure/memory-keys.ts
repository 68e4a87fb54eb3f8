import { closeSync, openSync, readSync } from 'node:fs'
import { KeyFit, type PlacedRecord, samplesOf } from './key-fit.ts'
import type { Turns } from './turns.ts'

const KEY_BYTES = 32
/** Where all bytes look random, the search of one piece takes a tenth of a second. */
const CHUNK = 65_536
/** Nothing behind this is read of one file, bytes. */
const MAX_READ = 4_294_967_296
/** Memory is handed out at multiples of it. */
const STEP = 4
/** Distinct bytes that a key has at least: of 32 random ones, fewer are not to be expected in a lifetime. */
const MIN_DISTINCT = 20
/** Zeros that a key has at most: memory is full of small numbers and addresses. As improbable in a key. */
const MAX_ZEROS = 5

/**
 * Looks for keys in images of memory: core dumps, swap, hibernation files, snapshots of a heap. A key in
 * memory is 32 bytes among others, so every place where one may lie is tried: as the key of a record, by
 * what the records commit to, and as a key of mode `local`, by one record of each epoch.
 * @returns keys that fit, each once
 */
export async function memoryKeys(
  files: readonly string[],
  records: readonly PlacedRecord[],
  turns: Turns,
): Promise<readonly Buffer[]> {
  const epochs = new Map(samplesOf(records, ['local']).map(placed => [placed.record.epoch, placed]))
  const fit = new KeyFit(records, [...epochs.values()])
  const found = new Map<string, Buffer>()
  if (records.length > 0)
    for (const file of files)
      for (const key of windowsOf(file)) {
        if (key === undefined) await turns.next()
        else if (fit.fits(key)) found.set(key.toString('latin1'), Buffer.from(key))
      }
  return [...found.values()]
}

/** Every 32 random-looking bytes of a file, a view that the next overwrites; undefined between pieces. */
function* windowsOf(file: string): Iterable<Buffer | undefined> {
  const descriptor = openSync(file, 'r')
  const chunk = Buffer.alloc(CHUNK + KEY_BYTES)
  const seen = new Uint8Array(256)
  try {
    for (let at = 0; at < MAX_READ; at += CHUNK) {
      const length = readSync(descriptor, chunk, 0, chunk.length, at)
      for (let start = 0; start + KEY_BYTES <= length && start < CHUNK; start += STEP) {
        const skip = skipFrom(chunk, start, seen)
        if (skip === 0) yield chunk.subarray(start, start + KEY_BYTES)
        else start += skip - STEP
      }
      yield undefined
      if (length < chunk.length) return
    }
  } finally {
    closeSync(descriptor)
  }
}

/**
 * 0 where 32 bytes look random; else how far the next place is that may. Of the programs and texts in memory
 * most have a zero too many, or no byte outside of ASCII at all, which one key in four thousand million has.
 */
function skipFrom(bytes: Buffer, start: number, seen: Uint8Array): number {
  seen.fill(0)
  let distinct = 0
  let zeros = 0
  let high = 0
  for (let i = 0; i < KEY_BYTES; i++) {
    const byte = bytes[start + i] ?? 0
    if (byte === 0) zeros++
    high |= byte
    if (seen[byte] === 1) continue
    seen[byte] = 1
    distinct++
  }
  return distinct >= MIN_DISTINCT && zeros <= MAX_ZEROS && high > 127 ? 0 : STEP
}
