import type { PagedRequest, PreviewGroup, PreviewResult } from '@postern/console'
import type { Refusal } from '@postern/core'

interface Group {
  readonly kind: PreviewGroup['kind']
  readonly value: string
  readonly example: string
  readonly rules: Map<string, number>
  requests: number
}

/** Groups kept; further ones are counted together. */
const MAX_GROUPS = 1_000
const SHOWN_GROUPS = 50
const SHOWN_RULES = 3

/**
 * Results of parts of all actors as one: their groups are of different actors, but for what found no room.
 */
export function joinedResults(results: readonly PreviewResult[]): PreviewResult {
  const sum = (of: (result: PreviewResult) => number): number =>
    results.reduce((total, result) => total + of(result), 0)
  return {
    requests: sum(({ requests }) => requests),
    replayed: sum(({ replayed }) => replayed),
    refusedBefore: sum(({ refusedBefore }) => refusedBefore),
    refusedAfter: sum(({ refusedAfter }) => refusedAfter),
    newlyRefused: joinedGroups(results.flatMap(({ newlyRefused }) => newlyRefused)),
    newlyAllowed: joinedGroups(results.flatMap(({ newlyAllowed }) => newlyAllowed)),
  }
}

function joinedGroups(groups: readonly PreviewGroup[]): readonly PreviewGroup[] {
  const joined = new Map<string, PreviewGroup>()
  for (const group of groups) {
    const key = `${group.kind} ${group.value}`
    const known = joined.get(key)
    joined.set(key, known === undefined ? group : { ...known, requests: known.requests + group.requests })
  }
  return [...joined.values()].sort(inOrderShown).slice(0, SHOWN_GROUPS)
}

/** Most first; by name among equals, so that which of them are shown does not depend on the threads. */
function inOrderShown(a: Pick<PreviewGroup, 'requests' | 'value'>, b: typeof a): number {
  return b.requests - a.requests || (a.value < b.value ? -1 : 1)
}

/** Counts where two configurations decide otherwise, by client. Memory does not grow with the traffic. */
export class PreviewCount {
  readonly #newlyRefused = new Map<string, Group>()
  readonly #newlyAllowed = new Map<string, Group>()
  #requests = 0
  #replayed = 0
  #refusedBefore = 0
  #refusedAfter = 0

  /** Takes what the present configuration says of a request, and what the other one says. */
  add(request: PagedRequest, before: Refusal | undefined, after: Refusal | undefined): void {
    const { weight } = request
    this.#requests += weight
    this.#replayed += weight
    if (before !== undefined) this.#refusedBefore += weight
    if (after !== undefined) this.#refusedAfter += weight
    if (before === undefined && after !== undefined) addTo(this.#newlyRefused, request, after)
    if (before !== undefined && after === undefined) addTo(this.#newlyAllowed, request, before)
  }

  /** Takes a request that both decide as it was decided. */
  keep(weight: number, wasRefused: boolean): void {
    this.#requests += weight
    if (!wasRefused) return
    this.#refusedBefore += weight
    this.#refusedAfter += weight
  }

  result(): PreviewResult {
    return {
      requests: this.#requests,
      replayed: this.#replayed,
      refusedBefore: this.#refusedBefore,
      refusedAfter: this.#refusedAfter,
      newlyRefused: shown(this.#newlyRefused),
      newlyAllowed: shown(this.#newlyAllowed),
    }
  }
}

function addTo(
  groups: Map<string, Group>,
  { principal, address, weight, request }: PagedRequest,
  { reasons }: Refusal,
): void {
  const kind = principal === undefined ? 'address' : 'principal'
  const value = principal?.id ?? address
  const key = groups.size < MAX_GROUPS ? `${kind} ${value}` : 'others'
  const group: Group = groups.get(key) ?? {
    kind,
    value: key === 'others' ? 'others' : value,
    example: request,
    rules: new Map(),
    requests: 0,
  }
  group.requests += weight
  const [{ rule }] = reasons
  group.rules.set(rule, (group.rules.get(rule) ?? 0) + weight)
  groups.set(key, group)
}

function shown(groups: ReadonlyMap<string, Group>): readonly PreviewGroup[] {
  return [...groups.values()]
    .sort(inOrderShown)
    .slice(0, SHOWN_GROUPS)
    .map(({ rules, ...group }) => ({
      ...group,
      rules: [...rules]
        .sort(([, a], [, b]) => b - a)
        .slice(0, SHOWN_RULES)
        .map(([rule]) => rule),
    }))
}
