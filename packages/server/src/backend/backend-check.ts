import type { CompiledBackendCheck } from '@postern/config'
import type { Clock, Event, Health, HealthProbe } from '@postern/core'
import { askBackend, dial } from './dial.ts'

/** Answers in a row that make a backend down, and up again: one that comes and goes is neither each time. */
const FAILURES = 3
const SUCCESSES = 2
/** Milliseconds to the next check while answers do not agree with what the backend is said to be. */
const DOUBT_MS = 1_000

/** What a backend is: `unknown` until it answered, or failed, often enough. */
type State = 'unknown' | 'up' | 'down'

/**
 * Whether a backend is up, from checks of it. The first that succeeds makes an unknown one up; after that it
 * changes when several in a row say so.
 */
export class BackendStanding {
  #state: State = 'unknown'
  #against = 0
  #problem: string | undefined

  get state(): State {
    return this.#state
  }

  /** What the last check that failed found. */
  get problem(): string | undefined {
    return this.#problem
  }

  /** Whether the last check agrees with the state. */
  get isSure(): boolean {
    return this.#against === 0 && this.#state !== 'unknown'
  }

  /** Takes the result of a check. @returns the new state when it changed */
  take(problem: string | undefined): 'up' | 'down' | undefined {
    const found = problem === undefined ? 'up' : 'down'
    if (problem !== undefined) this.#problem = problem
    if (found === this.#state) {
      this.#against = 0
      return undefined
    }
    this.#against++
    const needed = found === 'down' ? FAILURES : this.#state === 'unknown' ? 1 : SUCCESSES
    if (this.#against < needed) return undefined
    this.#state = found
    this.#against = 0
    return found
  }
}

/** Looks once, as the configuration says. @returns what is wrong with the backend */
export function checkedOnce(upstream: string, path: string | undefined): Promise<string | undefined> {
  return path === undefined ? dial(upstream) : askBackend(upstream, path)
}

/** What the check of a backend needs. */
export interface BackendCheckParts {
  readonly upstream: string
  readonly settings: CompiledBackendCheck
  readonly clock: Clock
  /** Receives `gateway.backend-down` and `gateway.backend-up`. */
  readonly emit: (event: Event) => void
  /** Opens a connection, or asks for the path. @returns why it could not. Default: it does */
  readonly ask?: () => Promise<string | undefined>
}

/**
 * Looks at the backend again and again, so that readiness, the log and metrics say when it is
 * down and when it is back, without waiting for a request. Whether a process whose backend is down is ready
 * is for the configuration: where all instances share one backend, taking all of them out of rotation
 * replaces their answers with a worse one; where each has its own, only the one concerned must go.
 */
export class BackendCheck implements HealthProbe {
  readonly #parts: BackendCheckParts
  readonly #standing = new BackendStanding()
  #timer: NodeJS.Timeout | undefined
  #isClosed = false
  #downSince = 0

  constructor(parts: BackendCheckParts) {
    this.#parts = parts
    this.#start()
  }

  #start(): void {
    const { upstream, settings } = this.#parts
    const ask = this.#parts.ask ?? (() => checkedOnce(upstream, settings.path))
    void ask().then(problem => {
      if (this.#isClosed) return
      this.#take(problem)
      const { every } = settings
      const wait = this.#standing.isSure ? every : Math.min(every, DOUBT_MS)
      this.#timer = setTimeout(() => this.#start(), wait).unref()
    })
  }

  #take(problem: string | undefined): void {
    const { clock, emit } = this.#parts
    const before = this.#standing.state
    const changed = this.#standing.take(problem)
    if (changed === 'down') {
      this.#downSince = clock.monotonic()
      const data = { problem: this.#standing.problem ?? '' }
      emit({ type: 'gateway.backend-down', time: clock.now(), actor: {}, data })
    } else if (changed === 'up' && before === 'down') {
      const seconds = Math.round((clock.monotonic() - this.#downSince) / 1_000)
      emit({ type: 'gateway.backend-up', time: clock.now(), actor: {}, data: { seconds } })
    }
  }

  health(): Health {
    const { state, problem } = this.#standing
    const { required } = this.#parts.settings
    if (state === 'up') return { name: 'backend', ok: true, required }
    if (state === 'down')
      return { name: 'backend', ok: false, required, detail: `does not answer (${problem})` }
    // Nobody knows yet. Only who must have a backend waits for it.
    return { name: 'backend', ok: !required, required, detail: 'not checked yet' }
  }

  /** Ends it: nothing is emitted any more, and what a check under way finds counts for nothing. */
  close(): void {
    this.#isClosed = true
    clearTimeout(this.#timer)
  }
}
