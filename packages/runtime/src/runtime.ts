import { type CompiledConfig, changedRestartKeys, type LoadedConfig } from '@postern/config'
import { ConfigError, type Engine, type Event, type EventListener, type Health } from '@postern/core'
import type { RemediationStore } from '@postern/remediate'
import type { Throttle } from '@postern/throttle'
import { scenariosOf } from './detection/scenarios.ts'
import { buildEngine, type Compiled } from './engine/build-engine.ts'
import { type OpenResourcesOptions, openResources } from './resources/open-resources.ts'
import type { ServingResources } from './resources/resources.ts'

export type RuntimeOptions = Omit<OpenResourcesOptions, 'emit'>

/**
 * The whole runtime of one process: the resources, and the engine that the current configuration compiles to.
 * A reload swaps the engine; exchanges under way settle on the one that opened them.
 */
export class Runtime {
  readonly resources: ServingResources
  readonly #listeners = new Set<EventListener>()
  #current: Compiled

  private constructor(resources: ServingResources, current: Compiled) {
    this.resources = resources
    this.#current = this.#followed(current)
    resources.whenRenewed?.(() => this.replace(this.#current.loaded))
  }

  /**
   * @throws ConfigError for a configuration that cannot be put together, with all of its mistakes; StoreError
   * for a store that cannot be opened
   */
  static async open(options: RuntimeOptions): Promise<Runtime> {
    try {
      return await Runtime.#open(options)
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error
      const { withAllMistakes } = await import('./mistakes/mistakes.ts')
      throw await withAllMistakes(error, options.loaded)
    }
  }

  static async #open(options: RuntimeOptions): Promise<Runtime> {
    const early: Event[] = []
    let emit = (event: Event): void => void early.push(event)
    const resources = await openResources({ ...options, emit: event => emit(event) })
    try {
      const runtime = new Runtime(resources, buildEngine(options.loaded, resources))
      emit = event => runtime.engine.emit(event)
      for (const event of early) runtime.engine.emit(event)
      return runtime
    } catch (error) {
      await resources.close()
      throw error
    }
  }

  /**
   * A runtime over resources that were opened already.
   * @throws ConfigError for a configuration that cannot be put together
   */
  static over(resources: ServingResources, loaded: LoadedConfig): Runtime {
    return new Runtime(resources, buildEngine(loaded, resources))
  }

  /** The engine that decides now. */
  get engine(): Engine {
    return this.#current.engine
  }

  /** The configuration in force. */
  get config(): CompiledConfig {
    return this.#current.loaded.config
  }

  /** Inspection rules of others: how many are in force, and how many were not understood. */
  get foreignRules(): Compiled['foreign'] {
    return this.#current.foreign
  }

  get limits(): Throttle {
    return this.#current.throttle
  }

  get remediations(): RemediationStore {
    return this.resources.remediations
  }

  /**
   * Puts another configuration into force, whole or not at all; it is recorded.
   * @returns the changed keys that need a restart to take effect
   * @throws ConfigError when it cannot be put together; the old one stays
   */
  reload(loaded: LoadedConfig): readonly string[] {
    const before = this.#current
    this.replace(loaded)
    const waiting = changedRestartKeys(before.loaded.written, loaded.written)
    this.engine.emit({
      type: 'config.reloaded',
      time: this.resources.clock.now(),
      actor: {},
      data: { needRestart: waiting },
    })
    return waiting
  }

  /**
   * Puts another configuration into force without a word in the log.
   * @throws ConfigError; the old one stays
   */
  replace(loaded: LoadedConfig): void {
    const { scenarios } = this.resources
    const next = scenarios === undefined ? undefined : scenariosOf(loaded)
    this.#current = this.#followed(buildEngine(loaded, this.resources))
    if (next !== undefined) scenarios?.replace(next)
  }

  /** Records that a configuration was refused, and says what to tell the operator. */
  reloadFailed(error: unknown): string {
    const why = error instanceof Error ? error.message : 'could not be read'
    const issues = error instanceof ConfigError ? error.issues.length : 1
    this.engine.emit({
      type: 'config.refused',
      time: this.resources.clock.now(),
      actor: {},
      data: { issues },
    })
    return `the new configuration was refused; the old one stays in force:\n${why}`
  }

  /**
   * Adds a listener that hears every engine, also those of later configurations; the returned function
   * removes it.
   */
  listen(listener: EventListener): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  #followed(compiled: Compiled): Compiled {
    compiled.engine.listen(event => {
      if (this.#listeners.size > 0) for (const listener of this.#listeners) listener(event)
    })
    return compiled
  }

  health(): readonly Health[] {
    return this.engine.health()
  }

  close(): Promise<void> {
    return this.resources.close()
  }
}
