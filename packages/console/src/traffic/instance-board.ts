import type { Clock, Health, HealthProbe } from '@postern/core'

/** One of several gateways that share a PostgreSQL. */
export interface Instance {
  readonly name: string
  /** Where it takes requests. */
  readonly gateway: string
  readonly version: string
  /** Digest of the configuration in force: equal where the same configuration holds. */
  readonly configuration: string
  /** Epoch milliseconds. */
  readonly startedAt: number
  readonly seenAt: number
}

/** Where instances are written down: `PostgresTraffic`. */
export interface InstanceTable {
  report(instance: Instance): Promise<void>
  leave(name: string, now: number): Promise<void>
  instances(from: number): Promise<readonly Instance[]>
}

export interface InstanceBoardOptions {
  readonly table: InstanceTable
  readonly clock: Clock
  /** This instance as it is now. */
  readonly own: () => Omit<Instance, 'seenAt'>
}

const EVERY_MS = 5_000
/** An instance that said nothing for so long is not shown. */
const GONE_MS = 20_000

/** Says every few seconds that this instance is there, and knows the others. */
export class InstanceBoard implements HealthProbe {
  readonly #options: InstanceBoardOptions
  readonly #timer: NodeJS.Timeout
  #problem: string | undefined

  constructor(options: InstanceBoardOptions) {
    this.#options = options
    this.#timer = setInterval(() => void this.report(), EVERY_MS).unref()
    void this.report()
  }

  /** Says that this instance is there; never rejects. */
  async report(): Promise<void> {
    const { table, clock, own } = this.#options
    try {
      await table.report({ ...own(), seenAt: clock.now() })
      this.#problem = undefined
    } catch (error) {
      this.#problem = error instanceof Error ? error.message : 'cannot be written'
    }
  }

  /** Instances that are there, this one among them even while the table is away. */
  async list(): Promise<readonly Instance[]> {
    const { table, clock, own } = this.#options
    const now = clock.now()
    const self = { ...own(), seenAt: now }
    const others = await table.instances(now - GONE_MS).catch(() => [])
    return [self, ...others.filter(({ name }) => name !== self.name)]
  }

  health(): Health {
    const detail = this.#problem
    return {
      name: 'instances',
      ok: detail === undefined,
      required: false,
      ...(detail !== undefined && { detail }),
    }
  }

  /** Takes this instance off the board. */
  async close(): Promise<void> {
    clearInterval(this.#timer)
    const { table, clock, own } = this.#options
    await table.leave(own().name, clock.now()).catch(() => undefined)
  }
}
