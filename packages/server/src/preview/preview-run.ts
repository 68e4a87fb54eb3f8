import type { LoadedConfig } from '@postern/config'
import {
  isInShare,
  type PagedRequest,
  type PageHead,
  type PreviewResult,
  type RequestPage,
  type TrafficStore,
} from '@postern/console'
import type { Exchange } from '@postern/core'
import { type MeasureCauses, measureCauses } from '@postern/runtime'
import { ActorGroups, GROUP, type GroupFates, type RowActors, type Sharing } from './actor-groups.ts'
import { NOBODY } from './actor-numbers.ts'
import { CountedActors } from './counted-actors.ts'
import { type EditReach, editReach, limitsOfBoth } from './edit-reach.ts'
import { type Gathered, Gathering, notableOf } from './gathered.ts'
import { inOrder } from './in-order.ts'
import { PlainAnswers } from './plain-answers.ts'
import { PreviewCount } from './preview-count.ts'
import type { ActorShare } from './preview-plan.ts'
import { type Decided, ReplayPair } from './replay-pair.ts'

export interface PreviewRunOptions {
  readonly traffic: Pick<TrafficStore, 'pages' | 'requestsFrom'>
  readonly before: LoadedConfig
  readonly after: LoadedConfig
  /** Epoch milliseconds. */
  readonly from: number
  /** Part of the work that is done here; all unless given. */
  readonly share?: ActorShare
  /** Gives what this thread gathered to the others, and brings what all did. Default: it is alone. */
  readonly meet?: (own: Gathered) => Promise<Gathered>
  /** What the change can reach. Default: as the two configurations say. */
  readonly reach?: EditReach | undefined
  readonly onProgress: (done: number, total: number) => void
}

/**
 * Compares what two configurations do to kept requests. What is readable without opening anything says who
 * may share state with whom, and who sent so much that a limit or a scenario could count to its end. Then
 * each request is opened once: does the change answer it otherwise by itself, and does any scenario count it?
 * Of actors whom the change reaches, those requests alone are replayed by both configurations, in order and
 * at their own times: the others are allowed on both sides as long as there is no remediation. Whoever sent
 * too much, or got a remediation on either side, is replayed whole. Everybody else is decided as before,
 * whatever that was. What was not kept is absent: bodies, most headers, masked parts of queries; rules over
 * those stay silent in both.
 */
export async function previewRun(options: PreviewRunOptions): Promise<PreviewResult> {
  const { before, after } = options
  const reach = options.reach ?? editReach(before, after)
  const run = new PreviewRun(options)
  if (reach === undefined) return run.unchanged()
  return reach.everything === undefined ? run.changed(reach) : run.everything(reach)
}

/** A request, and what both configurations decide about it. */
interface Redecided {
  readonly request: PagedRequest
  readonly decided: Decided
}

class PreviewRun {
  readonly #options: PreviewRunOptions
  readonly #count = new PreviewCount()
  readonly #share: ActorShare
  #actors: ActorGroups
  readonly #row: RowActors = { network: NOBODY, principal: NOBODY, tenant: NOBODY }
  #passes = 1
  #seen = 0
  #total = 0

  constructor(options: PreviewRunOptions) {
    this.#options = options
    this.#share = options.share ?? { index: 0, of: 1 }
    this.#actors = new ActorGroups('actors', this.#share)
  }

  /** Nothing is decided otherwise: everything is counted as it was decided. */
  async unchanged(): Promise<PreviewResult> {
    await this.#begin(1)
    for await (const { head } of this.#pages('heads')) {
      for (let row = 0; row < head.ids.length; row++)
        if (this.#isOwn(head, row)) this.#count.keep(head.weights[row] ?? 1, head.refused[row] === 1)
      this.#progress(head)
    }
    return this.#count.result()
  }

  async everything({ sharing }: EditReach): Promise<PreviewResult> {
    await this.#begin(2)
    await this.#group(sharing, undefined, new Gathering(1))
    await this.#replay('all', new Set())
    return this.#count.result()
  }

  async changed(reach: EditReach): Promise<PreviewResult> {
    const { before, after, meet = async (own: Gathered) => own } = this.#options
    const mustLook =
      reach.parts.size > 0 || reach.hasOtherRoutes || reach.limits.some(({ routes }) => routes !== undefined)
    const limits = reach.sharing === 'all' || !mustLook ? undefined : limitsOfBoth(before, after)
    const causes =
      limits === undefined || measureCauses(after) === undefined ? undefined : measureCauses(before)
    const counted = new CountedActors({
      reach,
      limits: causes === undefined ? [] : (limits ?? []),
      causes,
      share: this.#share,
    })
    await this.#begin(mustLook ? 3 : 2)
    const gathering = new Gathering(this.#share.of)
    await this.#group(reach.sharing, counted, gathering)
    if (mustLook) await this.#look(reach, causes, counted, gathering)
    const gathered = await meet(gathering.result)
    const groups = new Set(gathered.reached.flatMap(token => this.#actors.ofToken(token) ?? []))
    const settled = new Set<number>()
    if (causes !== undefined) await this.#settle(gathered, groups, settled)
    await this.#replay(groups, settled)
    return this.#count.result()
  }

  async #begin(passes: number): Promise<void> {
    this.#passes = passes
    this.#total = await this.#options.traffic.requestsFrom(this.#options.from)
  }

  #pages(what: 'heads' | 'whole', share?: ActorShare): AsyncIterable<RequestPage> {
    return this.#options.traffic.pages(this.#options.from, what, share)
  }

  /** Puts actors into groups, and counts what is said of requests without opening them. */
  async #group(sharing: Sharing, counted: CountedActors | undefined, into: Gathering): Promise<void> {
    const actors = new ActorGroups(sharing, this.#share)
    const ofRow = this.#row
    this.#actors = actors
    for await (const { head } of this.#pages('heads')) {
      for (let row = 0; row < head.ids.length; row++) {
        if (!this.#isWanted(head, row)) continue
        actors.add(head, row, ofRow)
        counted?.count(head, row, ofRow, actors, into)
      }
      this.#progress(head)
    }
  }

  /** Opens this thread's requests: whom does the change reach, and which of them can matter to others? */
  async #look(
    reach: EditReach,
    causes: MeasureCauses | undefined,
    counted: CountedActors,
    into: Gathering,
  ): Promise<void> {
    const { before, after } = this.#options
    const answers = await PlainAnswers.of(reach, before, after, causes)
    for await (const page of this.#pages('whole', this.#share)) {
      const { head } = page
      const requests = await page.open(row => this.#isOwn(head, row))
      for (let row = 0; row < requests.length; row++) {
        const request = requests[row]
        if (request === undefined) continue
        const exchange = answers.open(request)
        this.#countOnRoutes(head, row, exchange, counted, into)
        const looked = answers.look(request, exchange)
        const { differs, isNotable } = looked instanceof Promise ? await looked : looked
        const network = head.networks[row] ?? 0
        if (differs) into.reach(network)
        if (isNotable && causes !== undefined) into.remember(network, request)
      }
      this.#progress(head, this.#share.of)
    }
  }

  #countOnRoutes(
    head: PageHead,
    row: number,
    exchange: Exchange,
    counted: CountedActors,
    into: Gathering,
  ): void {
    if (!counted.hasRoutes) return
    this.#actors.find(head, row, this.#row)
    counted.countOnRoutes(head, row, this.#row, exchange, into)
  }

  /**
   * Replays, of actors whom the change reaches and who did not send too much, the requests that can matter.
   * Those who get no remediation by that are settled and leave the groups.
   */
  async #settle(gathered: Gathered, groups: Set<number>, settled: Set<number>): Promise<void> {
    const { before, after, from } = this.#options
    const busy = new Set(gathered.busy.flatMap(token => this.#actors.ofToken(token) ?? []))
    const isWanted = (network: number): boolean => {
      const group = this.#actors.ofToken(network)
      return group !== undefined && this.#actors.isOwn(group) && groups.has(group) && !busy.has(group)
    }
    const notable = notableOf(gathered, isWanted)
    if (notable.length === 0) return
    const pair = await ReplayPair.of(before, after, from)
    const found = new Map<number, Redecided[]>()
    for (const { network, request } of notable) {
      const group = this.#actors.ofToken(network) ?? 0
      const said = pair.decide(request)
      const decided = said instanceof Promise ? await said : said
      const list = found.get(group)
      if (list === undefined) found.set(group, [{ request, decided }])
      else list.push({ request, decided })
    }
    for (const [group, list] of found) {
      if (list.some(({ decided }) => decided.isMeasured)) continue
      groups.delete(group)
      for (const { request, decided } of list) {
        settled.add(request.id)
        this.#count.add(request, decided.was, decided.will)
      }
    }
  }

  /** @param settled numbers of requests that are counted already */
  async #replay(groups: ReadonlySet<number> | 'all', settled: ReadonlySet<number>): Promise<void> {
    const { from, before, after } = this.#options
    const fates = this.#actors.fates(groups)
    const pair = fates.replaysAny ? await ReplayPair.of(before, after, from) : undefined
    const open = (page: RequestPage): Promise<readonly PagedRequest[]> => {
      this.#progress(page.head)
      return this.#openReached(page, fates, settled)
    }
    for await (const requests of inOrder(this.#pages(pair === undefined ? 'heads' : 'whole'), open)) {
      for (const request of requests) {
        const said = pair?.decide(request)
        const decided = said instanceof Promise ? await said : said
        this.#count.add(request, decided?.was, decided?.will)
      }
    }
  }

  /** The requests that are decided again; the others are counted as they were decided. */
  async #openReached(
    page: RequestPage,
    fates: GroupFates,
    settled: ReadonlySet<number>,
  ): Promise<readonly PagedRequest[]> {
    const { head } = page
    const wanted = new Uint8Array(head.ids.length)
    let isAnyWanted = false
    for (let row = 0; row < head.ids.length; row++) {
      if (!this.#isWanted(head, row)) continue
      const fate = fates.of(head.networks[row] as number)
      if (fate === GROUP.replayed) {
        wanted[row] = 1
        isAnyWanted = true
      } else if (fate === GROUP.kept && !settled.has(head.ids[row] as number))
        this.#count.keep(head.weights[row] as number, head.refused[row] === 1)
    }
    if (!isAnyWanted) return []
    const rows = await page.open(row => wanted[row] === 1)
    return rows.filter(request => request !== undefined)
  }

  #isWanted({ times }: PageHead, row: number): boolean {
    return (times[row] ?? 0) >= this.#options.from
  }

  #isOwn(head: PageHead, row: number): boolean {
    return this.#isWanted(head, row) && isInShare(head.ids[row] as number, this.#share)
  }

  /** Each pass counts alike. @param readers that share the pages of this pass */
  #progress({ ids }: PageHead, readers = 1): void {
    const { of } = this.#share
    this.#seen += ids.length * readers
    const done = Math.min(this.#total, this.#seen / this.#passes)
    this.#options.onProgress(Math.floor(done / of), Math.ceil(this.#total / of))
  }
}
