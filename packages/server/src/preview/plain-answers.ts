import { isDeepStrictEqual } from 'node:util'
import type { LoadedConfig } from '@postern/config'
import type { PagedRequest } from '@postern/console'
import {
  type Engine,
  type Exchange,
  type Guard,
  Engine as GuardedEngine,
  HttpEvent,
  VirtualClock,
} from '@postern/core'
import { type MeasureCauses, PLAIN_PARTS, type PlainPart, plainGuards } from '@postern/runtime'
import type { EditReach } from './edit-reach.ts'
import { KeptRequests } from './kept-request.ts'

/** What is found out about a request by itself. */
export interface Looked {
  /** Whether the two configurations answer it otherwise, or for another route. */
  readonly differs: boolean
  /** Whether what becomes of it can change what becomes of others: it is refused, or a scenario counts it. */
  readonly isNotable: boolean
}

const PLAIN: Looked = { differs: false, isNotable: false }
const NOTABLE: Looked = { differs: false, isNotable: true }
const DIFFERENT: Looked = { differs: true, isNotable: true }

/** One side of an edit, as far as a request by itself says. */
interface Side {
  readonly engine: Engine
  /** Guards of the parts that the edit changes. */
  readonly changed: readonly Guard[]
}

/** Parts of which the guards keep nothing at an exchange, so that both sides may look at the same one. */
const WITHOUT_TRACE: ReadonlySet<PlainPart> = new Set(['clients', 'inspect'])

/** Says of requests by themselves what both configurations answer. */
export class PlainAnswers {
  readonly #reach: EditReach
  readonly #before: Side
  readonly #after: Side
  /** Guards that are the same on both sides; none where notable requests are not asked for. */
  readonly #same: readonly Guard[]
  readonly #causes: MeasureCauses | undefined
  readonly #isOneExchange: boolean
  readonly #requests = new KeptRequests()

  private constructor(options: {
    readonly reach: EditReach
    readonly sides: readonly [Side, Side]
    readonly same: readonly Guard[]
    readonly causes: MeasureCauses | undefined
    readonly isOneExchange: boolean
  }) {
    this.#reach = options.reach
    ;[this.#before, this.#after] = options.sides
    this.#same = options.same
    this.#causes = options.causes
    this.#isOneExchange = options.isOneExchange
  }

  /**
   * @param causes of measures; undefined where it is only asked whether answers differ
   * @throws ConfigError for what only shows when a configuration is put together
   */
  static async of(
    reach: EditReach,
    before: LoadedConfig,
    after: LoadedConfig,
    causes: MeasureCauses | undefined,
  ): Promise<PlainAnswers> {
    const clock = new VirtualClock(0)
    const side = async (loaded: LoadedConfig): Promise<Side> => ({
      engine: new GuardedEngine({
        routes: loaded.config.routes.table,
        clock,
        trustedProxies: loaded.config.trustProxies,
      }),
      changed: await plainGuards(loaded, reach.parts, clock),
    })
    const others = new Set(PLAIN_PARTS.filter(part => !reach.parts.has(part)))
    return new PlainAnswers({
      reach,
      sides: [await side(before), await side(after)],
      same: causes === undefined ? [] : await plainGuards(before, others, clock),
      causes,
      isOneExchange:
        isDeepStrictEqual(before.written.routes, after.written.routes) &&
        [...reach.parts].every(part => WITHOUT_TRACE.has(part)),
    })
  }

  /** The request as the present configuration sees it. */
  open(request: PagedRequest): Exchange {
    return opened(this.#before, this.#requests, request)
  }

  /** @param exchange of `open` */
  look(request: PagedRequest, exchange: Exchange): Looked | Promise<Looked> {
    const said = answerOf(this.#before.changed, exchange)
    if (!this.#isWithin(exchange)) return this.#rest(request, exchange, said, said)
    const after = this.#isOneExchange ? exchange : opened(this.#after, this.#requests, request)
    if (this.#reach.hasOtherRoutes && exchange.route?.pattern !== after.route?.pattern) return DIFFERENT
    return this.#rest(request, exchange, said, answerOf(this.#after.changed, after))
  }

  #rest(request: PagedRequest, exchange: Exchange, said: Answer, wouldSay: Answer): Looked | Promise<Looked> {
    if (typeof said !== 'string' || typeof wouldSay !== 'string')
      return Promise.all([said, wouldSay]).then(([a, b]) => this.#rest(request, exchange, a, b))
    if (said !== wouldSay) return DIFFERENT
    if (this.#causes === undefined) return PLAIN
    if (said !== '') return NOTABLE
    const same = answerOf(this.#same, exchange)
    if (typeof same === 'string') return this.#isNotable(request, exchange, same) ? NOTABLE : PLAIN
    return same.then(text => (this.#isNotable(request, exchange, text) ? NOTABLE : PLAIN))
  }

  #isNotable({ outcome }: PagedRequest, exchange: Exchange, answer: string): boolean {
    if (answer !== '') return true
    return this.#causes?.concern(new HttpEvent(exchange, { ...outcome, aborted: false })) === true
  }

  #isWithin({ method, path, methodOverrides }: Exchange): boolean {
    const { within } = this.#reach
    if (within === undefined) return true
    return within.match(method, path.canonical, path.raw, methodOverrides[0]?.method) !== undefined
  }
}

function opened({ engine }: Side, requests: KeptRequests, request: PagedRequest): Exchange {
  const exchange = engine.open(requests.source(request))
  if (request.principal !== undefined) exchange.setPrincipal(request.principal)
  return exchange
}

/** What guards say, as text; empty where all of them allow. */
type Answer = string | Promise<string>

/** Nearly always said at once. */
function answerOf(guards: readonly Guard[], exchange: Exchange): Answer {
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
