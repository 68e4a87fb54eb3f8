import type { LoadedConfig } from '@postern/config'
import type { Engine, VirtualClock } from '@postern/core'
import { buildEngine } from './build-engine.ts'
import { memoryResources } from './open-resources.ts'

/** Makes the engine of one configuration on a clock that the log drives. */
export type ReplayEngine = (clock: VirtualClock) => Promise<Engine>

/** What a replay asks: the configuration's own engine, on the log's clock, with nothing written down. */
export function replayEngine(loaded: LoadedConfig): ReplayEngine {
  return async clock => buildEngine(loaded, await memoryResources(loaded, clock), 'replay').engine
}
