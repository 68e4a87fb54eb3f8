import type { LoadedConfig } from '@postern/config'
import { type Event, type EventRecorder, systemClock } from '@postern/core'
import { LearnedSchemas, SchemaLearner } from '@postern/protocol'
import { type OpenAccess, openAccess } from '../access/open-access.ts'
import { LearnedParameterTypes } from '../content/learned-parameter-types.ts'
import { openRemediations } from '../detection/remediations.ts'
import { openIdentity } from '../identity/identity.ts'
import { keepsRevocations, noteEnding, openRevocations } from '../identity/revocation-list.ts'
import { SignInStores } from '../identity/sign-in-stores.ts'
import type { Closers } from '../lifetime/close-all.ts'
import { LimitOverrides } from '../limits/limit-overrides.ts'
import { openLimitStore } from '../limits/limit-store.ts'
import type { Connections } from '../stores/connections.ts'
import type { Resources } from './resources.ts'

export interface ThreadResourcesOptions {
  readonly loaded: LoadedConfig
  readonly connections: Connections
  /** What is opened is added, also before something later fails. */
  readonly closers: Closers
  /** Takes events of the resources themselves. */
  readonly emit: (event: Event) => void
  readonly recorder: EventRecorder | undefined
  /** `send`: this thread sends notices, and records what becomes of remediations; one does, for all. */
  readonly notices: 'send' | 'leave'
  /** Counters shared with other threads; of this thread alone when undefined. */
  readonly limits: SharedArrayBuffer | undefined
  readonly secret: Uint8Array
}

/** What the guards of a thread ask, whichever thread it is. */
export type ThreadResources = Pick<
  Resources,
  | 'clock'
  | 'connections'
  | 'learned'
  | 'learner'
  | 'limitOverrides'
  | 'limitStore'
  | 'parameterTypes'
  | 'recorder'
  | 'remediations'
  | 'revocations'
  | 'secret'
> & {
  readonly access: OpenAccess
  readonly identity: Awaited<ReturnType<typeof openIdentity>>
  readonly stores: SignInStores
}

/**
 * Opens what every thread that decides requests has open: one process that does everything, the main thread
 * of a gateway, and each of its workers.
 * @throws StoreError naming the store that cannot be opened
 */
export async function openThreadResources(options: ThreadResourcesOptions): Promise<ThreadResources> {
  const { loaded, connections, closers, emit, recorder, notices } = options
  const { config } = loaded
  const remediations = await openRemediations({
    config,
    connections,
    whenAway: 'start',
    ...(notices === 'send' && { emit }),
  })
  closers.push(() => remediations.close())
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
    recorder,
    stepUp: identity?.stepUp,
    // Asked for when it is needed: where the database is away at the start, there are no accounts yet.
    approvers:
      identity === undefined
        ? undefined
        : {
            byId: id => identity.accounts.byId(id),
            rightsChangedAt: id => identity.accounts.rightsChangedAt(id),
          },
    accountNamed: identity === undefined ? undefined : name => identity.accounts.named(name),
    namesOf: identity === undefined ? undefined : name => identity.accounts.namesOf(name),
    notices,
  })
  closers.push(() => access.close())
  const stores = await SignInStores.open(connections, emit)
  closers.push(() => stores.close())
  return {
    clock: systemClock,
    connections,
    remediations,
    limitStore: await openLimitStore(config, connections, options.limits),
    limitOverrides:
      isKept || connections.postgres !== undefined ? new LimitOverrides(connections) : undefined,
    learner: isKept ? learner : undefined,
    learned,
    parameterTypes,
    revocations,
    identity,
    access,
    stores,
    recorder,
    secret: options.secret,
  }
}

/** What this thread learns, kept in the data directory with what others learn. */
function keepLearned(
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
