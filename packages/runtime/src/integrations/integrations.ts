import type { CompiledConfig } from '@postern/config'
import type { Health } from '@postern/core'
import {
  type CloudflareListOptions,
  exportToCloudflare,
  followWithNftables,
  runNft,
} from '@postern/remediate'
import { type Closers, closeInOrder } from '../lifetime/close-all.ts'
import type { Runtime } from '../runtime.ts'
import { startCrowdsec } from './crowdsec.ts'

/** Where remediations go to and come from besides the stores. */
export interface Integrations {
  /** What failed last and has not worked since; never required. */
  health(): readonly Health[]
  close(): Promise<void>
}

/**
 * Starts what the configuration wants of CrowdSec, nftables and Cloudflare. What fails is an event, shows in
 * readiness, and is tried again.
 * @throws PortInUse when the place for bouncers is taken; ConfigError for ids or tables that cannot be
 */
export async function startIntegrations(config: CompiledConfig, runtime: Runtime): Promise<Integrations> {
  const troubles = new Map<string, string | undefined>()
  const failed = (name: string, error: unknown): void => {
    const problem = error instanceof Error ? error.message.slice(0, 500) : 'failed'
    troubles.set(name, problem)
    const { clock } = runtime.resources
    runtime.engine.emit({ type: `${name}.failed`, time: clock.now(), actor: {}, data: { problem } })
  }
  const worked = (name: string): void => void troubles.set(name, undefined)
  const crowdsec = await startCrowdsec(config, runtime)
  const closers: Closers = [() => crowdsec.close()]
  const { nftables, cloudflare } = config.remediations === false ? {} : config.remediations
  if (nftables !== undefined) {
    worked('nftables')
    const stop = followWithNftables({
      ...nftables,
      store: runtime.remediations,
      run: async script => {
        await runNft(script)
        worked('nftables')
      },
      onError: error => failed('nftables', error),
    })
    closers.push(stop)
  }
  if (cloudflare !== undefined) {
    worked('cloudflare')
    const { every, ...target } = cloudflare
    closers.push(
      exportRegularly({ ...target, store: runtime.remediations }, every, error =>
        error === undefined ? worked('cloudflare') : failed('cloudflare', error),
      ),
    )
  }
  return {
    health: () => [
      ...crowdsec.probes.map(probe => probe.health()),
      ...[...troubles].map(([name, detail]) => ({
        name,
        ok: detail === undefined,
        required: false,
        ...(detail !== undefined && { detail }),
      })),
    ],
    close: () => closeInOrder(closers),
  }
}

/** One export after the other, a pause between them. @returns how to stop */
function exportRegularly(
  options: CloudflareListOptions,
  every: number,
  ended: (error: unknown) => void,
): () => Promise<void> {
  let timer: NodeJS.Timeout | undefined
  let isClosed = false
  const once = async (): Promise<void> => {
    try {
      await exportToCloudflare(options)
      ended(undefined)
    } catch (error) {
      ended(error)
    }
    if (isClosed) return
    timer = setTimeout(next, every).unref()
  }
  let running: Promise<void> = Promise.resolve()
  const next = (): void => {
    running = once()
  }
  next()
  return async () => {
    isClosed = true
    clearTimeout(timer)
    await running
  }
}
