import type { PageHead } from '@postern/console'
import type { Exchange } from '@postern/core'
import type { MeasureCauses } from '@postern/runtime'
import type { ActorGroups, RowActors } from './actor-groups.ts'
import { EVERYBODY, NOBODY } from './actor-numbers.ts'
import { BusyActors } from './busy-actors.ts'
import type { CountedBy, EditReach, LimitReach } from './edit-reach.ts'
import type { Gathering } from './gathered.ts'
import type { ActorShare } from './preview-plan.ts'

/** What is counted of an actor, and what follows from too much of it. */
interface Counter {
  readonly by: CountedBy
  readonly busy: BusyActors
  readonly amount: (head: PageHead, row: number) => number
  /**
   * `reach`: the change may decide otherwise, and only a replay says how. `replay`: what becomes of others is
   * not known without one, where anything else is decided otherwise.
   */
  readonly leads: 'reach' | 'replay'
}

interface RouteCounter extends Counter {
  readonly routes: NonNullable<LimitReach['routes']>
}

export interface CountedActorsOptions {
  readonly reach: EditReach
  /** Limits that hold on either side. */
  readonly limits: readonly LimitReach[]
  readonly causes: MeasureCauses | undefined
  readonly share: ActorShare
}

const one = (): number => 1

/** Counts what actors sent, and finds who may have sent more than a limit or a scenario lets through. */
export class CountedActors {
  readonly #overall: readonly Counter[]
  readonly #onRoutes: readonly RouteCounter[]

  constructor({ reach, limits, causes, share }: CountedActorsOptions) {
    const ofLimits = [
      ...reach.limits.map(limit => ({ limit, leads: 'reach' as const })),
      ...limits.map(limit => ({ limit, leads: 'replay' as const })),
    ]
    this.#overall = [
      ...ofLimits.flatMap(({ limit: { by, span, most, routes }, leads }) =>
        routes === undefined ? [{ by, busy: new BusyActors(span, most), amount: one, leads }] : [],
      ),
      ...(causes === undefined ? [] : countersOf(causes)),
    ]
    this.#onRoutes = ofLimits.flatMap(({ limit: { by, span, most, routes }, leads }) =>
      routes === undefined
        ? []
        : // Each thread sees a part of an actor's requests: of too many, one sees this many at least.
          [{ by, busy: new BusyActors(span, Math.floor(most / share.of)), amount: one, leads, routes }],
    )
  }

  /** Whether requests must be opened to count them. */
  get hasRoutes(): boolean {
    return this.#onRoutes.length > 0
  }

  /**
   * Counts what is said of a request without opening it; every thread is shown every request, and counts its
   * own actors.
   */
  count(head: PageHead, row: number, actors: RowActors, groups: ActorGroups, into: Gathering): void {
    const counters = this.#overall
    for (let i = 0; i < counters.length; i++) {
      const counter = counters[i] as Counter
      const actor = actorOf(actors, counter.by)
      if (actor !== NOBODY && groups.counts(actor)) add(counter, head, row, actor, into)
    }
  }

  /** Counts a request on the routes of limits; each thread is shown its own requests. */
  countOnRoutes(
    head: PageHead,
    row: number,
    actors: RowActors,
    { method, path }: Exchange,
    into: Gathering,
  ): void {
    for (const counter of this.#onRoutes) {
      const actor = actorOf(actors, counter.by)
      if (actor === NOBODY || counter.routes.match(method, path.canonical) === undefined) continue
      add(counter, head, row, actor, into)
    }
  }
}

/** A group is known by any of its networks: of an actor who sent too much, one is enough. */
function add(
  { busy, amount, leads }: Counter,
  head: PageHead,
  row: number,
  actor: number,
  into: Gathering,
): void {
  const sent = amount(head, row)
  if (sent === 0 || !busy.add(actor, head.times[row] as number, sent)) return
  const network = head.networks[row] as number
  if (leads === 'reach') into.reach(network)
  into.mustReplay(network)
}

/** Scenarios count by address or by principal. */
function countersOf({ requests, behaviour }: MeasureCauses): readonly Counter[] {
  const { refused, changed, bytes } = behaviour
  const counters: Counter[] = []
  for (const by of ['network', 'principal'] as const) {
    for (const { span, most } of requests)
      counters.push({ by, busy: new BusyActors(span, most), amount: one, leads: 'replay' })
    counters.push({
      by,
      busy: new BusyActors(refused.span, refused.most),
      amount: ({ statuses }, row) => (REFUSED.has(statuses[row] ?? 0) ? 1 : 0),
      leads: 'replay',
    })
  }
  counters.push({
    by: 'principal',
    busy: new BusyActors(changed.span, changed.most),
    amount: ({ changing }, row) => changing[row] ?? 0,
    leads: 'replay',
  })
  counters.push({
    by: 'principal',
    busy: new BusyActors(bytes.span, bytes.most),
    amount: ({ bytes: sent }, row) => sent[row] ?? 0,
    leads: 'replay',
  })
  return counters
}

const REFUSED: ReadonlySet<number> = new Set([401, 403, 404])

function actorOf({ network, principal, tenant }: RowActors, by: CountedBy): number {
  switch (by) {
    case 'all':
      return EVERYBODY
    case 'network':
      return network
    case 'principal':
      return principal
    case 'tenant':
      return tenant
  }
}
