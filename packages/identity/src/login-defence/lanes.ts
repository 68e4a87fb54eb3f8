import { availableAt, takeOne } from './bucket.ts'
import type { LaneRules } from './lane-rules.ts'
import { failuresInARow, findKnown, isKnown, type Known, type LoginRecord, remember } from './login-record.ts'

/**
 * Which lane a try is in. The first that fits decides alone: a known device that has used
 * up its lane does not become an unknown client.
 */
export type Lane = 'device' | 'network' | 'unknown'

/** Who tries, as hashes. */
export interface Client {
  /** Id of the device cookie, when it belongs to this account. */
  readonly device: string | undefined
  readonly network: string
  readonly address: string
  /** How the account is written, exactly; '' where nobody can tell. */
  readonly spelling: string
}

/**
 * What is said of a try before the password is looked at. A checked try has used its
 * place up already, whatever its result.
 */
export type Entry =
  | { readonly kind: 'checked'; readonly lane: Lane; readonly record: LoginRecord }
  | {
      readonly kind: 'refused'
      readonly lane: Lane
      /** When the same client may try again, epoch milliseconds; infinite when only a link helps. */
      readonly retryAt: number
    }

/** The lane of a client at an account. */
export function laneOf(record: LoginRecord, client: Client, now: number): Lane {
  const { device, network, spelling } = client
  if (isKnown(findKnown(record, 'devices', device, spelling), now)) return 'device'
  return isKnown(findKnown(record, 'networks', network, spelling), now) ? 'network' : 'unknown'
}

/** Lets a try in or refuses it. Pure: a store applies it to the record it holds, atomically. */
export function enter(record: LoginRecord, client: Client, rules: LaneRules, now: number): Entry {
  const lane = laneOf(record, client, now)
  if (lane === 'unknown') return enterUnknown(record, client, rules, now)
  const list = lane === 'device' ? 'devices' : 'networks'
  const known = findKnown(record, list, client[lane], client.spelling) as Known
  if (known.failures >= rules.closeAfter) return { kind: 'refused', lane, retryAt: Number.POSITIVE_INFINITY }
  const fullAt = takeOne(known.fullAt, rules[lane], now)
  if (fullAt === undefined)
    return { kind: 'refused', lane, retryAt: availableAt(known.fullAt, rules[lane], now) }
  const changed = { [list]: remember(record[list], { ...known, fullAt }) }
  return { kind: 'checked', lane, record: { ...record, ...changed, touched: now } }
}

/** The lane of the unknown and the pair's must both have a place; neither loses one if the other has none. */
function enterUnknown(record: LoginRecord, client: Client, rules: LaneRules, now: number): Entry {
  const lane = 'unknown'
  if (failuresInARow(record) >= rules.closeAfter)
    return { kind: 'refused', lane, retryAt: Number.POSITIVE_INFINITY }
  const pair = record.pairs.find(({ id }) => id === client.address)?.fullAt ?? 0
  const unknownFullAt = takeOne(record.unknownFullAt, rules.unknown, now)
  const pairFullAt = takeOne(pair, rules.pair, now)
  if (unknownFullAt === undefined || pairFullAt === undefined) {
    const retryAt = Math.max(
      availableAt(record.unknownFullAt, rules.unknown, now),
      availableAt(pair, rules.pair, now),
    )
    return { kind: 'refused', lane, retryAt }
  }
  const pairs = remember(
    record.pairs.filter(({ fullAt }) => fullAt > now),
    { id: client.address, fullAt: pairFullAt },
  )
  return { kind: 'checked', lane, record: { ...record, pairs, unknownFullAt, touched: now } }
}
