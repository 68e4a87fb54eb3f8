import type { Config, InspectionConfig, LoadedConfig } from '@postern/config'
import {
  CidrSet,
  Engine,
  type Event,
  type Exchange,
  type Guard,
  parseByteSize,
  type RecordPromise,
} from '@postern/core'
import { inspectionGuard } from '@postern/inspect'
import { protocolGuard } from '@postern/protocol'
import { honeyGuard, remediationGuard } from '@postern/remediate'
import { type FailurePolicy, local, type Throttle, throttle } from '@postern/throttle'
import { type ForeignRules, foreignRules } from './foreign-rules.ts'
import { honeyRemediations } from './honey-remediations.ts'
import { identification } from './identification.ts'
import { namedLimits } from './limits.ts'
import { loadShedding } from './load-shedding.ts'
import { overridableLimits } from './overridable-limits.ts'
import { parameterGuards } from './parameter-guards.ts'
import { rememberingGuard } from './remembering-guard.ts'
import type { Resources } from './resources.ts'
import { compileRoutes, honeyRoutes } from './route-settings.ts'
import { withoutUndefined } from './without-undefined.ts'

/** A configuration compiled: immutable, ready to be asked. */
export interface Compiled {
  readonly config: Config
  readonly engine: Engine
  readonly throttle: Throttle
  /** Inspection rules of others: in force, and not understood. */
  readonly foreign: Pick<ForeignRules, 'loaded' | 'skipped'>
}

/**
 * Compiles a checked configuration over the long-lived resources: routes into a table, limits into a guard, guards in the order in which they
 * are asked: measures on addresses, HTTP itself, limits on addresses; who acts, measures and limits on principals; guards of the application; content.
 * Cheap checks first, so that a flood costs little.
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
  const isStaged = config.identify !== undefined
  const routes = compileRoutes(config)
  const emit = (event: Event): void => engine.emit(event)
  const limits = throttle({
    store: resources.limitStore,
    limits: overridableLimits(namedLimits(config), config, resources.limitOverrides, clock),
    headers: purpose === 'replay' ? 'none' : (config.rateLimitHeaders ?? 'standard'),
    onEvent: emit,
    ...(config.shed !== undefined && purpose === 'serve' && { overload: loadShedding(config.shed) }),
    onStoreFailure: failurePolicy(config.stores?.failure),
    stages: isStaged ? 'two' : 'one',
  })
  const remediationOptions = { secret: resources.secret, clock }
  const guards: Guard[] = []
  if (config.remediations !== false)
    guards.push(
      remediationGuard(resources.remediations, {
        ...remediationOptions,
        actors: isStaged ? 'arrival' : 'all',
      }),
    )
  if (config.protocol !== false)
    guards.push(protocolGuard({ ...withoutUndefined(config.protocol ?? {}), routes }))
  if (hasTraps(config))
    guards.push(
      honeyGuard({
        ...withoutUndefined(config.honey ?? {}),
        routes: honeyRoutes(config),
        remediations: resources.remediations,
      }),
    )
  guards.push(limits)
  const { guards: identifying, identified } = identification(config, resources, limits, remediationOptions)
  guards.push(...identifying, ...(config.guards ?? []))
  guards.push(...parameterGuards(loaded, resources.learner))
  let foreign: Compiled['foreign'] = { loaded: 0, skipped: 0 }
  if (config.inspect !== false) {
    const { rules: _, secondOpinion: __, ...rest } = config.inspect ?? {}
    const { options, ...counts } = foreignRules(config.inspect ?? {}, loaded.file.folder)
    foreign = counts
    const types = resources.parameterTypes
    const inspection = inspectionGuard({
      ...(config.schema?.inspect === true && types !== undefined && { learned: route => types.of(route) }),
      ...withoutUndefined<Omit<InspectionConfig, 'rules' | 'secondOpinion'>>(rest),
      ...options,
    })
    guards.push(purpose === 'replay' ? rememberingGuard(inspection) : inspection)
  }
  const engine = new Engine({
    guards,
    ...(identified !== undefined && { identified }),
    detectors:
      resources.scenarios === undefined
        ? resources.detectors
        : [...resources.detectors, ...(config.detectors ?? [])],
    remediations: honeyRemediations(resources.remediations, config.honey?.for),
    mode: config.mode ?? 'enforce',
    routes,
    trustedProxies: CidrSet.parse(config.trustProxies ?? [], 'trustProxies'),
    bodyLimit: parseByteSize(config.bodyLimit ?? '1mb', 'bodyLimit'),
    promise: recordPromise(config),
    clock,
    probes: [...resources.probes, limits],
    ...(resources.recorder !== undefined && { recorder: resources.recorder }),
  })
  if (config.onEvent !== undefined && resources.scenarios !== undefined) engine.listen(config.onEvent)
  return { config, engine, throttle: limits, foreign }
}

/** A replay is about traffic that is over: what the application does with it must not happen again. */
function withoutExtensions({
  identify: _,
  guards: __,
  detectors: ___,
  onEvent: ____,
  ...rest
}: Config): Config {
  return rest
}

/** One of several gateways cannot know how many they are; each then holds the whole limit by itself. */
function failurePolicy(failure: 'open' | 'closed' | 'local' = 'local'): FailurePolicy {
  return failure === 'local' ? local({ share: 1 }) : failure
}

function hasTraps(config: Config): boolean {
  return config.honey !== undefined || honeyRoutes(config).length > 0
}

const READS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS'])

/** A route's own word, else: reads are not written down, everything else as `audit.promise` says. */
function recordPromise(config: Config): (exchange: Exchange) => RecordPromise {
  const fallback = config.audit === false ? 'after' : (config.audit?.promise ?? 'after')
  return exchange => exchange.route?.settings.record ?? (READS.has(exchange.method) ? 'none' : fallback)
}
