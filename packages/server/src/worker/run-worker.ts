import { checkConfig, configOfText, type LoadedConfig, loadConfig } from '@postern/config'
import { startGateway } from '@postern/gateway'
import type { HeldPort, WorkerLink } from '@postern/gateway/worker'
import { openWorkerResources, Runtime, recheckOpen, stillHolds } from '@postern/runtime'
import { clientCountry } from '../plan/client-country.ts'
import { certificateOf, gatewayPlan } from '../plan/gateway-plan.ts'
import { overridden } from '../plan/overridden.ts'
import type { FromWorker, ToWorker, WorkerConfiguration, WorkerPlan } from '../plan/worker-plan.ts'
import { Metrics } from '../telemetry/metrics.ts'
import { EventForwarder } from './event-forwarder.ts'

const METRICS_MS = 1_000

/**
 * Decides and proxies on a port that is held already, until the main thread ends it. Log and detectors are on
 * the main thread, counters in shared memory.
 * @throws ConfigError, StoreError
 */
export async function runWorker(link: WorkerLink<WorkerPlan>, held: HeldPort): Promise<void> {
  const plan = link.data
  const send = (message: FromWorker): void => link.send(message)
  const load = async ({ text }: WorkerConfiguration): Promise<LoadedConfig> => {
    const { file: path, folder, overrides } = plan
    const loaded =
      text === undefined || path === undefined
        ? await loadConfig({ path, folder, environment: process.env })
        : checkConfig(configOfText(path, text), process.env)
    return overridden(loaded, overrides, process.env)
  }
  const loaded = await load((link.reloaded?.data as WorkerConfiguration | undefined) ?? plan)
  const options = gatewayPlan(loaded, link.count)
  await link.begun
  const { console: watched } = loaded.config
  const country = clientCountry(watched === false ? undefined : watched.country)
  const forwarder = new EventForwarder(send, country, link.made)
  const resources = await openWorkerResources({
    ...{ loaded, forwarder, dataDirectory: plan.dataDirectory, limits: plan.limits, secret: plan.secret },
    emit: event => runtime.engine.emit(event),
  })
  const runtime = Runtime.over(resources, loaded)
  const metrics = new Metrics()
  runtime.listen(event => metrics.count(event))
  const reporting = setInterval(() => send({ kind: 'metrics', counts: metrics.drain() }), METRICS_MS)
  const gateway = await startGateway({
    ...options,
    listen: { ...options.listen, held },
    engine: () => runtime.engine,
    underWay: link.underWay,
    recheck: exchange => stillHolds(runtime, exchange),
  })
  recheckOpen(gateway, resources)
  let stopping: Promise<void> | undefined

  link.ready({
    reload: async data => {
      const next = await load(data as WorkerConfiguration)
      const certificate = options.listen.tls === undefined ? undefined : certificateOf(next)
      runtime.replace(next)
      resources.follow(next)
      if (certificate !== undefined) gateway.renew(certificate)
    },
    message: data => {
      forwarder.answer(data as ToWorker)
    },
    stop: (grace, linger) => {
      // Asked again, with a shorter grace, this stops once.
      const closed = gateway.close({ grace, linger })
      stopping ??= closed.then(async () => {
        clearInterval(reporting)
        send({ kind: 'metrics', counts: metrics.drain() })
        forwarder.flush()
        await runtime.close()
      })
      return stopping
    },
  })
}
