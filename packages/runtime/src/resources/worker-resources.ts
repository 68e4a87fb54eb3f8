import type { LoadedConfig } from '@postern/config'
import type { Detector, Event, EventRecorder } from '@postern/core'
import { protectedBy } from '../detection/remediations.ts'
import { type Closers, closeAll } from '../lifetime/close-all.ts'
import { Connections } from '../stores/connections.ts'
import type { ServingResources } from './resources.ts'
import { openThreadResources } from './thread-resources.ts'

/** What a worker thread starts from: the configuration, and what the main thread shares with it. */
export interface WorkerResourcesOptions {
  readonly loaded: LoadedConfig
  /** Absolute. */
  readonly dataDirectory: string
  /** Takes events of the resources themselves. */
  readonly emit: (event: Event) => void
  /** Hands events to the main thread, which has the log and the detectors. */
  readonly forwarder: EventRecorder & Detector
  /** Counters of all workers. */
  readonly limits: SharedArrayBuffer
  readonly secret: Uint8Array
}

/**
 * Opens the resources of a worker thread: those of the main thread, without the log, the scenarios and what
 * is sent away.
 * @throws as `openThreadResources`; nothing stays open then
 */
export async function openWorkerResources(options: WorkerResourcesOptions): Promise<ServingResources> {
  const { loaded, emit, forwarder, limits, secret } = options
  const { config } = loaded
  const connections = new Connections(config, options.dataDirectory)
  const closers: Closers = [() => connections.close()]
  try {
    const recorder = config.audit === false ? undefined : forwarder
    const { stores, ...opened } = await openThreadResources({
      ...{ loaded, connections, closers, emit, recorder, limits, secret },
      notices: 'leave',
    })
    return {
      ...opened,
      get signIn() {
        return stores.current
      },
      whenRenewed: call => stores.whenRenewed(call),
      detectors: [forwarder],
      scenarios: undefined,
      audit: undefined,
      follow: next => opened.remediations.protect(protectedBy(next.config)),
      probes: [opened.remediations],
      close: () => closeAll(closers),
    }
  } catch (error) {
    await closeAll(closers)
    throw error
  }
}
