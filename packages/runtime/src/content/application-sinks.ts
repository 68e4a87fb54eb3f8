import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { createRequire, syncBuiltinESMExports } from 'node:module'
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
import { DoubtfulValues } from './doubtful-values.ts'

/** Drivers of databases, wherever they are installed; each file exports its classes. */
const DRIVER_FILE = /[/\\]node_modules[/\\](?:pg[/\\]lib[/\\]index|pg-pool[/\\]index|mysql2[/\\]index)\.js$/
/** Modules that may be, or bring, such a file. */
const DRIVER = /(?:^|[/\\])(?:pg|pg-pool|mysql2)(?:$|[/\\])/
/** Channels on which Node tells of each module that was loaded. */
const LOADED = ['tracing:module.require:end', 'tracing:module.import:asyncEnd'] as const

/**
 * Watches calls of the application in this process: statements, commands, paths and addresses, each compared
 * with the request that its handler works for. What is watched is wrapped when the first request comes, and
 * put back at the end. Drivers are watched once the application has loaded them.
 *
 * A request in which nothing could act (`Exchange.isInert`, most of them) runs as if nothing was watched.
 */
export class ApplicationSinks {
  /** What inspection is not sure of, and a call may decide. */
  readonly doubts: DoubtfulValues
  readonly #emit: (event: Event) => void
  readonly #cache = createRequire(import.meta.url).cache
  #settings: CompiledSinks | false = false
  #sinks: ProtectedSinks | undefined
  /** Whether a driver was loaded since it was looked for. */
  #isBehind = true
  /** Whether requests in which nothing could act are compared too: any of their values may name a host. */
  #takesInert = false

  /** @param emit takes an event of every hit */
  constructor(emit: (event: Event) => void) {
    this.#emit = emit
    this.doubts = new DoubtfulValues(emit)
  }

  /** Takes what a configuration says of sinks. */
  follow(config: CompiledConfig): void {
    const settings = config.inspect === false ? false : effective(config, config.inspect.sinks)
    if (JSON.stringify(settings) === JSON.stringify(this.#settings)) return
    this.close()
    this.#settings = settings
    if (settings === false) return
    this.#takesInert = settings.url !== 'off'
    for (const channel of LOADED) subscribe(channel, this.#loaded)
  }

  /** Runs the handler of an exchange; what it calls is compared with what the exchange carries. */
  around<Result>(exchange: Exchange, work: () => Result): Result {
    if (this.#settings === false) return work()
    if (this.#isBehind) this.#wrap(this.#settings)
    if ((exchange.isInert && !this.#takesInert) || this.#sinks === undefined) return work()
    return this.#sinks.run(new SinkRequest(exchange), work, this.doubts.locations(exchange))
  }

  /** Puts back what was wrapped. */
  close(): void {
    for (const channel of LOADED) unsubscribe(channel, this.#loaded)
    this.#isBehind = true
    if (this.#sinks === undefined) return
    this.#sinks.restore()
    syncBuiltinESMExports()
    this.#sinks = undefined
  }

  readonly #loaded = (message: unknown): void => {
    const { id, url, parentFilename } = message as Readonly<Record<string, unknown>>
    if ([id, url, parentFilename].some(name => typeof name === 'string' && DRIVER.test(name)))
      this.#isBehind = true
  }

  #wrap(settings: CompiledSinks): void {
    this.#isBehind = false
    const targets = targetsOf(settings, settings.sql === 'off' ? [] : this.#drivers())
    if (this.#sinks !== undefined) {
      this.#sinks.extend(targets)
      return
    }
    this.#sinks = protectSinks(targets, {
      mode: modesOf(settings),
      onHit: (hit, request) => this.#report(hit, request, settings),
      onBound: ({ kind, location }, request) => {
        if (request instanceof SinkRequest) this.doubts.bound(request.exchange, kind, location)
      },
    })
    // For what was imported by name: `import { exec } from 'node:child_process'`.
    syncBuiltinESMExports()
  }

  /** What the drivers export that were loaded so far. */
  #drivers(): readonly unknown[] {
    return Object.keys(this.#cache)
      .filter(file => DRIVER_FILE.test(file))
      .map(file => this.#cache[file]?.exports)
  }

  #report(hit: SinkHit, request: InspectedRequest, settings: CompiledSinks): void {
    if (!(request instanceof SinkRequest)) return
    this.doubts.condemn(request.exchange)
    const { actor, request: about } = new HttpEvent(request.exchange, undefined)
    const data = { kind: hit.kind, location: hit.location, method: hit.method }
    const type = settings[hit.kind] === 'report' ? 'sink.reported' : 'sink.refused'
    this.#emit({ type, time: request.exchange.time, actor, request: about, data })
  }
}

/** The prototypes of classes that a driver exports, or is. */
function prototypesOf(exported: unknown, names: readonly string[]): object[] {
  if ((typeof exported !== 'object' && typeof exported !== 'function') || exported === null) return []
  return names.flatMap(name => {
    const made: unknown = name === '' ? exported : Reflect.get(exported, name)
    const prototype: unknown = typeof made === 'function' ? made.prototype : undefined
    return typeof prototype === 'object' && prototype !== null ? [prototype] : []
  })
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

function targetsOf({ sql, command, path, url }: CompiledSinks, drivers: readonly unknown[]): SinkTargets {
  const { DatabaseSync, StatementSync } = process.getBuiltinModule('node:sqlite')
  const pools = drivers.flatMap(driver => prototypesOf(driver, ['', 'Pool']))
  return {
    ...(sql !== 'off' && {
      sql: [
        ...drivers.flatMap(driver => prototypesOf(driver, ['Client', 'Connection'])),
        ...pools,
        DatabaseSync.prototype,
      ],
      pools,
      statements: [StatementSync.prototype],
    }),
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
