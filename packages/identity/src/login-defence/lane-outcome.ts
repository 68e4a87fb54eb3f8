import type { LaneRules } from './lane-rules.ts'
import type { Client, Lane } from './lanes.ts'
import { type Known, type LoginRecord, remember } from './login-record.ts'

/** A try that was handed on to be checked. */
export interface CheckedTry {
  readonly client: Client
  /** The lane that had room for it. */
  readonly lane: Lane
}

/** A checked try failed. Its place is not given back; the lane counts one more failure in a row. */
export function failed(record: LoginRecord, { client, lane }: CheckedTry, now: number): LoginRecord {
  if (lane === 'unknown') return { ...record, unknownFailures: record.unknownFailures + 1, touched: now }
  const fail = (list: readonly Known[], id: string | undefined): readonly Known[] =>
    list.map(known => (known.id === id ? { ...known, failures: known.failures + 1 } : known))
  return lane === 'device'
    ? { ...record, devices: fail(record.devices, client.device), touched: now }
    : { ...record, networks: fail(record.networks, client.network), touched: now }
}

/**
 * A checked try succeeded: this device and this network are known from now on, with full lanes. Only a
 * success of an unknown client opens the lane of the unknown again: the owner who signs in daily on a known
 * device must not reset the attacker's count.
 * @param tried with the id of the device cookie that this browser gets or has
 * @param now epoch milliseconds
 */
export function succeeded(
  record: LoginRecord,
  { client, lane, device }: CheckedTry & { readonly device: string },
  rules: LaneRules,
  now: number,
): LoginRecord {
  const known = { fullAt: 0, failures: 0, seen: now }
  return {
    ...record,
    devices: remember(record.devices, { id: device, ...known }),
    networks: remember(record.networks, { id: client.network, ...known }),
    ...(lane === 'unknown' && {
      unknownFailures: 0,
      unknownFullAt: Math.max(0, record.unknownFullAt - rules.unknown.every),
      pairs: record.pairs.filter(({ id }) => id !== client.address),
    }),
    touched: now,
  }
}
