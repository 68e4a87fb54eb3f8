import type { LoadedConfig } from '@postern/config'
import type { PagedRequest, PageHead, PreviewResult, RequestPage, TrafficStore } from '@postern/console'
import { type Engine, type Refusal, VirtualClock } from '@postern/core'
import { type ReplayEngine, replayEngine } from '@postern/runtime'
import { ActorGroups } from './actor-groups.ts'
import { type EditReach, editReach } from './edit-reach.ts'
import { inOrder } from './in-order.ts'
import { KeptRequests } from './kept-request.ts'
import { PreviewCount } from './preview-count.ts'
import type { ActorShare } from './preview-plan.ts'
import { ReachedActors } from './reached-actors.ts'

export interface PreviewRunOptions {
  readonly traffic: Pick<TrafficStore, 'pages' | 'requestsFrom'>
  readonly before: LoadedConfig
  readonly after: LoadedConfig
  /** Epoch milliseconds. */
  readonly from: number
  /** Part of the actors whose requests are decided here; all unless given. */
  readonly share?: ActorShare
  /** What the change can reach. Default: as the two configurations say. */
  readonly reach?: EditReach | undefined
  readonly onProgress: (done: number, total: number) => void
}

/**
 * Compares what two configurations do to kept requests. Three passes: who may share state with whom,
 * from what
 * is readable without opening anything; which of these groups the change can reach; and a replay by both, in
 * order and on the requests' own time, of those groups alone. Everybody else is decided as before, whatever
 * that was. What was not kept is absent: bodies, most headers, masked parts of queries; rules over those stay
 * silent in both.
 */
export async function previewRun(options: PreviewRunOptions): Promise<PreviewResult> {
  const { before, after } = options
  const reach = options.reach ?? editReach(before, after)
  const run = new PreviewRun(options, reach)
  return run.result()
}

class PreviewRun {
  readonly #options: PreviewRunOptions
  readonly #reach: EditReach | undefined
  readonly #actors: ActorGroups
  readonly #count = new PreviewCount()
  readonly #share: ActorShare
  #passes = 1
  #seen = 0
  #total = 0

  constructor(options: PreviewRunOptions, reach: EditReach | undefined) {
    this.#options = options
    this.#reach = reach
    this.#actors = new ActorGroups(reach?.sharing ?? 'actors')
    this.#share = options.share ?? { index: 0, of: 1 }
  }

  async result(): Promise<PreviewResult> {
    const { traffic, from, before, after } = this.#options
    this.#total = await traffic.requestsFrom(from)
    const reached = this.#reach === undefined ? undefined : await ReachedActors.of(this.#reach, before, after)
    this.#passes = reached === undefined ? 2 : reached.mustLook ? 3 : 2
    await this.#group(reached)
    const groups = reached?.groups(this.#actors) ?? new Set<number>()
    if (reached?.mustLook === true) await this.#look(reached, groups)
    await this.#replay(groups)
    return this.#count.result()
  }

  /** Puts actors into groups, and counts what is said of requests without opening them. */
  async #group(reached: ReachedActors | undefined): Promise<void> {
    const { traffic, from } = this.#options
    for await (const { head } of traffic.pages(from, 'heads')) {
      for (let row = 0; row < head.ids.length; row++) {
        if ((head.times[row] ?? 0) < from) continue
        this.#actors.add(head, row)
        reached?.count(head, row)
      }
      this.#progress(head)
    }
  }

  /** Opens requests of groups that are not known to be reached. */
  async #look(reached: ReachedActors, groups: Set<number>): Promise<void> {
    for await (const page of this.#options.traffic.pages(this.#options.from, 'whole')) {
      const { head } = page
      const requests = await page.open(row => {
        const group = this.#ownGroup(head, row)
        return group !== undefined && !groups.has(group)
      })
      for (let row = 0; row < requests.length; row++) {
        const request = requests[row]
        if (request === undefined) continue
        const group = this.#actors.of(head, row)
        if (group === undefined || groups.has(group)) continue
        if (await reached.look(request, head, row)) groups.add(group)
      }
      this.#progress(head)
    }
  }

  async #replay(groups: ReadonlySet<number>): Promise<void> {
    const { traffic, from, before, after } = this.#options
    const isAll = this.#reach?.everything !== undefined
    const isNone = !isAll && groups.size === 0
    const decide = isNone ? undefined : [await deciderOf(before, from), await deciderOf(after, from)]
    const open = (page: RequestPage): Promise<readonly PagedRequest[]> => {
      this.#progress(page.head)
      return this.#openReached(page, isAll ? undefined : groups)
    }
    for await (const requests of inOrder(traffic.pages(from, isNone ? 'heads' : 'whole'), open)) {
      for (const request of requests) {
        const was = decide?.[0]?.(request)
        const will = decide?.[1]?.(request)
        this.#count.add(
          request,
          was instanceof Promise ? await was : was,
          will instanceof Promise ? await will : will,
        )
      }
    }
  }

  /** The requests that are decided again; the others are counted as they were decided. */
  async #openReached(
    page: RequestPage,
    groups: ReadonlySet<number> | undefined,
  ): Promise<readonly PagedRequest[]> {
    const { head } = page
    const wanted = new Set<number>()
    for (let row = 0; row < head.ids.length; row++) {
      const group = this.#ownGroup(head, row)
      if (group === undefined) continue
      if (groups === undefined || groups.has(group)) wanted.add(row)
      else this.#count.keep(head.weights[row] ?? 1, head.refused[row] === 1)
    }
    if (wanted.size === 0) return []
    const rows = await page.open(row => wanted.has(row))
    return rows.flatMap(request => request ?? [])
  }

  /** The group of a request, where it is one of this share's. */
  #ownGroup(head: PageHead, row: number): number | undefined {
    if ((head.times[row] ?? 0) < this.#options.from) return undefined
    const group = this.#actors.of(head, row)
    return group === undefined || group % this.#share.of !== this.#share.index ? undefined : group
  }

  /** Each thread goes through all pages, and is as far as its passes are. */
  #progress({ ids }: PageHead): void {
    const { of } = this.#share
    this.#seen += ids.length
    const done = Math.min(this.#total, this.#seen / this.#passes)
    this.#options.onProgress(Math.floor(done / of), Math.ceil(this.#total / of))
  }
}

type Decide = (request: PagedRequest) => Refusal | undefined | Promise<Refusal | undefined>

async function deciderOf(loaded: LoadedConfig, start: number): Promise<Decide> {
  const make: ReplayEngine = replayEngine(loaded, { access: 'decide' })
  const clock = new VirtualClock(start)
  const engine = await make(clock)
  const requests = new KeptRequests()
  return request => decide(engine, clock, request, requests)
}

function decide(
  engine: Engine,
  clock: VirtualClock,
  request: PagedRequest,
  requests: KeptRequests,
): Refusal | undefined | Promise<Refusal | undefined> {
  clock.advance(Math.max(0, request.time - clock.now()))
  const exchange = engine.open(requests.source(request))
  if (request.principal !== undefined) exchange.setPrincipal(request.principal)
  const said = engine.decide(exchange)
  const settle = (): Refusal | undefined => {
    const { decision } = exchange
    const { status, duration, bytes } = request.outcome
    const isAllowed = decision.effect === 'allow'
    engine.settle(exchange, {
      status: isAllowed ? status : decision.status,
      duration,
      bytes,
      aborted: false,
    })
    // What observe mode would refuse is what a preview is about.
    return isAllowed ? exchange.observed : decision
  }
  return said instanceof Promise ? said.then(settle) : settle()
}
