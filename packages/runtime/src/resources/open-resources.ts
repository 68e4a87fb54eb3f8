import type { LoadedConfig } from '@postern/config'
import { type Clock, type Event, type Guard, systemClock, systemRandom } from '@postern/core'
import { loginDetector } from '@postern/identity/login'
import { openIdentityStores } from '@postern/identity/stores'
import { scenarioDetector } from '@postern/scenarios'
import { MemoryStore } from '@postern/throttle'
import { accessDetectors } from '../access/access-detectors.ts'
import { openBudgetJournal } from '../access/budget-journal.ts'
import { watchAudit } from '../audit/audit-watch.ts'
import { startAudit } from '../audit/start-audit.ts'
import { ApplicationSinks } from '../content/application-sinks.ts'
import { openRemediations, protectedBy } from '../detection/remediations.ts'
import { behaviourDetectors, FollowedScenarios, scenariosOf } from '../detection/scenarios.ts'
import { type Closers, closeAll } from '../lifetime/close-all.ts'
import { Connections } from '../stores/connections.ts'
import { watchStores } from '../stores/store-watch.ts'
import type { Resources, ServingResources } from './resources.ts'
import { openThreadResources } from './thread-resources.ts'

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
  /** Whether the application of this process is served, whose calls can be watched. Default: a gateway is. */
  readonly application?: true | undefined
  /**
   * Told in a sentence, before it begins, that the start waits for another process to give the data directory
   * back. Default: a directory that is in use is an error at once.
   */
  readonly onWait?: ((sentence: string) => void) | undefined
  /** Ends that wait when it is aborted: its reason is thrown. */
  readonly stop?: AbortSignal | undefined
  /** Signs the puzzles of challenges; random unless given. */
  readonly secret?: Uint8Array | undefined
}

/**
 * Opens everything a runtime keeps: stores by URL or in the data directory, remediations, counters,
 * scenarios, the log.
 * @throws StoreError naming the store that cannot be opened; ConfigError for scenarios that are not
 * understood
 */
export async function openResources(options: OpenResourcesOptions): Promise<ServingResources> {
  const { loaded, emit } = options
  const { config } = loaded
  const connections = new Connections(config, options.dataDirectory)
  const closers: Closers = [() => connections.close()]
  try {
    const scenarios = scenarioDetector({ scenarios: scenariosOf(loaded) })
    const audit = await startAudit(loaded, connections, emit, {
      onWait: options.onWait,
      stop: options.stop,
    })
    if (audit !== undefined) closers.push(() => audit.close())
    const { stores, ...opened } = await openThreadResources({
      ...{ loaded, connections, closers, emit, recorder: audit?.log, limits: options.limits },
      secret: options.secret ?? systemRandom.bytes(32),
      notices: 'send',
    })
    const { remediations, revocations, identity, access } = opened
    const followed = new FollowedScenarios(scenarios, error => emit(scenariosRefused(error)))
    closers.push(() => followed.close())
    followed.follow(loaded)
    const sinks = options.application === undefined ? undefined : new ApplicationSinks(emit)
    closers.push(() => sinks?.close())
    const journal = openBudgetJournal(config, emit)
    closers.push(() => journal?.close())
    if (audit !== undefined) closers.push(watchAudit(audit.log, emit))
    const watched = watchStores(config, connections, emit)
    closers.push(() => watched.close())
    return {
      ...opened,
      get signIn() {
        return stores.current
      },
      whenRenewed: call => stores.whenRenewed(call),
      detectors: [scenarios, loginDetector(), ...behaviourDetectors(loaded), ...accessDetectors(config)],
      scenarios,
      audit: audit?.log,
      shippers: audit?.shippers,
      open: options.open,
      sinks,
      probes: [
        remediations,
        scenarios,
        ...(audit?.probes ?? []),
        ...(revocations === undefined ? [] : [revocations]),
        ...(identity === undefined ? [] : [identity]),
        ...access.probes,
        ...watched.probes,
        ...(journal === undefined ? [] : [journal.probe]),
      ],
      follow: next => {
        remediations.protect(protectedBy(next.config))
        followed.follow(next)
      },
      close: () => closeAll(closers),
    }
  } catch (error) {
    await closeAll(closers)
    throw error
  }
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
