import { readFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { SystemReading } from '@postern/console'
import type { Runtime } from '@postern/runtime'

const RESOLUTION_MS = 20
const MAX_NAME = 100

/**
 * What names an instance among several: the host, and the port of its gateway, which a restart keeps; in an
 * application's own process the number of that.
 */
export function instanceName(gateway: string): string {
  const place = gateway === '' ? String(process.pid) : new URL(gateway).port
  return `${hostname().slice(0, MAX_NAME)}:${place}`
}

/** Reads the process that the console is part of. */
export class SystemReadings {
  readonly #runtime: Runtime
  readonly #delay: ReturnType<typeof monitorEventLoopDelay>
  readonly #name: string
  readonly #counts: { readonly workers: number; readonly lost: () => Readonly<Record<string, number>> }

  /** @param counts name of the instance, threads that take requests, events lost elsewhere than in the log */
  constructor(
    runtime: Runtime,
    {
      name,
      ...counts
    }: {
      readonly name: string
      readonly workers: number
      readonly lost: () => Readonly<Record<string, number>>
    },
  ) {
    this.#runtime = runtime
    this.#name = name
    this.#counts = counts
    this.#delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
    this.#delay.enable()
  }

  read(): SystemReading {
    const { rss, heapUsed, heapTotal } = process.memoryUsage()
    const { audit, connections } = this.#runtime.resources
    const delay = this.#delay
    // The histogram holds intervals between two ticks, which are its resolution apart when nothing is late.
    const late = (nanoseconds: number): number =>
      Number.isFinite(nanoseconds) ? Math.max(0, nanoseconds / 1e6 - RESOLUTION_MS) : 0
    const eventLoopDelay = {
      mean: late(delay.mean),
      p99: late(delay.percentile(99)),
      max: late(delay.max),
    }
    delay.reset()
    const { node, openssl, v8 } = process.versions
    return {
      instance: this.#name,
      versions: {
        postern: ownVersion(),
        node,
        openssl,
        v8,
        sqlite: process.versions['sqlite'] ?? '',
      },
      uptime: process.uptime(),
      memory: { resident: rss, heapUsed, heapTotal },
      eventLoopDelay,
      workers: this.#counts.workers,
      stores: [
        ...(connections === undefined || connections.isMemoryOnly
          ? []
          : [{ name: 'data directory', kind: 'sqlite' }]),
        ...(connections?.postgres === undefined ? [] : [{ name: 'stores.postgres', kind: 'postgres' }]),
        ...(connections?.redis === undefined ? [] : [{ name: 'stores.redis', kind: 'redis' }]),
      ],
      lost: { audit: audit?.counts().lost ?? 0, ...this.#counts.lost() },
    }
  }

  close(): void {
    this.#delay.disable()
  }
}

/** Version of this package. */
export function ownVersion(): string {
  const manifest = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    readonly version: string
  }
  return manifest.version
}
