import type { LoadedConfig } from '@postern/config'
import type { Clock, Engine } from '@postern/core'
import { openAccess } from '../access/open-access.ts'
import { memoryResources } from '../resources/open-resources.ts'
import type { Resources } from '../resources/resources.ts'
import { buildEngine } from './build-engine.ts'

/** Makes the engine of one configuration on a clock that the log drives. */
export type ReplayEngine = (clock: Clock) => Promise<Engine>

/**
 * What a replay asks: the configuration's own engine, on the log's clock, with nothing written down.
 * @param access `decide` where it is known who sent a request and what they may: then policies and
 * requirements   of routes are asked too. Default: `ignore`
 */
export function replayEngine(
  loaded: LoadedConfig,
  { access = 'ignore' }: { readonly access?: 'decide' | 'ignore' } = {},
): ReplayEngine {
  return async clock => {
    const resources =
      access === 'ignore' ? await memoryResources(loaded, clock) : await replayResources(loaded, clock)
    return buildEngine(loaded, resources, 'replay').engine
  }
}

/** In memory, with the policies of a configuration. */
export async function replayResources(loaded: LoadedConfig, clock: Clock): Promise<Resources> {
  const resources = await memoryResources(loaded, clock)
  return {
    ...resources,
    access: await openAccess({ loaded, connections: undefined, clock, notices: 'leave' }),
  }
}
