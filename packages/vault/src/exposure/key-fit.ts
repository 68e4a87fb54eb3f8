import { HmacKey } from '../primitive/hmac-key.ts'
import { COMMITMENT_BYTES, type ParsedRecord } from '../record/record-format.ts'
import { cipherMaterial, recordPrf } from '../record/record-keys.ts'
import type { Turns } from './turns.ts'

/** Trials of all candidates on all samples together: half a minute. Each candidate has at least 16. */
const MAX_TRIALS = 10_000_000
const MIN_SAMPLES = 16

/** A record and the encoding of where it lies. */
export interface PlacedRecord {
  readonly record: ParsedRecord
  readonly encoded: Uint8Array
  /** What one key of mode `local` or `held` may be good for: tenant, table and epoch. */
  readonly area: string
}

/**
 * Tells keys that open a record from bytes that only look like one, without trying each on every record: the
 * key of one record by what the records commit to, a key of many by one record of each area.
 */
export class KeyFit {
  readonly #commitments: ReadonlySet<string>
  readonly #samples: readonly PlacedRecord[]
  readonly #prf = new HmacKey('sha256')

  /** @param samples records on which a key of many is tried */
  constructor(records: readonly PlacedRecord[], samples: readonly PlacedRecord[]) {
    this.#commitments = new Set(records.map(({ record }) => latin1(record.commitment)))
    this.#samples = samples
  }

  /** Whether 32 bytes open one of the records. */
  fits(key: Uint8Array): boolean {
    if (this.#commitments.has(commitmentOf(key))) return true
    return this.#samples.some(({ record, encoded }) => {
      this.#prf.setKey(key)
      return commitmentOf(recordPrf(this.#prf, encoded, record.salt)) === latin1(record.commitment)
    })
  }
}

/**
 * Those of the keys that open a record. With very many areas (tenants, tables, epochs) and candidates, a key
 * of many is tried on the first areas only.
 */
export async function fittingKeys(
  keys: readonly Buffer[],
  records: readonly PlacedRecord[],
  turns: Turns,
): Promise<readonly Buffer[]> {
  if (records.length === 0) return []
  const most = Math.max(MIN_SAMPLES, Math.floor(MAX_TRIALS / Math.max(1, keys.length)))
  const fit = new KeyFit(records, samplesOf(records, ['local', 'held']).slice(0, most))
  const found: Buffer[] = []
  for (const key of keys) {
    if (fit.fits(key)) found.push(key)
    await turns.next()
  }
  return found
}

/** The first record of each area, of these modes. */
export function samplesOf(
  records: readonly PlacedRecord[],
  modes: readonly ParsedRecord['mode'][],
): readonly PlacedRecord[] {
  const samples = new Map<string, PlacedRecord>()
  for (const placed of records) {
    const key = `${placed.record.mode} ${placed.area}`
    if (modes.includes(placed.record.mode) && !samples.has(key)) samples.set(key, placed)
  }
  return [...samples.values()]
}

function commitmentOf(recordKey: Uint8Array): string {
  return cipherMaterial(recordKey).commitment.toString('latin1', 0, COMMITMENT_BYTES)
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('latin1')
}
