// A worker thread of the gateway: decides and proxies. Log and detectors are on the main thread, counters in
// shared memory.

import { type LoadedConfig, loadConfig } from '@postern/config'
import { systemClock } from '@postern/core'
import { holdPort, startGateway, workerLink } from '@postern/gateway'
import { SchemaLearner } from '@postern/protocol'
import type { Resources } from '@postern/runtime'
import {
  Connections,
  keepLearned,
  keepsRevocations,
  LearnedParameterTypes,
  LimitOverrides,
  noteEnding,
  openAccess,
  openIdentity,
  openLimitStore,
  openRemediations,
  openRevocations,
  protectedBy,
  Runtime,
  recheckOpen,
  SignInStores,
  stillHolds,
} from '@postern/runtime'
import { Metrics } from './admin/metrics.ts'
import { clientCountry } from './client-country.ts'
import { EventForwarder } from './event-forwarder.ts'
import { certificateOf, gatewayPlan } from './gateway-plan.ts'
import { overridden } from './overridden.ts'
import type { FromWorker, ToWorker, WorkerPlan } from './worker-plan.ts'

const METRICS_MS = 1_000

const link = workerLink<WorkerPlan>()
const plan = link.data
const send = (message: FromWorker): void => link.send(message)

const load = async (): Promise<LoadedConfig> => {
  const loaded = await loadConfig({ path: plan.file, folder: plan.folder, environment: process.env })
  return overridden(loaded, plan.overrides, process.env)
}

const openWorkerResources = async (loaded: LoadedConfig, forwarder: EventForwarder): Promise<Resources> => {
  const { config } = loaded
  const connections = new Connections(config, plan.dataDirectory)
  const remediations = await openRemediations({ config, connections, whenAway: 'start' })
  const learner = new SchemaLearner()
  const isKept = !connections.isMemoryOnly
  const learned = isKept ? keepLearned(connections, learner, event => runtime.engine.emit(event)) : undefined
  const parameterTypes =
    config.schema.inspect && learned !== undefined ? new LearnedParameterTypes(learned) : undefined
  const revocations = keepsRevocations(config, connections) ? await openRevocations(connections) : undefined
  const identity = await openIdentity(loaded, connections, event => {
    runtime.engine.emit(event)
    noteEnding(revocations, event)
  })
  const recorder = config.audit === false ? undefined : forwarder
  const access = await openAccess({
    loaded,
    connections,
    recorder,
    stepUp: identity?.stepUp,
    notices: 'leave',
  })
  const signIn = await SignInStores.open(connections, event => runtime.engine.emit(event))
  return {
    clock: systemClock,
    remediations,
    limitStore: await openLimitStore(config, connections, plan.limits),
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
    detectors: [forwarder],
    scenarios: undefined,
    connections,
    recorder,
    audit: undefined,
    identity,
    revocations,
    secret: plan.secret,
    follow: next => remediations.protect(protectedBy(next.config)),
    probes: [remediations],
    close: async () => {
      parameterTypes?.close()
      learned?.close()
      signIn.close()
      await access.close()
      await identity?.close()
      await revocations?.close()
      await remediations.close()
      await connections.close()
    },
  }
}

const loaded = await load()
const options = gatewayPlan(loaded)
// Connections wait here while the main thread opens and migrates the stores, and this one opens its own.
const held = await holdPort({ ...options.listen, port: plan.port, reusePort: link.reusePort })
await link.begun
const { console: watched } = loaded.config
const forwarder = new EventForwarder(send, clientCountry(watched === false ? undefined : watched.country))
const resources = await openWorkerResources(loaded, forwarder)
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

link.ready({
  reload: async () => {
    const next = await load()
    const certificate = options.listen.tls === undefined ? undefined : certificateOf(next)
    runtime.replace(next)
    resources.follow(next)
    if (certificate !== undefined) gateway.renew(certificate)
  },
  message: data => {
    forwarder.answer(data as ToWorker)
  },
  stop: async (grace, linger) => {
    await gateway.close({ grace, linger })
    clearInterval(reporting)
    send({ kind: 'metrics', counts: metrics.drain() })
    forwarder.flush()
    await runtime.close()
  },
})
