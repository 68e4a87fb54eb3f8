import { holdPort } from '@postern/gateway'
import { PortInUse, Runtime } from '@postern/runtime'
import { startForwardAuthListener } from './listener/forward-auth-listener.ts'
import { type Listener, startSingleListener } from './listener/listener.ts'
import type { GatewayPlan } from './plan/gateway-plan.ts'
import type { ServeOptions } from './plan/serve-options.ts'
import type { Metrics } from './telemetry/metrics.ts'
import { startWorkerListener } from './worker/worker-listener.ts'

export interface ListeningParts {
  /** Undefined for forward-auth. */
  readonly plan: GatewayPlan | undefined
  readonly metrics: Metrics
  /** Threads that take requests. */
  readonly count: number
  /** Counters of all threads; undefined when there is one. */
  readonly limits: SharedArrayBuffer | undefined
  readonly secret: Uint8Array
}

/** The runtime, and what takes requests for it. */
export interface Listening {
  readonly runtime: Runtime
  readonly listener: Listener
}

/**
 * Opens the runtime and takes requests. The gateway's port is bound before anything is opened, migrated or
 * recovered, so that a restart makes clients wait and refuses none.
 * @throws as `serve`; nothing stays open then
 */
export function startListening(options: ServeOptions, parts: ListeningParts): Promise<Listening> {
  if (parts.plan === undefined) return startForwardAuth(options, parts)
  return parts.limits === undefined
    ? startSingle(options, parts, parts.plan)
    : startWorkers(options, parts, parts.plan, parts.limits)
}

async function openRuntime(
  { loaded, dataDirectory, onWait, stop }: ServeOptions,
  { metrics, limits, secret }: ListeningParts,
): Promise<Runtime> {
  const runtime = await Runtime.open({ loaded, dataDirectory, limits, secret, onWait, stop })
  // Requests of workers are counted there; what arises on this thread (findings, losses) is counted here.
  runtime.listen(event => metrics.count(event))
  return runtime
}

/** Closes the runtime when nothing takes requests for it. */
async function withRuntime(runtime: Runtime, start: () => Promise<Listener>): Promise<Listening> {
  try {
    return { runtime, listener: await start() }
  } catch (error) {
    await runtime.close()
    throw error
  }
}

async function startForwardAuth(options: ServeOptions, parts: ListeningParts): Promise<Listening> {
  const runtime = await openRuntime(options, parts)
  return withRuntime(runtime, () => startForwardAuthListener(options.loaded, runtime))
}

async function startSingle(
  options: ServeOptions,
  parts: ListeningParts,
  plan: GatewayPlan,
): Promise<Listening> {
  const held = await holdPort(plan.listen).catch((error: unknown) => {
    throw portTaken(error, plan)
  })
  try {
    const runtime = await openRuntime(options, parts)
    return await withRuntime(runtime, () => startSingleListener(plan, runtime, held))
  } catch (error) {
    await held.close()
    throw error
  }
}

/** Threads load their code and hold the port while this one opens the stores. */
async function startWorkers(
  options: ServeOptions,
  parts: ListeningParts,
  plan: GatewayPlan,
  limits: SharedArrayBuffer,
): Promise<Listening> {
  const { loaded, overrides, dataDirectory } = options
  const { path: file, folder, text } = loaded.file
  const opening = openRuntime(options, parts)
  const listening = startWorkerListener({
    gateway: plan,
    plan: { file, text, folder, overrides, dataDirectory, limits, secret: parts.secret },
    count: parts.count,
    runtime: opening,
    metrics: parts.metrics,
  }).catch((error: unknown) => {
    throw portTaken(error, plan)
  })
  const [opened, started] = await Promise.allSettled([opening, listening])
  if (opened.status === 'rejected') throw opened.reason
  const runtime = opened.value
  return withRuntime(runtime, () =>
    started.status === 'fulfilled' ? listening : Promise.reject(started.reason),
  )
}

function portTaken(error: unknown, { listen }: GatewayPlan): unknown {
  return PortInUse.explain(error, listen.host ?? '', listen.port, '--listen')
}
