import { type Clock, type Event, systemClock, systemRandom } from '@postern/core'
import { MemoryStore } from '@postern/throttle'
import type { Config } from '../config/config.ts'
import { openAudit } from './audit.ts'
import { Connections } from './connections.ts'
import { openRemediations } from './remediations.ts'
import type { Rooms } from './rooms.ts'

export interface OpenRoomsOptions {
  readonly config: Config
  /** Absolute. */
  readonly dataDirectory: string
  /** Takes events of the rooms themselves: the engine's `emit`. */
  readonly emit: (event: Event) => void
  /** Counters shared with worker threads; of this thread alone unless given. */
  readonly limits?: SharedArrayBuffer | undefined
  /** Signs the puzzles of challenges; random unless given. */
  readonly secret?: Uint8Array | undefined
}

/**
 * Opens everything a running layer keeps: stores by URL or in the data directory, standing measures, counters, the log.
 * @throws StoreError naming the store that cannot be opened
 */
export async function openRooms(options: OpenRoomsOptions): Promise<Rooms> {
  const { config, emit } = options
  const connections = new Connections(config, options.dataDirectory)
  const closers: (() => Promise<void>)[] = [() => connections.close()]
  const close = async (): Promise<void> => {
    for (const closer of closers.splice(0).reverse()) await closer()
  }
  try {
    const audit = await openAudit(config, connections)
    if (audit !== undefined) closers.push(() => audit.close())
    const remediations = await openRemediations({ config, connections, emit })
    closers.push(() => remediations.close())
    return {
      clock: systemClock,
      remediations,
      limitStore: new MemoryStore(options.limits === undefined ? {} : { table: options.limits }),
      detectors: [],
      recorder: audit,
      audit,
      secret: options.secret ?? systemRandom.bytes(32),
      probes: [remediations, ...(audit === undefined ? [] : [audit])],
      close,
    }
  } catch (error) {
    await close()
    throw error
  }
}

/** Rooms that keep everything in memory and nothing afterwards: for a replay, on a clock of its own. */
export async function memoryRooms(config: Config, clock: Clock): Promise<Rooms> {
  const remediations = await openRemediations({ config, connections: undefined, clock })
  return {
    clock,
    remediations,
    limitStore: new MemoryStore({ clock }),
    detectors: [],
    recorder: undefined,
    audit: undefined,
    secret: systemRandom.bytes(32),
    probes: [],
    close: () => remediations.close(),
  }
}
