import { closeSync, openSync, readSync } from 'node:fs'
import { HmacKey } from '../primitive/hmac-key.ts'
import { COMMITMENT_BYTES, type ParsedRecord } from '../record/record-format.ts'
import { cipherMaterial, recordPrf } from '../record/record-keys.ts'

const KEY_BYTES = 32
const CHUNK = 1_048_576
/** Nothing behind this is read of one file, bytes. */
const MAX_READ = 4_294_967_296
/** Memory is handed out at multiples of it. */
const STEP = 4
/** Distinct bytes that a key has at least: of 32 random ones, fewer are not to be expected in a lifetime. */
const MIN_DISTINCT = 20
/** Zeros that a key has at most: memory is full of small numbers and addresses. As improbable in a key. */
const MAX_ZEROS = 5

/** A record and the encoding of where it lies. */
export interface PlacedRecord {
  readonly record: ParsedRecord
  readonly encoded: Uint8Array
}

/**
 * Looks for keys in images of memory: core dumps, swap, hibernation files, snapshots of a heap. A key in
 * memory is 32 bytes among others, so every place where one may lie is tried: as the key of a record, by
 * what the records commit to, and as a key of mode `local`, by one record of each epoch.
 * @returns keys that fit, each once
 */
export function memoryKeys(files: readonly string[], records: readonly PlacedRecord[]): readonly Buffer[] {
  const commitments = new Set(records.map(({ record }) => Buffer.from(record.commitment).toString('latin1')))
  const samples = new Map<number, PlacedRecord>()
  for (const placed of records) if (placed.record.mode === 'local') samples.set(placed.record.epoch, placed)
  const found = new Map<string, Buffer>()
  const prf = new HmacKey('sha256')
  const fits = (key: Buffer): boolean => {
    if (commitments.has(commitmentOf(key))) return true
    for (const { record, encoded } of samples.values()) {
      prf.setKey(key)
      if (commitments.has(commitmentOf(recordPrf(prf, encoded, record.salt)))) return true
    }
    return false
  }
  if (records.length > 0)
    for (const file of files)
      for (const key of windowsOf(file)) if (fits(key)) found.set(key.toString('latin1'), Buffer.from(key))
  return [...found.values()]
}

function commitmentOf(recordKey: Uint8Array): string {
  return cipherMaterial(recordKey).commitment.toString('latin1', 0, COMMITMENT_BYTES)
}

/** Every 32 bytes of a file that look random. A view that the next one overwrites. */
function* windowsOf(file: string): Iterable<Buffer> {
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
