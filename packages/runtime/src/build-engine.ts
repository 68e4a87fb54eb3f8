import type { CompiledConfig, LoadedConfig } from '@postern/config'
import { Engine, type Event, type Exchange, type Guard, type RecordPromise } from '@postern/core'
import { inspectionGuard } from '@postern/inspect'
import { protocolGuard } from '@postern/protocol'
import { honeyGuard, remediationGuard } from '@postern/remediate'
import { type FailurePolicy, local, type Throttle, throttle } from '@postern/throttle'
import { accessGuards } from './access-guards.ts'
import { type ForeignRules, foreignRules } from './foreign-rules.ts'
import { honeyRemediations } from './honey-remediations.ts'
import { identification } from './identification.ts'
import { overridableLimits } from './overridable-limits.ts'
import { parameterGuards } from './parameter-guards.ts'
import { rememberingGuard } from './remembering-guard.ts'
import type { Resources } from './resources.ts'
import { scenarioFileOf } from './scenario-file.ts'
import { signInGuards } from './sign-in-guards.ts'

/** A configuration compiled: immutable, ready to be asked. */
export interface Compiled {
  readonly loaded: LoadedConfig
  readonly engine: Engine
  readonly throttle: Throttle
  /** Inspection rules of others: in force, and not understood. */
  readonly foreign: Pick<ForeignRules, 'loaded' | 'skipped'>
}

/**
 * Compiles a checked configuration over the long-lived resources: routes into a table, limits into a guard, guards in the order in which they
 * are asked: measures on addresses, HTTP itself, limits on addresses; who acts, measures and limits on principals; other sites and login
 * defence; guards of the application; content. Cheap checks first, so that a flood costs little.
 * @param purpose a replay sends no headers, calls nothing of the application, and remembers what inspection said of equal lines
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
  const limits = throttle({
    store: resources.limitStore,
    limits: overridableLimits(config, resources.limitOverrides, clock),
    headers: purpose === 'replay' ? 'none' : config.rateLimitHeaders,
    onEvent: emit,
    ...(config.shed !== undefined && purpose === 'serve' && { overload: config.shed }),
    onStoreFailure: failurePolicy(config.stores.failure),
    stages: isStaged ? 'two' : 'one',
  })
  const remediationOptions = { secret: resources.secret, clock, fileOf: scenarioFileOf(loaded) }
  const signIn = purpose === 'replay' ? undefined : signInGuards(config, resources, emit)
  const guards: Guard[] = [...(signIn?.first ?? [])]
  if (config.remediations !== false)
    guards.push(
      remediationGuard(resources.remediations, {
        ...remediationOptions,
        actors: isStaged ? 'arrival' : 'all',
      }),
    )
  if (config.protocol !== false) guards.push(protocolGuard({ ...config.protocol, routes }))
  if (hasTraps(config))
    guards.push(
      honeyGuard({
        ...config.honey,
        routes: config.routes.traps,
        remediations: resources.remediations,
      }),
    )
  guards.push(limits)
  const { guards: identifying, identified } = identification(config, resources, limits, remediationOptions)
  guards.push(...(signIn?.beforeIdentify ?? []), ...identifying, ...(signIn?.last ?? []), ...config.guards)
  // After login defence and the application's guards, which are asked before the page that signs in.
  if (resources.identity !== undefined) guards.push(resources.identity.guard)
  // After the page that signs in, so that a rule for every route does not stand before it.
  guards.push(...accessGuards(config, resources))
  guards.push(...parameterGuards(loaded, resources.learner))
  let foreign: Compiled['foreign'] = { loaded: 0, skipped: 0 }
  if (config.inspect !== false) {
    const { rules: _, secondOpinion: __, ...rest } = config.inspect
    const { options, ...counts } = foreignRules(config.inspect, loaded.file.folder)
    foreign = counts
    const types = resources.parameterTypes
    const inspection = inspectionGuard({
      ...(config.schema.inspect && types !== undefined && { learned: route => types.of(route) }),
      ...rest,
      ...options,
    })
    guards.push(purpose === 'replay' ? rememberingGuard(inspection) : inspection)
  }
  const engine = new Engine({
    guards,
    ...(identified !== undefined && { identified }),
    detectors:
      resources.scenarios === undefined ? resources.detectors : [...resources.detectors, ...config.detectors],
    remediations: honeyRemediations(resources.remediations, config.honey.for),
    mode: config.mode,
    routes,
    trustedProxies: config.trustProxies,
    bodyLimit: config.bodyLimit,
    promise: recordPromise(config),
    clock,
    probes: [...resources.probes, limits],
    ...(resources.recorder !== undefined && { recorder: resources.recorder }),
  })
  if (config.onEvent !== undefined && resources.scenarios !== undefined) engine.listen(config.onEvent)
  return { loaded, engine, throttle: limits, foreign }
}

/** A replay is about traffic that is over: what the application does with it must not happen again. */
function withoutExtensions({ identify: _, onEvent: __, ...rest }: CompiledConfig): CompiledConfig {
  return { ...rest, guards: [], detectors: [] }
}

/** One of several gateways cannot know how many they are; each then holds the whole limit by itself. */
function failurePolicy(failure: 'open' | 'closed' | 'local'): FailurePolicy {
  return failure === 'local' ? local({ share: 1 }) : failure
}

function hasTraps(config: CompiledConfig): boolean {
  const { fields, records } = config.honey
  return fields.length + records.length + config.routes.traps.length > 0
}

const READS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS'])

/** A route's own word, else: reads are not written down, everything else as `audit.promise` says. */
function recordPromise(config: CompiledConfig): (exchange: Exchange) => RecordPromise {
  const fallback = config.audit === false ? 'after' : config.audit.promise
  return exchange => exchange.route?.settings.record ?? (READS.has(exchange.method) ? 'none' : fallback)
}
