import type { LoadedConfig } from '@postern/config'
import { type Clock, type Event, type Guard, systemClock, systemRandom } from '@postern/core'
import { loginDetector } from '@postern/identity/login'
import { openIdentityStores } from '@postern/identity/stores'
import { LearnedSchemas, SchemaLearner } from '@postern/protocol'
import { scenarioDetector } from '@postern/scenarios'
import { MemoryStore } from '@postern/throttle'
import { accessDetectors } from './access-guards.ts'
import { ApplicationSinks } from './application-sinks.ts'
import { openBudgetJournal } from './budget-journal.ts'
import { Connections } from './connections.ts'
import { openIdentity } from './identity.ts'
import { LearnedParameterTypes } from './learned-parameter-types.ts'
import { LimitOverrides } from './limit-overrides.ts'
import { openLimitStore } from './limit-store.ts'
import { openAccess } from './open-access.ts'
import { openRemediations, protectedBy } from './remediations.ts'
import type { Resources } from './resources.ts'
import { keepsRevocations, noteEnding, openRevocations } from './revocation-list.ts'
import { behaviourDetectors, FollowedScenarios, scenariosOf } from './scenarios.ts'
import { SignInStores } from './sign-in-stores.ts'
import { startAudit } from './start-audit.ts'

export interface OpenResourcesOptions {
  readonly loaded: LoadedConfig
  /** Absolute. */
  readonly dataDirectory: string
  /** Takes events of the resources themselves: the engine's `emit`. */
  readonly emit: (event: Event) => void
  /** Counters shared with worker threads; of this thread alone unless given. */
  readonly limits?: SharedArrayBuffer | undefined
  /** Sees what the application of this process has open. Default: nothing does. */
  readonly open?: Guard | undefined
  /** From where the application of this process loads its drivers. Default: its calls are not watched. */
  readonly application?: string | undefined
  /** Signs the puzzles of challenges; random unless given. */
  readonly secret?: Uint8Array | undefined
}

/**
 * Opens everything a runtime keeps: stores by URL or in the data directory, remediations, counters,
 * scenarios, the log.
 * @throws StoreError naming the store that cannot be opened; ConfigError for scenarios that are not
 * understood
 */
export async function openResources(options: OpenResourcesOptions): Promise<Resources> {
  const { loaded, emit } = options
  const { config } = loaded
  const connections = new Connections(config, options.dataDirectory)
  const closers: (() => Promise<void> | void)[] = [() => connections.close()]
  const close = async (): Promise<void> => {
    for (const closer of closers.splice(0).reverse()) await closer()
  }
  try {
    const scenarios = scenarioDetector({ scenarios: scenariosOf(loaded) })
    const audit = await startAudit(loaded, connections, emit)
    if (audit !== undefined) closers.push(() => audit.close())
    const remediations = await openRemediations({ config, connections, emit, whenAway: 'start' })
    closers.push(() => remediations.close())
    const followed = new FollowedScenarios(scenarios, error => emit(scenariosRefused(error)))
    closers.push(() => followed.close())
    followed.follow(loaded)
    const learner = new SchemaLearner()
    const isKept = !connections.isMemoryOnly
    const learned = isKept ? keepLearned(connections, learner, emit) : undefined
    closers.push(() => learned?.close())
    const parameterTypes =
      config.schema.inspect && learned !== undefined ? new LearnedParameterTypes(learned) : undefined
    closers.push(() => parameterTypes?.close())
    const revocations = keepsRevocations(config, connections) ? await openRevocations(connections) : undefined
    closers.push(() => revocations?.close())
    const identity = await openIdentity(loaded, connections, event => {
      emit(event)
      noteEnding(revocations, event)
    })
    closers.push(() => identity?.close())
    const access = await openAccess({
      loaded,
      connections,
      recorder: audit?.log,
      stepUp: identity?.stepUp,
      notices: 'send',
    })
    closers.push(() => access.close())
    const signIn = await SignInStores.open(connections, emit)
    closers.push(() => signIn.close())
    const sinks =
      options.application === undefined ? undefined : new ApplicationSinks(options.application, emit)
    closers.push(() => sinks?.close())
    const journal = openBudgetJournal(config, emit)
    closers.push(() => journal?.close())
    return {
      clock: systemClock,
      remediations,
      limitStore: await openLimitStore(config, connections, options.limits),
      limitOverrides:
        isKept || connections.postgres !== undefined ? new LimitOverrides(connections) : undefined,
      learner: isKept ? learner : undefined,
      learned,
      parameterTypes,
      get signIn() {
        return signIn.current
      },
      whenRenewed: call => signIn.whenRenewed(call),
      access,
      detectors: [scenarios, loginDetector(), ...behaviourDetectors(loaded), ...accessDetectors(config)],
      scenarios,
      connections,
      recorder: audit?.log,
      audit: audit?.log,
      shippers: audit?.shippers,
      identity,
      revocations,
      secret: options.secret ?? systemRandom.bytes(32),
      open: options.open,
      sinks,
      probes: [
        remediations,
        scenarios,
        ...(audit?.probes ?? []),
        ...(revocations === undefined ? [] : [revocations]),
        ...(identity === undefined ? [] : [identity]),
        ...access.probes,
        ...(journal === undefined ? [] : [journal.probe]),
      ],
      follow: next => {
        remediations.protect(protectedBy(next.config))
        followed.follow(next)
      },
      close,
    }
  } catch (error) {
    await close()
    throw error
  }
}

/** What this thread learns, kept in the data directory with what others learn. */
export function keepLearned(
  connections: Connections,
  learner: SchemaLearner,
  emit: (event: Event) => void,
): LearnedSchemas {
  return new LearnedSchemas({
    database: () => connections.sqlite,
    learner,
    onError: error => {
      const problem = error instanceof Error ? error.message.slice(0, 500) : 'failed'
      emit({ type: 'schema.failed', time: systemClock.now(), actor: {}, data: { problem } })
    },
  })
}

function scenariosRefused(error: unknown): Event {
  const problem = error instanceof Error ? error.message.slice(0, 2_000) : 'cannot be used'
  return { type: 'scenarios.refused', time: systemClock.now(), actor: {}, data: { problem } }
}

/** Resources that keep everything in memory and nothing afterwards: for a replay, on a clock of its own. */
export async function memoryResources(loaded: LoadedConfig, clock: Clock): Promise<Resources> {
  const remediations = await openRemediations({ config: loaded.config, connections: undefined, clock })
  const scenarios = scenarioDetector({ scenarios: scenariosOf(loaded) })
  return {
    clock,
    remediations,
    limitStore: new MemoryStore({ clock }),
    limitOverrides: undefined,
    learner: undefined,
    learned: undefined,
    parameterTypes: undefined,
    signIn: await openIdentityStores({ clock }),
    access: undefined,
    detectors: [scenarios, loginDetector(), ...behaviourDetectors(loaded)],
    scenarios,
    connections: undefined,
    recorder: undefined,
    audit: undefined,
    identity: undefined,
    revocations: undefined,
    secret: systemRandom.bytes(32),
    follow: () => undefined,
    probes: [],
    close: () => remediations.close(),
  }
}
