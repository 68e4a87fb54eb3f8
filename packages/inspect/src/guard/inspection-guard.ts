import {
  ALLOW,
  type Decision,
  type Exchange,
  type Guard,
  isLoopback,
  type Mode,
  narrowestPattern,
  type Refusal,
} from '@postern/core'
import { restReader } from '../body/rest-reader.ts'
import type { Bounds } from '../bounds/bounds.ts'
import { DEFAULT_BOUNDS } from '../bounds/bounds.ts'
import { OwnCookies } from '../headers/own-cookies.ts'
import { beginInspection, ownRuleSet } from '../inspect.ts'
import type { OngoingInspection } from '../inspector/ongoing-inspection.ts'
import { RestWatch } from '../inspector/rest-watch.ts'
import type { SecondOpinion } from '../loaders/native-appsec.ts'
import { RuleSet } from '../matching/rule-set.ts'
import type { InspectedRequest } from '../request/inspected-request.ts'
import type { Level } from '../rule/family.ts'
import type { Inspection } from '../rule/match.ts'
import type { Rule } from '../rule/rule.ts'
import { shippedRequirements } from '../rules/shipped-requirements.ts'
import {
  type CompiledException,
  compileExceptions,
  type ExceptionTest,
  type InspectException,
} from '../settings/exception.ts'
import type { InspectSettings } from '../settings/inspect-settings.ts'
import {
  compileParameterTypes,
  layeredTypes,
  type ParameterSettings,
  type ParameterTypes,
} from '../value/parameter-types.ts'
import { inspectionRefusal, unreadRefusal, withUnreadRest } from './inspection-refusal.ts'
import { pageExceptions } from './page-exceptions.ts'
import { isUnreadRestHarmless } from './unread-rest.ts'

/** How a guard inspects: level, exceptions, types of parameters and further rules. */
export interface InspectionOptions {
  /** Default 1: near-certain attacks only. */
  readonly level?: Level
  /** Overrides the engine's mode. */
  readonly mode?: Mode
  readonly except?: readonly InspectException[]
  /** What parameters hold on every route; a route's own `parameters` count first. */
  readonly parameters?: ParameterSettings
  /**
   * What a description of the application (OpenAPI) says of the parameters of a request, asked at every
   * request; what is declared counts first, what was learned last.
   */
  readonly described?: (exchange: Exchange) => ParameterTypes | undefined
  /**
   * What was learned of the parameters of a route (`GET /items/:id`), asked at every request; what is
   * declared counts first.
   */
  readonly learned?: (route: string) => ParameterTypes | undefined
  /** Further rules, e.g. loaded ones. */
  readonly rules?: readonly Rule[]
  readonly bounds?: Partial<Bounds>
  /** Asked about requests that our own rules let pass: `nativeOpinion`. */
  readonly secondOpinion?: SecondOpinion
  /** Receives every inspection that found something, refused or not. Must not throw. */
  readonly onInspection?: (exchange: Exchange, inspection: Inspection) => void
  /** Lets others run between two slices. Default: the next turn of the event loop. */
  readonly pause?: () => Promise<void>
  /** Milliseconds of a clock that never goes back. Default `performance.now`. */
  readonly now?: () => number
  /** Milliseconds of CPU that this thread has used. Default `process.threadCpuUsage`. */
  readonly cpu?: () => number
  /**
   * Milliseconds of CPU that requests may take beyond `bounds.cpu`, in the life of the guard: rules are
   * compiled when they are first used. Default 1000.
   */
  readonly startUp?: number
}

type Report = InspectionOptions['onInspection']

/** For what is only asked what it would say. */
const unreported = (): void => {}

/** Several times what all rules took to be compiled on a slow machine. */
const START_UP = 1_000
/** How long inspection keeps the event loop at a time, in milliseconds. */
const SLICE = 4

interface Plan {
  readonly level: Level
  readonly except: readonly ExceptionTest[]
  readonly unread: 'stream' | 'refuse' | 'pass'
  readonly overBudget: 'refuse' | 'pass'
  readonly types: ParameterTypes | undefined
}

/**
 * The guard that reads requests for attacks. Answers at once when there is no body; with one, once its
 * start was read. A refusal is a 403, or a 413 for
 * what is too big to be read.
 *
 * @throws ConfigError for an exception that cannot be read
 */
export function inspectionGuard(options: InspectionOptions = {}): Guard {
  const bounds: Bounds = { ...DEFAULT_BOUNDS, ...options.bounds }
  const rules =
    options.rules === undefined
      ? ownRuleSet
      : new RuleSet([...ownRuleSet.rules, ...options.rules], shippedRequirements)
  rules.prepare()
  const exceptions = compileExceptions(options.except ?? [], 'inspect.except')
  const level = options.level ?? 1
  const everywhere: Plan = {
    level,
    except: exceptions.filter(exception => exception.route === undefined).map(exception => exception.test),
    unread: 'stream',
    overBudget: 'refuse',
    types:
      options.parameters === undefined
        ? undefined
        : compileParameterTypes(options.parameters, 'inspect.parameters'),
  }
  const pause = options.pause ?? nextTurn
  let turn: Promise<void> = Promise.resolve()
  /** However many requests are inspected in slices, one slice is taken at a time. */
  const ownTurn = (): Promise<void> => {
    turn = turn.then(pause)
    return turn
  }
  const now = options.now ?? (() => performance.now())
  const startUp = { left: options.startUp ?? START_UP }
  const slice = { milliseconds: SLICE, now, cpu: options.cpu ?? threadCpu, startUp }
  const ownCookies = new OwnCookies()
  const routed = exceptions.filter(exception => exception.route !== undefined)
  const plans = new WeakMap<InspectSettings, Plan>()

  function planOf(exchange: Exchange): Plan | undefined {
    const settings = exchange.route?.settings.inspect
    if (settings === false) return undefined
    const plan = settings === undefined ? everywhere : compiled(settings)
    if (exceptions.length === 0) return plan
    const here = routed
      .filter(exception => exception.route?.(exchange.method, exchange.path.canonical) === true)
      .map(exception => exception.test)
    const more = [...here, ...pageExceptions(exchange, exceptions)]
    return more.length === 0 ? plan : { ...plan, except: [...plan.except, ...more] }
  }

  function compiled(settings: InspectSettings): Plan {
    let plan = plans.get(settings)
    if (plan === undefined) {
      const own: readonly CompiledException[] = compileExceptions(
        settings.except ?? [],
        'routes.inspect.except',
      )
      plan = {
        level: settings.level ?? level,
        except: [...everywhere.except, ...own.map(exception => exception.test)],
        unread: settings.unread ?? 'stream',
        overBudget: settings.overBudget ?? 'refuse',
        types:
          settings.parameters === undefined
            ? everywhere.types
            : layered(
                compileParameterTypes(settings.parameters, 'routes.inspect.parameters'),
                everywhere.types,
              ),
      }
      plans.set(settings, plan)
    }
    return plan
  }

  function look(
    exchange: Exchange,
    plan: Plan,
    body: Uint8Array | undefined,
    report: Report = options.onInspection,
  ): Decision | Promise<Decision> {
    const request = {
      method: exchange.method,
      target: exchange.source.target,
      headers: exchange.headers,
      body,
      ownPort: isLocal(exchange) ? exchange.source.localPort : undefined,
      known: exchange.knownTarget,
    }
    const { level: planned, except } = plan
    const types = typesOf(exchange, plan)
    const ongoing = beginInspection(
      request,
      { level: planned, bounds, except, rules, ownCookies: ownCookies.names, types },
      slice,
    )
    if (ongoing.advance(0, now)) return decided(exchange, request, plan, ongoing, report)
    return inSlices(exchange, request, plan, ongoing, report)
  }

  async function inSlices(
    exchange: Exchange,
    request: InspectedRequest,
    plan: Plan,
    ongoing: OngoingInspection,
    report: Report,
  ): Promise<Decision> {
    do await ownTurn()
    while (!ongoing.advance(SLICE, now))
    return decided(exchange, request, plan, ongoing, report)
  }

  function decided(
    exchange: Exchange,
    request: InspectedRequest,
    plan: Plan,
    ongoing: OngoingInspection,
    report: Report,
  ): Decision {
    const own = ongoing.finish()
    exchange.isInert = !ongoing.mayAct
    const inspection = own.verdict === 'pass' ? seconded(request, own, plan) : own
    if (inspection.matches.length > 0) report?.(exchange, inspection)
    if (inspection.verdict === 'pass') return ALLOW
    if (plan.overBudget === 'pass' && isOnlyOverBudget(inspection)) return ALLOW
    return inspectionRefusal(inspection, plan.level, exchange)
  }

  function typesOf(exchange: Exchange, plan: Plan): ParameterTypes | undefined {
    const declared = layered(plan.types, options.described?.(exchange))
    const { route } = exchange
    if (options.learned === undefined || route === undefined) return declared
    return layered(declared, options.learned(routeKey(exchange.method, route.pattern)))
  }

  function seconded(request: InspectedRequest, own: Inspection, plan: Plan): Inspection {
    const matches = (options.secondOpinion?.(request) ?? []).filter(
      match => !plan.except.some(test => test(match.rule, match.location)),
    )
    return matches.length === 0 ? own : { verdict: 'block', matches: [...matches, ...own.matches] }
  }

  /** The decision about a body whose start was inspected, and which goes on. */
  async function withRest(
    exchange: Exchange,
    plan: Plan,
    start: Uint8Array,
    decision: Decision,
  ): Promise<Decision> {
    if (plan.unread === 'pass') return decision
    const type = exchange.header('content-type') ?? ''
    const isHarmless = isUnreadRestHarmless(start, type)
    if (decision.effect !== 'allow')
      return isHarmless || mayStream(exchange, plan) ? decision : withUnreadRest(decision, exchange)
    const mayGoOn = isHarmless || plan.unread === 'stream'
    const isWatched = mayGoOn && (await watchRest(exchange, plan, start, type))
    return isWatched || isHarmless ? decision : unreadRefusal(exchange)
  }

  /** Inspects the rest of a body as it goes by. @returns false where that cannot be done */
  function watchRest(
    exchange: Exchange,
    plan: Plan,
    start: Uint8Array,
    type: string,
  ): boolean | Promise<boolean> {
    if (isEncoded(exchange)) return false
    const reader = restReader(Buffer.from(start.buffer, start.byteOffset, start.length), type, bounds.depth)
    // Bytes that are not text: only their start says anything.
    if (reader === undefined) return true
    const inspection = {
      rules,
      level: plan.level,
      bounds,
      except: plan.except,
      types: typesOf(exchange, plan),
      ownPort: isLocal(exchange) ? exchange.source.localPort : undefined,
      cpu: undefined,
      method: exchange.method,
      route: () => narrowestPattern(exchange),
    }
    let isTold = false
    const judge = (found: Inspection): Refusal | undefined => {
      const passes = found.verdict === 'pass' || (plan.overBudget === 'pass' && isOnlyOverBudget(found))
      if (!passes || !isTold) options.onInspection?.(exchange, found)
      isTold = true
      return passes ? undefined : inspectionRefusal(found, plan.level, exchange)
    }
    const slices = { ...slice, turn: ownTurn }
    return exchange.watchBody(new RestWatch({ reader, inspection, slices, judge }), options.mode)
  }

  return {
    name: 'inspect',
    failure: 'closed',
    ...(options.mode === undefined ? {} : { mode: options.mode }),
    decide(exchange: Exchange): Decision | Promise<Decision> {
      const plan = planOf(exchange)
      if (plan === undefined) return ALLOW
      if (!exchange.hasBody) return look(exchange, plan, undefined)
      return exchange.readBody().then(async ({ bytes, complete }) => {
        const looked = look(exchange, plan, bytes)
        const decision = looked instanceof Promise ? await looked : looked
        // What follows may hold anything.
        if (!complete) exchange.isInert = false
        return complete ? decision : withRest(exchange, plan, bytes, decision)
      })
    },
    wouldRefuse(exchange: Exchange): Decision | Promise<Decision> {
      const plan = planOf(exchange)
      if (plan === undefined) return ALLOW
      if (!exchange.hasBody) return look(exchange, plan, undefined, unreported)
      return exchange.readBody().then(async ({ bytes, complete }) => {
        const decision = await look(exchange, plan, bytes, unreported)
        if (complete || plan.unread === 'pass' || mayStream(exchange, plan)) return decision
        if (isUnreadRestHarmless(bytes, exchange.header('content-type') ?? '')) return decision
        return decision.effect === 'allow' ? unreadRefusal(exchange) : withUnreadRest(decision, exchange)
      })
    },
    onAnswer(exchange, head): void {
      for (const cookie of head.getAll('set-cookie')) ownCookies.learn(cookie, exchange.client)
    },
  }
}

/** Whether the rest of a body may go on, and can be inspected as it goes by. */
function mayStream(exchange: Exchange, plan: Plan): boolean {
  return plan.unread === 'stream' && exchange.source.body?.watch !== undefined && !isEncoded(exchange)
}

function isEncoded(exchange: Exchange): boolean {
  return (exchange.header('content-encoding') ?? 'identity') !== 'identity'
}

/** Milliseconds of CPU that this thread has used: what others do on the machine is not counted. */
function threadCpu(): number {
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1_000
}

/** The next turn of the event loop: what waits on sockets comes first. */
function nextTurn(): Promise<void> {
  return new Promise(resolve => setImmediate(resolve))
}

function layered(
  first: ParameterTypes | undefined,
  second: ParameterTypes | undefined,
): ParameterTypes | undefined {
  return first === undefined ? second : second === undefined ? first : layeredTypes(first, second)
}

/** The name of a route in what was learned: its method and pattern. */
function routeKey(method: string, pattern: string): string {
  return pattern.startsWith('/') ? `${method === 'HEAD' ? 'GET' : method} ${pattern}` : pattern
}

function isOnlyOverBudget({ verdict, matches }: Inspection): boolean {
  return (
    verdict === 'too-big' &&
    matches.every(match => match.family !== 'bounds' || match.rule === 'bounds/effort')
  )
}

/** Whether both the connection and the client behind it are on this machine. */
function isLocal(exchange: Exchange): boolean {
  return isLoopback(exchange.peer) && isLoopback(exchange.client)
}
