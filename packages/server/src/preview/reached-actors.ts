import type { LoadedConfig } from '@postern/config'
import type { PagedRequest, PageHead } from '@postern/console'
import { type Engine, type Exchange, type Guard, Engine as GuardedEngine, VirtualClock } from '@postern/core'
import { plainGuards } from '@postern/runtime'
import type { ActorGroups } from './actor-groups.ts'
import { BusyActors } from './busy-actors.ts'
import type { CountedBy, EditReach, LimitReach } from './edit-reach.ts'
import { KeptRequests } from './kept-request.ts'

interface Counter {
  readonly limit: LimitReach
  readonly busy: BusyActors
}

/** One side of an edit, as far as a request by itself says. */
interface Side {
  readonly engine: Engine
  readonly guards: readonly Guard[]
}

/** Finds the groups of actors that an edit reaches: some it does not reach may be among them, never fewer. */
export class ReachedActors {
  readonly #reach: EditReach
  readonly #sides: readonly [Side, Side] | undefined
  readonly #overall: readonly Counter[]
  readonly #onRoutes: readonly Counter[]
  readonly #requests = new KeptRequests()
  readonly #tokens = new Set<number>()

  private constructor(reach: EditReach, sides: readonly [Side, Side] | undefined) {
    this.#reach = reach
    this.#sides = sides
    const counters = reach.limits.map(limit => ({ limit, busy: new BusyActors(limit.span, limit.most) }))
    this.#overall = counters.filter(({ limit }) => limit.routes === undefined)
    this.#onRoutes = counters.filter(({ limit }) => limit.routes !== undefined)
  }

  /** @throws ConfigError for what only shows when a configuration is put together */
  static async of(reach: EditReach, before: LoadedConfig, after: LoadedConfig): Promise<ReachedActors> {
    const mustLook =
      reach.parts.size > 0 || reach.hasOtherRoutes || reach.limits.some(({ routes }) => routes !== undefined)
    if (!mustLook || reach.everything !== undefined) return new ReachedActors(reach, undefined)
    const clock = new VirtualClock(0)
    const side = async (loaded: LoadedConfig): Promise<Side> => ({
      engine: new GuardedEngine({
        routes: loaded.config.routes.table,
        clock,
        trustedProxies: loaded.config.trustProxies,
      }),
      guards: await plainGuards(loaded, reach.parts, clock),
    })
    return new ReachedActors(reach, [await side(before), await side(after)])
  }

  /** Whether requests must be opened to say whom the edit reaches. */
  get mustLook(): boolean {
    return this.#sides !== undefined
  }

  /** Counts what is said of a request without opening it. */
  count(head: PageHead, row: number): void {
    for (const { limit, busy } of this.#overall) {
      const token = tokenOf(head, row, limit.by)
      if (token !== undefined && busy.add(token, head.times[row] ?? 0))
        this.#tokens.add(head.networks[row] ?? 0)
    }
  }

  /** Looks at a request. @returns whether the edit reaches it */
  async look(request: PagedRequest, head: PageHead, row: number): Promise<boolean> {
    if (this.#sides === undefined) return false
    const [one, other] = this.#sides
    const source = this.#requests.source(request)
    const before = opened(one, source, request)
    const after = opened(other, source, request)
    if (this.#reach.hasOtherRoutes && before.route?.pattern !== after.route?.pattern) return true
    for (const { limit, busy } of this.#onRoutes) {
      const token = tokenOf(head, row, limit.by)
      if (token === undefined || limit.routes?.match(before.method, before.path.canonical) === undefined)
        continue
      if (busy.add(token, request.time)) return true
    }
    if (one.guards.length === 0 && other.guards.length === 0) return false
    const said = answerOf(one, before)
    const wouldSay = answerOf(other, after)
    if (said === '' && wouldSay === '') return false
    return (await said) !== (await wouldSay)
  }

  /** The groups that were reached by what `count` found. */
  groups(actors: ActorGroups): Set<number> {
    return new Set([...this.#tokens].flatMap(token => actors.ofToken(token) ?? []))
  }
}

function opened(
  { engine }: Side,
  source: Parameters<Engine['open']>[0],
  { principal }: PagedRequest,
): Exchange {
  const exchange = engine.open(source)
  if (principal !== undefined) exchange.setPrincipal(principal)
  return exchange
}

/** What the guards say, as text; empty where all of them allow, which nearly always is said at once. */
function answerOf({ guards }: Side, exchange: Exchange): string | Promise<string> {
  let text = ''
  for (let i = 0; i < guards.length; i++) {
    const guard = guards[i] as Guard
    const said = guard.decide(exchange)
    if (said instanceof Promise) return answerLater(guards, i, said, text, exchange)
    if (said.effect !== 'allow') text += textOf(guard, said)
  }
  return text
}

async function answerLater(
  guards: readonly Guard[],
  at: number,
  pending: ReturnType<Guard['decide']>,
  so: string,
  exchange: Exchange,
): Promise<string> {
  let text = so
  for (let i = at; i < guards.length; i++) {
    const guard = guards[i] as Guard
    const said = await (i === at ? pending : guard.decide(exchange))
    if (said.effect !== 'allow') text += textOf(guard, said)
  }
  return text
}

function textOf({ name, mode }: Guard, said: unknown): string {
  return `${name} ${mode} ${JSON.stringify(said)}\n`
}

function tokenOf(head: PageHead, row: number, by: CountedBy): number | undefined {
  switch (by) {
    case 'all':
      return 0
    case 'network':
      return head.networks[row]
    case 'principal':
      return head.principals[row] || undefined
    case 'tenant':
      return head.tenants[row] || undefined
  }
}
