import type { LoadedConfig } from '../config/load-config.ts'
import type { ReplayEngine } from '../replay/replay.ts'
import { buildEngine } from './build-engine.ts'
import { memoryRooms } from './open-rooms.ts'

/** What a replay asks: the configuration's own engine, on the log's clock, with nothing written down. */
export function replayEngine(loaded: LoadedConfig): ReplayEngine {
  return async clock => buildEngine(loaded, await memoryRooms(loaded, clock), 'replay').engine
}
