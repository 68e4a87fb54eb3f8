import { createServer } from 'node:net'
import { ConfigError, type Event, type Health, urlHost } from '@postern/core'
import { startWorkers, type Workers } from '@postern/gateway'
import type { Runtime } from '@postern/runtime'
import type { Listener } from '../listener/listener.ts'
import type { GatewayPlan } from '../plan/gateway-plan.ts'
import type {
  ForwardedEvent,
  FromWorker,
  ToWorker,
  WorkerConfiguration,
  WorkerPlan,
} from '../plan/worker-plan.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import { EventLosses } from './event-losses.ts'
import { HandedEvents } from './handed-events.ts'

export interface WorkerListenerOptions {
  readonly gateway: GatewayPlan
  readonly plan: Omit<WorkerPlan, 'host' | 'port'>
  readonly count: number
  /** Workers open nothing before this has been opened, and migrated what there was to migrate. */
  readonly runtime: Promise<Runtime>
  readonly metrics: Metrics
}

/**
 * Several gateways in threads of their own on one port. Their events come here: the log and the detectors see
 * all of them in one place.
 * @throws Error of the operating system when they cannot listen
 */
export async function startWorkerListener(options: WorkerListenerOptions): Promise<Listener> {
  const { gateway, count, metrics } = options
  const host = gateway.listen.host ?? '127.0.0.1'
  const port = await freePort(host, gateway.listen.port)
  const opened = options.runtime.then(runtime => ({ runtime, losses: new EventLosses(runtime) }))
  // A start that fails says so itself, once.
  opened.catch(() => undefined)
  const whenOpened = (work: (parts: Awaited<typeof opened>) => void): void =>
    void opened.then(work, () => undefined)
  const handed = new HandedEvents()
  const running = await startWorkers({
    count,
    entry: new URL(`./gateway-worker.${import.meta.url.endsWith('.ts') ? 'ts' : 'js'}`, import.meta.url),
    workerData: { ...options.plan, host, port } satisfies WorkerPlan,
    begin: options.runtime.then(() => undefined),
    onMessage: (data, _worker, reply: (message: ToWorker) => void) =>
      whenOpened(({ runtime, losses }) => {
        handed.arrived(reply, data as FromWorker)
        take(data as FromWorker, runtime, metrics, losses, reply)
      }),
    onEnd: (_worker, made, reply) =>
      whenOpened(({ losses }) => {
        const lost = handed.ended(reply, made)
        if (lost > 0) losses.add(lost)
      }),
    onNotice: line =>
      whenOpened(({ runtime }) =>
        runtime.engine.emit({ type: 'gateway.worker', time: Date.now(), actor: {}, data: { line } }),
      ),
  })
  const { runtime, losses } = await opened
  const scheme = gateway.listen.tls === undefined ? 'http' : 'https'
  return {
    url: `${scheme}://${urlHost(host)}:${port}`,
    health: () => [workersHealth(running), losses.health(), ...runtime.health()],
    lost: () => losses.count,
    reload: async text => {
      const { problems } = await running.reload({ text } satisfies WorkerConfiguration)
      return problems.map(({ index, problem }) => `worker ${index}: ${problem}`)
    },
    close: grace => running.close({ grace }),
  }
}

function workersHealth({ live, count, cutOff }: Workers): Health {
  const lost = cutOff === 0 ? '' : `; ${cutOff} requests were cut off by workers that ended`
  return { name: 'workers', ok: live > 0, required: true, detail: `${live} of ${count} listen${lost}` }
}

function take(
  message: FromWorker,
  runtime: Runtime,
  metrics: Metrics,
  losses: EventLosses,
  reply: (message: ToWorker) => void,
): void {
  if (message.kind === 'metrics') metrics.merge(message.counts)
  else if (message.kind === 'events') {
    for (const { event, record, seen } of message.events) {
      if (record === 'record') runtime.resources.recorder?.record(event)
      runtime.engine.witness(seen === undefined ? event : withSeen(event, seen))
    }
    if (message.lost > 0) losses.add(message.lost)
    reply({ kind: 'taken', batch: message.batch })
  } else void commit(message.id, message.event, runtime, reply)
}

/** The event with what scenarios ask for in `data`, which no listener writes out: it is not enumerable. */
function withSeen(event: Event, seen: NonNullable<ForwardedEvent['seen']>): Event {
  return Object.defineProperty({ ...event }, 'data', { value: seen, enumerable: false })
}

async function commit(
  id: number,
  event: Event,
  runtime: Runtime,
  reply: (message: ToWorker) => void,
): Promise<void> {
  try {
    const { recorder } = runtime.resources
    if (recorder === undefined)
      throw new ConfigError({
        place: 'audit',
        problem: 'is switched off',
        hint: 'take `audit: false` out of the configuration',
      })
    const { index, leafHash } = await recorder.commit(event)
    reply({ kind: 'committed', id, index, leafHash })
  } catch (error) {
    reply({
      kind: 'failed',
      id,
      problem: error instanceof Error ? error.message : 'could not be written',
    })
  }
}

/**
 * The port itself when it is free, found before any worker starts: sharing a port hides that somebody else
 * has it.
 */
function freePort(host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer()
    probe.once('error', reject)
    probe.listen(port, host, () => {
      const bound = probe.address()
      probe.close(() => resolve(bound !== null && typeof bound === 'object' ? bound.port : port))
    })
  })
}
