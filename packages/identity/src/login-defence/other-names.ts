import type { KeyedHash } from './keyed-hash.ts'
import { failed } from './lane-outcome.ts'
import type { LaneRules } from './lane-rules.ts'
import { DEFAULT_LANES } from './lane-rules.ts'
import { type Client, enter } from './lanes.ts'
import { isKnown, type LoginRecord, remember } from './login-record.ts'
import type { Step } from './login-store.ts'
import type { NameBeside } from './mailbox.ts'

/**
 * Names besides the account that a request holds. Which of them the backend reads nobody knows, so each has a
 * bucket for all unknown clients together; a wider one than an account's, for it may be none.
 */
const OTHER_LANES: LaneRules = {
  ...DEFAULT_LANES,
  unknown: { capacity: 30, every: 5 * 60_000 },
  pair: { capacity: 10, every: 15 * 60_000 },
  closeAfter: Number.POSITIVE_INFINITY,
}

/**
 * So many accounts that signed in beside the same text show that it is not an account: a tenant, or the text
 * of a button. Nobody but its owner signs in beside the name that the backend reads.
 */
const ACCOUNTS_BESIDE = 5

/** Applies a step to the record of a name. */
export type UpdateName = <Result>(key: string, step: (record: LoginRecord) => Step<Result>) => Promise<Result>

/** What a try used up beside its account. */
export interface OtherTries {
  readonly keys: readonly string[]
  readonly client: Client
}

/**
 * Takes a place in the bucket of each other name.
 * @returns when the first that has none will have one, and which kind it is; else the tries, of names that
 *   may be accounts
 */
export async function enterOthers(
  names: readonly NameBeside[],
  { network, address, spelling }: Client,
  hash: KeyedHash,
  update: UpdateName,
  now: number,
): Promise<OtherTries | { readonly retryAt: number; readonly kind: NameBeside['kind'] }> {
  const client: Client = { device: undefined, network, address, spelling }
  const keys: string[] = []
  for (const { kind, name } of names) {
    const key = hash.of(kind, name)
    const said = await update<'none' | 'taken' | number>(key, record => {
      if (isNoAccount(record, now)) return { result: 'none' }
      const entry = enter({ ...record, devices: [], networks: [] }, client, OTHER_LANES, now)
      if (entry.kind === 'refused') return { result: entry.retryAt }
      return { record: { ...entry.record, devices: record.devices }, result: 'taken' }
    })
    if (typeof said === 'number') return { retryAt: said, kind }
    if (said === 'taken') keys.push(key)
  }
  return { keys, client }
}

/** A try failed: the places stay used up. It succeeded: they come back, and the account is noted there. */
export async function learnOthers(
  { keys, client }: OtherTries,
  account: string,
  outcome: 'failed' | 'succeeded',
  update: UpdateName,
  now: number,
): Promise<void> {
  for (const key of keys)
    await update(key, record => ({
      record:
        outcome === 'failed'
          ? failed(record, { client, lane: 'unknown' }, now)
          : {
              ...placeBack(record, client, OTHER_LANES, now),
              devices: remember(record.devices, { id: account, fullAt: 0, failures: 0, seen: now }),
            },
      result: undefined,
    }))
}

/** A record in which a try of an unknown client has its place back, and nobody became known. */
export function placeBack(record: LoginRecord, client: Client, rules: LaneRules, now: number): LoginRecord {
  return {
    ...record,
    unknownFullAt: Math.max(0, record.unknownFullAt - rules.unknown.every),
    pairs: record.pairs.filter(({ id }) => id !== client.address),
    touched: now,
  }
}

/** In the record of a name the devices are accounts that signed in beside it. */
function isNoAccount({ devices }: LoginRecord, now: number): boolean {
  return devices.filter(known => isKnown(known, now)).length >= ACCOUNTS_BESIDE
}
