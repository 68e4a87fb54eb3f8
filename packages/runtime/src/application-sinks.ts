import { createRequire, syncBuiltinESMExports } from 'node:module'
import { join } from 'node:path'
import type { CompiledConfig, CompiledSinks } from '@postern/config'
import { type Event, type Exchange, HttpEvent } from '@postern/core'
import {
  type InspectedRequest,
  type ProtectedSinks,
  protectSinks,
  type SinkHit,
  type SinkMode,
  type SinkTargets,
} from '@postern/inspect'

/** Drivers of databases, and which of their classes sends statements. */
const DRIVERS = [
  ['pg', 'Client'],
  ['mysql2', 'Connection'],
] as const

/** Requests during which drivers are looked for that the application has yet to load. */
const LOOKS = 20

/**
 * Watches calls of the application in this process: statements, commands, paths and addresses, each compared
 * with the request that its handler works for. What is watched is wrapped when the first request comes, and
 * put back at the end. Only drivers that the application itself has loaded are watched.
 */
export class ApplicationSinks {
  readonly #require: NodeJS.Require
  readonly #emit: (event: Event) => void
  #settings: CompiledSinks | false = false
  #sinks: ProtectedSinks | undefined
  /** Wrapped so far, by module. */
  #drivers = 0
  #looks = 0

  /**
   * @param folder from which the application loads its drivers
   * @param emit takes an event of every hit
   */
  constructor(folder: string, emit: (event: Event) => void) {
    this.#require = createRequire(join(folder, 'postern.js'))
    this.#emit = emit
  }

  /** Takes what a configuration says of sinks. */
  follow(config: CompiledConfig): void {
    const settings = config.inspect === false ? false : effective(config, config.inspect.sinks)
    if (JSON.stringify(settings) === JSON.stringify(this.#settings)) return
    this.close()
    this.#settings = settings
  }

  /** Runs the handler of an exchange; what it calls is compared with what the exchange carries. */
  around<Result>(exchange: Exchange, work: () => Result): Result {
    if (this.#settings === false) return work()
    if (this.#looks < LOOKS) this.#look(this.#settings)
    return this.#sinks === undefined ? work() : this.#sinks.run(new SinkRequest(exchange), work)
  }

  /** Puts back what was wrapped. */
  close(): void {
    if (this.#sinks === undefined) return
    this.#sinks.restore()
    syncBuiltinESMExports()
    this.#sinks = undefined
    this.#drivers = 0
    this.#looks = 0
  }

  #look(settings: CompiledSinks): void {
    this.#looks++
    const drivers = settings.sql === 'off' ? [] : this.#loadedDrivers()
    if (this.#sinks !== undefined && drivers.length === this.#drivers) return
    this.#sinks?.restore()
    this.#drivers = drivers.length
    this.#sinks = protectSinks(targetsOf(settings, drivers), {
      mode: modesOf(settings),
      onHit: (hit, request) => this.#report(hit, request, settings),
    })
    // For what was imported by name: `import { exec } from 'node:child_process'`.
    syncBuiltinESMExports()
  }

  #loadedDrivers(): object[] {
    return DRIVERS.flatMap(([name, className]) => {
      const found: unknown = this.#loaded(name)
      const made: unknown =
        typeof found === 'object' && found !== null ? Reflect.get(found, className) : undefined
      const prototype: unknown = typeof made === 'function' ? made.prototype : undefined
      return typeof prototype === 'object' && prototype !== null ? [prototype] : []
    })
  }

  /** What a module exports, where it was loaded already. */
  #loaded(name: string): unknown {
    try {
      return this.#require.cache[this.#require.resolve(name)]?.exports
    } catch {
      return undefined
    }
  }

  #report(hit: SinkHit, request: InspectedRequest, settings: CompiledSinks): void {
    if (!(request instanceof SinkRequest)) return
    const { actor, request: about } = new HttpEvent(request.exchange, undefined)
    const data = { kind: hit.kind, location: hit.location, method: hit.method }
    const type = settings[hit.kind] === 'report' ? 'sink.reported' : 'sink.refused'
    this.#emit({ type, time: request.exchange.time, actor, request: about, data })
  }
}

/** In observe mode nothing is refused, here as elsewhere. */
function effective(config: CompiledConfig, sinks: CompiledSinks | false): CompiledSinks | false {
  if (sinks === false) return false
  const isObserved =
    config.mode === 'observe' || (config.inspect !== false && config.inspect.mode === 'observe')
  if (!isObserved) return sinks
  const reported = (mode: CompiledSinks['sql']): CompiledSinks['sql'] => (mode === 'off' ? 'off' : 'report')
  return {
    sql: reported(sinks.sql),
    command: reported(sinks.command),
    path: reported(sinks.path),
    url: reported(sinks.url),
  }
}

function modesOf(settings: CompiledSinks): Partial<Record<keyof CompiledSinks, SinkMode>> {
  const { sql, command, path, url } = settings
  return {
    ...(sql !== 'off' && { sql }),
    ...(command !== 'off' && { command }),
    ...(path !== 'off' && { path }),
    ...(url !== 'off' && { url }),
  }
}

function targetsOf({ sql, command, path, url }: CompiledSinks, drivers: readonly object[]): SinkTargets {
  const { DatabaseSync } = process.getBuiltinModule('node:sqlite')
  return {
    ...(sql !== 'off' && { sql: [...drivers, DatabaseSync.prototype] }),
    ...(command !== 'off' && { command: [process.getBuiltinModule('node:child_process')] }),
    ...(path !== 'off' && {
      path: [process.getBuiltinModule('node:fs'), process.getBuiltinModule('node:fs/promises')],
    }),
    ...(url !== 'off' && { url: [globalThis] }),
  }
}

/** An exchange as sinks compare it: with the start of its body once that was read. */
class SinkRequest implements InspectedRequest {
  readonly exchange: Exchange
  body: Uint8Array | undefined = undefined

  constructor(exchange: Exchange) {
    this.exchange = exchange
    if (!exchange.isBodyRead) return
    void exchange.readDecodedBody().then(
      start => {
        this.body = start?.bytes
      },
      () => undefined,
    )
  }

  get method(): string {
    return this.exchange.method
  }

  get target(): string {
    return this.exchange.source.target
  }

  get headers(): Exchange['headers'] {
    return this.exchange.headers
  }
}
