import type { LaneRules } from './lane-rules.ts'
import type { Client, Lane } from './lanes.ts'
import { findKnown, type LoginRecord, remember, type Spelling } from './login-record.ts'

/** A try that was handed on to be checked. */
export interface CheckedTry {
  readonly client: Client
  /** The lane that had room for it. */
  readonly lane: Lane
}

/** A checked try failed. Its place is not given back; the lane counts one more failure in a row. */
export function failed(record: LoginRecord, { client, lane }: CheckedTry, now: number): LoginRecord {
  if (lane === 'unknown') return failedUnknown(record, client.spelling, now)
  const list = lane === 'device' ? 'devices' : 'networks'
  const tried = findKnown(record, list, client[lane], client.spelling)
  const fail = record[list].map(known =>
    known === tried ? { ...known, failures: known.failures + 1 } : known,
  )
  return { ...record, [list]: fail, touched: now }
}

function failedUnknown(record: LoginRecord, spelling: string, now: number): LoginRecord {
  if (!record.spellings.some(({ id }) => id === spelling)) {
    const all = record.spellings.map(known => ({ ...known, beside: (known.beside ?? 0) + 1 }))
    return { ...record, spellings: all, unknownFailures: record.unknownFailures + 1, touched: now }
  }
  const spellings = record.spellings.map(known =>
    known.id === spelling ? { ...known, failures: known.failures + 1 } : known,
  )
  return { ...record, spellings, touched: now }
}

/**
 * A checked try succeeded: this device and this network are known from now on under this spelling, with full
 * lanes. Only a success of an unknown client opens the lane of the unknown again, and takes back no failures
 * under spellings that others sign in with: the owner who signs in daily on a known device must not reset the
 * attacker's count, nor an attacker who owns another spelling theirs.
 * @param tried with the id of the device cookie that this browser gets or has
 * @param now epoch milliseconds
 */
export function succeeded(
  record: LoginRecord,
  { client, lane, device }: CheckedTry & { readonly device: string },
  rules: LaneRules,
  now: number,
): LoginRecord {
  const known = { as: client.spelling, fullAt: 0, failures: 0, seen: now }
  return {
    ...withSpelling(record, client.spelling, lane === 'unknown'),
    devices: remember(record.devices, { id: device, ...known }),
    networks: remember(record.networks, { id: client.network, ...known }),
    ...(lane === 'unknown' && {
      unknownFullAt: Math.max(0, record.unknownFullAt - rules.unknown.every),
      pairs: record.pairs.filter(({ id }) => id !== client.address),
    }),
    touched: now,
  }
}

/**
 * @param opens whether failures in a row end, under this spelling and, for its owner, under those that nobody
 *   signed in with
 */
export function withSpelling(record: LoginRecord, spelling: string, opens: boolean): LoginRecord {
  const before = record.spellings.find(({ id }) => id === spelling)
  const next: Spelling = {
    id: spelling,
    failures: opens ? 0 : (before?.failures ?? 0),
    beside: opens ? 0 : (before?.beside ?? record.unknownFailures),
  }
  const spellings = remember(record.spellings, next)
  const forgotten = record.spellings.filter(({ id }) => !spellings.some(kept => kept.id === id))
  const others = Math.max(opens ? 0 : record.unknownFailures, ...forgotten.map(({ beside = 0 }) => beside))
  return {
    ...record,
    spellings,
    unknownFailures: forgotten.reduce((sum, { failures }) => sum + failures, others),
  }
}
