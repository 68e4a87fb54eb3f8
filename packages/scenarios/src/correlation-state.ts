import type { Event } from '@postern/core'
import { requestIdOf } from './event-fields.ts'
import { allParts, firstPart, kept, otherParts } from './group-key.ts'
import { LoneValues } from './lone-values.ts'
import { RecentMap } from './recent-map.ts'
import type { CorrelationRule } from './scenario.ts'

const MAX_REQUESTS = 10
/** No value is empty. */
const FIRST = ''

/**
 * What a group has seen so far. Its lists are made when something comes into them: most groups see one event.
 */
interface Group {
  /** Epoch milliseconds of the last event. */
  last: number
  /** No finding before this time. */
  quietUntil: number
  /** Event, prefix or per-rule times; see each type. */
  times: number[] | undefined
  /** Where the ring's oldest time is. */
  oldest: number
  /** The first distinct value and its last time: most groups see no other, and need no map. */
  value: string | undefined
  valueTime: number
  values: Map<string, number> | undefined
  /** The mark of the first value, where its text was not kept: it stands in `values` as `FIRST`. */
  first: number | undefined
  amounts: number[] | undefined
  /** A ring of the last ten. */
  requests: string[] | undefined
  oldestRequest: number
}

/** A correlation that was fulfilled. */
export interface Fulfilled {
  readonly count: number
  readonly requests: readonly string[]
}

/**
 * The windows of one correlation, a group at a time. Event time drives them: a replay of last week gives what
 * last week would have given. Bounded: the group that was quiet longest goes when there are too many, and
 * each group keeps no more than its threshold needs.
 */
export class CorrelationState {
  readonly #rule: CorrelationRule
  readonly #capacity: number
  readonly #groups: RecentMap<Group>
  /** Whether the first requests of a group need not be remembered. */
  readonly #keepsLone: boolean
  /** Made for the first event: most correlations never see one. */
  #lone: LoneValues | undefined
  #evictions = 0

  constructor(rule: CorrelationRule, capacity: number) {
    this.#rule = rule
    this.#capacity = capacity
    this.#groups = new RecentMap(capacity)
    this.#keepsLone = rule.type === 'value_count' && rule.threshold > MAX_REQUESTS
  }

  get size(): number {
    return this.#groups.size
  }

  /** Groups that were still within their window when they had to go. */
  get evictions(): number {
    return this.#evictions
  }

  /**
   * Takes an event that matched the rule's input at that place.
   * @returns what was fulfilled by it; undefined when nothing was, or within the silence after the last time
   */
  take(event: Event, input: number): Fulfilled | undefined {
    const readers = this.#rule.groupBy[input] ?? []
    const key = firstPart(event, readers)
    const rest = otherParts(event, readers)
    if (key === undefined || rest === undefined) return undefined
    if (this.#keepsLone) {
      this.#lone ??= new LoneValues()
      if (this.#isLone(this.#lone, key, rest, event)) return undefined
    }
    const { time } = event
    const group = this.#touch(key, rest, event)
    if (time < group.quietUntil) return undefined
    const count = this.#advance(group, event, input)
    if (this.#isNear(group)) remember(group, event)
    if (count === undefined) return undefined
    const fulfilled = { count, requests: requestsOf(group) }
    group.quietUntil = time + (this.#rule.respond?.silence ?? 300_000)
    reset(group)
    return fulfilled
  }

  /** Whether the group has shown no other value within the window; notes this one then. */
  #isLone(lone: LoneValues, key: string, rest: string, event: Event): boolean {
    const value = allParts(event, this.#rule.value ?? [])
    if (value === undefined) return true
    const { time } = event
    const slot = lone.slotOf(key, rest)
    const mark = lone.markOf(value)
    if (lone.holds(slot)) {
      if (lone.value(slot) === mark) {
        lone.seenAgain(slot, time)
        return true
      }
      if (time - lone.time(slot) <= this.#rule.timespan) {
        const group = this.#touch(key, rest, event)
        group.first = lone.value(slot)
        group.values = new Map([[FIRST, lone.time(slot)]])
        lone.clear(slot)
        return false
      }
    } else if (this.#groups.find(key, rest) !== undefined) return false
    lone.put(slot, mark, time)
    return true
  }

  /**
   * Whether this event can be among the last ten when the threshold is reached. One event adds one to a
   * count, so those of an actor far from it need no id, and most actors never come near: an id costs as much
   * as the count.
   */
  #isNear(group: Group): boolean {
    const { type, threshold } = this.#rule
    if (type === 'event_count') return threshold - (group.times?.length ?? 0) < MAX_REQUESTS
    if (type === 'value_count') return threshold - valuesOf(group) < MAX_REQUESTS
    return true
  }

  #advance(group: Group, event: Event, input: number): number | undefined {
    switch (this.#rule.type) {
      case 'event_count':
        return this.#countEvents(group, event.time)
      case 'value_count':
        return this.#countValues(group, event)
      case 'value_sum':
      case 'value_avg':
        return this.#addValues(group, event)
      case 'temporal':
        return this.#seeAll(group, event.time, input)
      case 'temporal_ordered':
        return this.#seeInOrder(group, event.time, input)
    }
  }

  /** A ring of the last `threshold` times: exact, however the events fall. */
  #countEvents(group: Group, time: number): number | undefined {
    const { threshold, timespan } = this.#rule
    group.times ??= []
    const { times } = group
    if (times.length < threshold) times.push(time)
    else {
      times[group.oldest] = time
      group.oldest = (group.oldest + 1) % threshold
    }
    const oldest = times[times.length < threshold ? 0 : group.oldest] as number
    return times.length === threshold && time - oldest <= timespan ? threshold : undefined
  }

  /**
   * The last time of each distinct value; those out of the window go before it can grow past the threshold.
   */
  #countValues(group: Group, event: Event): number | undefined {
    const { threshold, timespan, value } = this.#rule
    const text = allParts(event, value ?? [])
    if (text === undefined) return undefined
    const key = group.first !== undefined && this.#lone?.markOf(text) === group.first ? FIRST : text
    if (group.values === undefined) {
      if (group.value === undefined || group.value === key) {
        group.value ??= kept(key, event)
        group.valueTime = event.time
        return threshold === 1 ? 1 : undefined
      }
      group.values = new Map([[group.value, group.valueTime]])
    }
    const { values } = group
    values.delete(key)
    values.set(kept(key, event), event.time)
    if (values.size < threshold) return undefined
    for (const [known, time] of values) {
      if (event.time - time <= timespan) break
      values.delete(known)
    }
    return values.size >= threshold ? values.size : undefined
  }

  /**
   * Amounts of up to 60 slices of the window: exact to a sixtieth of it. Sums for `value_sum`, sums and
   * counts for `value_avg`.
   */
  #addValues(group: Group, event: Event): number | undefined {
    const { threshold, timespan, value, type } = this.#rule
    const amount = Number(value?.[0]?.(event))
    if (!Number.isFinite(amount)) return undefined
    const slice = Math.floor(event.time / (timespan / 60))
    group.times ??= []
    group.amounts ??= []
    const { times, amounts } = group
    if (times.at(-1) !== slice) {
      times.push(slice)
      amounts.push(0, 0)
    }
    while (times.length > 0 && slice - (times[0] as number) >= 60) {
      times.shift()
      amounts.splice(0, 2)
    }
    const last = amounts.length - 2
    amounts[last] = (amounts[last] ?? 0) + amount
    amounts[last + 1] = (amounts[last + 1] ?? 0) + 1
    let sum = 0
    let count = 0
    for (let i = 0; i < amounts.length; i += 2) {
      sum += amounts[i] as number
      count += amounts[i + 1] as number
    }
    return (type === 'value_sum' ? sum : sum / count) >= threshold ? count : undefined
  }

  /** The last time of each rule. */
  #seeAll(group: Group, time: number, input: number): number | undefined {
    const { threshold, timespan } = this.#rule
    const times = timesOf(group, threshold)
    times[input] = time
    return times.every(seen => time - seen <= timespan) ? threshold : undefined
  }

  /** For each prefix of the order, the latest time at which it could have begun. */
  #seeInOrder(group: Group, time: number, input: number): number | undefined {
    const { threshold, timespan } = this.#rule
    const times = timesOf(group, threshold)
    const begun = input === 0 ? time : (times[input - 1] as number)
    if (time - begun > timespan) return undefined
    times[input] = begun
    return input === threshold - 1 ? threshold : undefined
  }

  #touch(key: string, rest: string, event: Event): Group {
    const { time } = event
    const known = this.#groups.find(key, rest)
    if (known !== undefined) {
      known.last = Math.max(known.last, time)
      return known
    }
    this.#makeRoom(time)
    return this.#groups.add(kept(key, event), newGroup(time), kept(rest, event))
  }

  /** Gives up what was quiet longest while there is no room, and a few groups that are over besides. */
  #makeRoom(time: number): void {
    let spare = this.#groups.size < this.#capacity ? 2 : Number.POSITIVE_INFINITY
    for (let group = this.#groups.oldest; group !== undefined; group = this.#groups.oldest) {
      const isOver = time - group.last > this.#rule.timespan && time >= group.quietUntil
      if (!isOver && this.#groups.size < this.#capacity) return
      if (spare-- === 0) return
      this.#groups.dropOldest()
      if (!isOver) this.#evictions++
    }
  }
}

function remember(group: Group, event: Event): void {
  const id = requestIdOf(event)
  if (id === undefined) return
  group.requests ??= []
  if (group.requests.length < MAX_REQUESTS) group.requests.push(id)
  else {
    group.requests[group.oldestRequest] = id
    group.oldestRequest = (group.oldestRequest + 1) % MAX_REQUESTS
  }
}

function requestsOf({ requests = [], oldestRequest }: Group): readonly string[] {
  return oldestRequest === 0
    ? requests
    : [...requests.slice(oldestRequest), ...requests.slice(0, oldestRequest)]
}

/** The last times of so many rules, none of which was seen at first. */
function timesOf(group: Group, threshold: number): number[] {
  group.times ??= Array.from({ length: threshold }, () => Number.NEGATIVE_INFINITY)
  return group.times
}

function valuesOf({ value, values }: Group): number {
  return values?.size ?? (value === undefined ? 0 : 1)
}

function reset(group: Group): void {
  group.times = undefined
  group.oldest = 0
  group.value = undefined
  group.values = undefined
  group.first = undefined
  group.amounts = undefined
  group.requests = undefined
  group.oldestRequest = 0
}

function newGroup(time: number): Group {
  return {
    last: time,
    quietUntil: 0,
    times: undefined,
    oldest: 0,
    value: undefined,
    valueTime: 0,
    values: undefined,
    first: undefined,
    amounts: undefined,
    requests: undefined,
    oldestRequest: 0,
  }
}
