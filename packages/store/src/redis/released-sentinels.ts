import type { RedisOptions, SentinelConnectionOptions, SentinelConnector } from 'ioredis'
import { redisDriver } from '../driver/drivers.ts'

/** How long a Sentinel has to close its side, once it has answered or has been given up. */
const PARTING_MS = 100

/**
 * The driver's way to Sentinels, except that the pause after all of them were away does not keep the process,
 * and ends with the connection: the driver gives no access to the timer of its own.
 * @param pauseBeforeRetry milliseconds, for the number of rounds that failed
 */
export function releasedSentinels(
  pauseBeforeRetry: (times: number) => number,
): NonNullable<RedisOptions['Connector']> {
  return class extends redisDriver().SentinelConnector {
    #endPause: (() => void) | undefined

    constructor(options: unknown) {
      super({ ...(options as SentinelConnectionOptions), sentinelRetryStrategy: () => null })
      const open: unknown = Reflect.get(this, 'connectToSentinel')
      if (typeof open === 'function')
        Reflect.set(this, 'connectToSentinel', (endpoint: unknown, own?: object): unknown =>
          open.call(this, endpoint, { ...own, disconnectTimeout: PARTING_MS }),
        )
    }

    override async connect(
      ...[emit]: Parameters<SentinelConnector['connect']>
    ): ReturnType<SentinelConnector['connect']> {
      for (let times = 1; ; times++)
        try {
          return await super.connect(emit)
        } catch (error) {
          if (!this.connecting) throw error
          emit('error', error instanceof Error ? error : new Error(String(error)))
          await this.#pause(pauseBeforeRetry(times))
          if (!this.connecting) throw error
        }
    }

    override disconnect(): void {
      super.disconnect()
      this.#endPause?.()
    }

    #pause(ms: number): Promise<void> {
      const { promise, resolve } = Promise.withResolvers<void>()
      const timer = setTimeout(resolve, ms).unref()
      this.#endPause = () => {
        clearTimeout(timer)
        resolve()
      }
      return promise
    }
  }
}
