import type { Acting } from '@postern/access'
import { actingAs } from '@postern/access/start'
import type { CompiledConfig, LoadedConfig } from '@postern/config'
import {
  type AnswerStyle,
  type Around,
  type Detector,
  Engine,
  type Event,
  type Exchange,
  type Guard,
  HttpEvent,
  type RecordTime,
} from '@postern/core'
import { type CorsOptions, corsGuard, corsHeadersOf } from '@postern/protocol'
import { type FailurePolicy, local, type Throttle, throttle } from '@postern/throttle'
import type { ForeignRules } from '../content/foreign-rules.ts'
import { honeyRemediations } from '../detection/honey-remediations.ts'
import { scenarioFileOf } from '../detection/scenario-file.ts'
import { untrustedForwardingGuard } from '../forwarding/untrusted-forwarding.ts'
import { accessGuards } from '../guards/access-guards.ts'
import { arrivalGuards, PLAIN_METHODS } from '../guards/arrival-guards.ts'
import { contentGuard } from '../guards/content-guard.ts'
import { identification } from '../guards/identification.ts'
import { parameterGuards } from '../guards/parameter-guards.ts'
import { rememberingGuard } from '../guards/remembering-guard.ts'
import { NO_SIGN_IN, signInGuards } from '../guards/sign-in-guards.ts'
import { traceGuard } from '../guards/trace-guard.ts'
import { overridableLimits } from '../limits/overridable-limits.ts'
import type { Resources } from '../resources/resources.ts'
import { refusalStyle } from './refusal-style.ts'

/** A configuration compiled: immutable, ready to be asked. */
export interface Compiled {
  readonly loaded: LoadedConfig
  readonly engine: Engine
  readonly throttle: Throttle
  /** Inspection rules of others: in force, and not understood. */
  readonly foreign: Pick<ForeignRules, 'loaded' | 'skipped'>
}

/**
 * Compiles a checked configuration over the long-lived resources: routes into a table, limits into a guard,
 * guards in the order in which they are asked: bans on addresses, HTTP itself, limits on addresses; who acts,
 * bans and limits on principals; other sites and login defence; guards of the application; access; content.
 * Cheap checks first, so that a flood costs little.
 * @param purpose a replay sends no headers, calls nothing of the application, and remembers what inspection
 * said of equal lines
 * @throws ConfigError for what only shows when it is put together
 */
export function buildEngine(
  loaded: LoadedConfig,
  resources: Resources,
  purpose: 'serve' | 'replay' = 'serve',
): Compiled {
  const config = purpose === 'replay' ? withoutExtensions(loaded.config) : loaded.config
  const { clock } = resources
  const isStaged = config.identify !== undefined || resources.identity !== undefined
  const routes = config.routes.table
  const emit = (event: Event): void => engine.emit(event)
  const limits = limitsOf(config, resources, purpose, isStaged ? 'two' : 'one', emit)
  const remediationOptions = { secret: resources.secret, clock, fileOf: scenarioFileOf(loaded) }
  const signIn = purpose === 'replay' ? NO_SIGN_IN : signInGuards(config, resources, emit)
  const cors = corsOf(config)
  const arrival = arrivalGuards(config, resources, {
    ...remediationOptions,
    actors: isStaged ? 'arrival' : 'all',
  })
  const identify = identification(config, resources, limits, remediationOptions, emit)
  const access = accessGuards(config, resources)
  const content = contentGuard(config, loaded, resources, purpose === 'serve' ? emit : undefined)
  const guards: readonly Guard[] = [
    ...(purpose === 'serve' ? [untrustedForwardingGuard(emit), ...watchesOf(config, resources)] : []),
    ...(purpose === 'serve' && cors !== undefined ? [corsGuard(cors)] : []),
    ...signIn.first,
    ...arrival,
    limits,
    ...signIn.beforeIdentify,
    ...identify.guards,
    ...signIn.last,
    ...config.guards,
    // The page that signs in: login defence and the application's guards are asked before it, rules of routes
    // after it, so that a rule for every route does not stand before it.
    ...(resources.identity === undefined ? [] : [resources.identity.guard]),
    ...access.guards,
    ...parameterGuards(loaded, resources.learner),
    ...inspectionOf(content.guard, purpose),
  ]
  const { identified } = identify
  const engine = new Engine({
    guards,
    ...(identified !== undefined && { identified }),
    detectors: detectorsOf(config, resources),
    remediations: honeyRemediations(resources.remediations, config.honey.for),
    mode: config.mode,
    timing: timingOf(config, purpose),
    routes,
    trustedProxies: config.trustProxies,
    bodyLimit: config.bodyLimit,
    record: recordTime(config),
    clock,
    style: styleOf(loaded, cors),
    probes: [...resources.probes, limits],
    ...(resources.recorder !== undefined && { recorder: resources.recorder }),
    ...aroundHandlers(config, resources, exchange => access.actingIn(exchange)),
  })
  const { onEvent } = config
  // Loggers write what an object has of its own, and of a view that is next to nothing.
  if (onEvent !== undefined && resources.scenarios !== undefined)
    engine.listen(event => onEvent(event instanceof HttpEvent ? event.toJSON() : event))
  return { loaded, engine, throttle: limits, foreign: content.foreign }
}

/** Inspection; a replay remembers what it said of equal lines. */
function inspectionOf(guard: Guard | undefined, purpose: 'serve' | 'replay'): readonly Guard[] {
  if (guard === undefined) return []
  return [purpose === 'replay' ? rememberingGuard(guard) : guard]
}

/** The limits of the configuration, as a guard; a replay counts without shedding load or sending headers. */
function limitsOf(
  config: CompiledConfig,
  { limitStore, limitOverrides, clock }: Resources,
  purpose: 'serve' | 'replay',
  stages: 'one' | 'two',
  onEvent: (event: Event) => void,
): Throttle {
  return throttle({
    store: limitStore,
    limits: overridableLimits(config, limitOverrides, clock),
    headers: purpose === 'replay' ? 'none' : config.rateLimitHeaders,
    onEvent,
    ...(config.shed !== undefined && purpose === 'serve' && { overload: config.shed }),
    onStoreFailure: failurePolicy(config.stores.failure),
    stages,
  })
}

/** Those of the application run where scenarios do: on one thread, which sees the events of all. */
function detectorsOf(config: CompiledConfig, { scenarios, detectors }: Resources): readonly Detector[] {
  return scenarios === undefined ? detectors : [...detectors, ...config.detectors]
}

/** How refusals look: page and document, and the headers that pages of other origins need to read them. */
function styleOf(loaded: LoadedConfig, cors: ReturnType<typeof corsOf>): AnswerStyle {
  return {
    ...refusalStyle(loaded),
    ...(cors !== undefined && { headers: (exchange: Exchange) => corsHeadersOf(exchange, cors) }),
  }
}

/** What a handler's own calls must be able to find: who acts, and what the request carried. */
function aroundHandlers(
  config: CompiledConfig,
  { sinks }: Resources,
  actingIn: (exchange: Exchange) => Acting,
): { readonly around?: Around } {
  sinks?.follow(config)
  const isBudgeted = config.budgets !== undefined || config.budgetDatabase !== undefined
  const isWatched = sinks !== undefined && config.inspect !== false && config.inspect.sinks !== false
  if (!isWatched) {
    return isBudgeted ? { around: (exchange, work) => actingAs(actingIn(exchange), work) } : {}
  }
  if (!isBudgeted) return { around: (exchange, work) => sinks.around(exchange, work) }
  return {
    around: (exchange, work) => sinks.around(exchange, () => actingAs(actingIn(exchange), work)),
  }
}

/**
 * What sees connections of the application come and go, and what hands traces on; first, so that no
 * guard hides anything from it.
 */
function watchesOf({ telemetry }: CompiledConfig, { open }: Resources): readonly Guard[] {
  return [
    ...(open === undefined ? [] : [open]),
    ...(telemetry === undefined ? [] : [traceGuard(telemetry.sample)]),
  ]
}

/** Guards are timed where the console shows it. */
function timingOf({ console }: CompiledConfig, purpose: 'serve' | 'replay'): 'guards' | 'none' {
  return console === false || purpose === 'replay' ? 'none' : 'guards'
}

function corsOf({ cors, protocol, routes }: CompiledConfig): CorsOptions | undefined {
  if (cors === false && !routes.haveCors) return undefined
  return { cors, routes: routes.table, methods: protocol === false ? PLAIN_METHODS : protocol.methods }
}

/** A replay is about traffic that is over: what the application does with it must not happen again. */
function withoutExtensions({ identify: _, onEvent: __, ...rest }: CompiledConfig): CompiledConfig {
  return { ...rest, guards: [], detectors: [] }
}

/** One of several gateways cannot know how many they are; each then holds the whole limit by itself. */
function failurePolicy(failure: 'open' | 'closed' | 'local'): FailurePolicy {
  return failure === 'local' ? local({ share: 1 }) : failure
}

const READS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS'])

function isRead({ method, methodOverrides }: Exchange): boolean {
  return READS.has(method) && methodOverrides.every(override => READS.has(override.method))
}

/** A route's own word, else: reads are not written down, everything else as `audit.record` says. */
function recordTime(config: CompiledConfig): (exchange: Exchange) => RecordTime {
  const fallback = config.audit === false ? 'after' : config.audit.record
  return exchange => exchange.route?.settings.record ?? (isRead(exchange) ? 'none' : fallback)
}
