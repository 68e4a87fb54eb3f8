import { type LaneRules, MAX_KNOWN } from './lane-rules.ts'
import type { Client, Lane } from './lanes.ts'
import { findKnown, isKnown, type LoginRecord, remember, type Spelling, spellingIn } from './login-record.ts'

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
  const opened = withSpelling(record, client.spelling, lane === 'unknown', now)
  return {
    ...opened,
    ...(spellingIn(opened, client.spelling) === client.spelling && {
      devices: remember(record.devices, { id: device, ...known }),
      networks: remember(record.networks, { id: client.network, ...known }),
    }),
    ...(lane === 'unknown' && {
      unknownFullAt: Math.max(0, record.unknownFullAt - rules.unknown.every),
      pairs: record.pairs.filter(({ id }) => id !== client.address),
    }),
    touched: now,
  }
}

/**
 * A record that knows a spelling. Where it knows 32 with which somebody is known already, it takes no other:
 * its owner stays a stranger until a link is opened, and pushes nobody out who was there before.
 * @param opens whether failures in a row end, under this spelling and, for its owner, under those that nobody
 *   signed in with
 */
export function withSpelling(
  record: LoginRecord,
  spelling: string,
  opens: boolean,
  now: number,
): LoginRecord {
  const before = record.spellings.find(({ id }) => id === spelling)
  const kept = before === undefined ? withRoom(record, now) : record.spellings
  if (kept === undefined) return record
  const next: Spelling = {
    id: spelling,
    failures: opens ? 0 : (before?.failures ?? 0),
    beside: opens ? 0 : (before?.beside ?? record.unknownFailures),
  }
  const spellings = remember(kept, next)
  const forgotten = record.spellings.filter(({ id }) => !spellings.some(each => each.id === id))
  const others = Math.max(opens ? 0 : record.unknownFailures, ...forgotten.map(({ beside = 0 }) => beside))
  return {
    ...record,
    spellings,
    unknownFailures: forgotten.reduce((sum, { failures }) => sum + failures, others),
  }
}

/** The spellings with room for one more; undefined where each has a device or network that is known. */
function withRoom(record: LoginRecord, now: number): readonly Spelling[] | undefined {
  const { spellings, devices, networks } = record
  if (spellings.length < MAX_KNOWN) return spellings
  const used = new Set([...devices, ...networks].filter(known => isKnown(known, now)).map(({ as }) => as))
  const unused = spellings.findLast(({ id }) => !used.has(id))
  return unused === undefined ? undefined : spellings.filter(each => each !== unused)
}
