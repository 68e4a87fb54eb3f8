import type { CompiledConfig, Listen } from '@postern/config'
import { boundedServer, type HealthProbe } from '@postern/core'
import { bouncerKeys, CrowdsecFeed, crowdsecApi } from '@postern/remediate'
import { type Closers, closeInOrder } from '../lifetime/close-all.ts'
import type { Runtime } from '../runtime.ts'
import { PortInUse } from './port-in-use.ts'

/** What runs of the work with CrowdSec. */
export interface Crowdsec {
  /** The feed, as far as there is one; never required. */
  readonly probes: readonly HealthProbe[]
  close(): Promise<void>
}

/**
 * Serves CrowdSec's local API to bouncers and reads another CrowdSec, as far as the configuration wants
 * either.
 * @throws PortInUse when the place to listen is taken
 */
export async function startCrowdsec(config: CompiledConfig, runtime: Runtime): Promise<Crowdsec> {
  const { listen, feed } = config.crowdsec
  const onError = (error: unknown): void =>
    runtime.engine.emit({
      type: 'crowdsec.failed',
      time: runtime.resources.clock.now(),
      actor: {},
      data: { problem: error instanceof Error ? error.message : 'failed' },
    })
  const closers: Closers = []
  const probes: HealthProbe[] = []
  if (listen !== undefined) closers.push(await serveBouncers(listen, runtime, onError))
  if (feed !== undefined) {
    const reader = new CrowdsecFeed({ ...feed, store: runtime.remediations, onError })
    void reader.start()
    probes.push(reader)
    closers.push(() => reader.close())
  }
  return {
    probes,
    close: () => closeInOrder(closers),
  }
}

async function serveBouncers(
  { host, port }: Listen,
  runtime: Runtime,
  onError: (error: unknown) => void,
): Promise<() => Promise<void>> {
  const { connections } = runtime.resources
  if (connections === undefined) return async () => {}
  const keys = await bouncerKeys(connections.postgres ?? connections.sqlite)
  const api = crowdsecApi({ store: runtime.remediations, keys, onError })
  const { createServer } = await import('node:http')
  const server = boundedServer(createServer, (request, response) => api.handle(request, response), {
    connections: 256,
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', error => reject(PortInUse.explain(error, host, port, 'crowdsec.listen')))
    server.listen(port, host, resolve)
  })
  return async () => {
    api.close()
    await new Promise(resolve => {
      server.close(resolve)
      server.closeAllConnections()
    })
  }
}
