import {
  type Actor,
  type Clock,
  ConfigError,
  type Event,
  type Exchange,
  type Finding,
  formatDuration,
  type Health,
  type HealthProbe,
  type Measure,
  parseDuration,
  type RandomSource,
  type Remediation,
  type Remediations,
  StoreError,
  systemClock,
  systemRandom,
} from '@postern/core'
import { canonicalActor, formatActor } from './actor-text.ts'
import { loadWhole } from './load-whole.ts'
import { newRemediation } from './new-remediation.ts'
import { ProtectedActors, type ProtectedOptions } from './protected-actors.ts'
import { remediationEvent } from './remediation-event.ts'
import { type ActorSet, RemediationIndex } from './remediation-index.ts'
import type {
  RemediationChange,
  RemediationRequest,
  RemediationStoreOptions,
} from './remediation-store-options.ts'
import { memoryRemediations, type RemediationTable } from './remediation-table.ts'
import { RemediationWriter } from './remediation-writer.ts'
import { isSame } from './same-remediation.ts'
import { untilDone } from './until-done.ts'

/** How often everything is read again, in case a message between processes was lost. */
const RECONCILE_MS = 30_000
const SWEEP_MS = 1_000
/** How often a table that was away at the start is tried again. */
const RETRY_MS = 1_000

/**
 * The active remediations: looked up in memory, kept in a table, in force in every process within a second.
 * Every remediation expires; none applies to a protected actor, not even one that another process wrote.
 */
export class RemediationStore implements Remediations, HealthProbe {
  readonly #index: RemediationIndex
  readonly #table: RemediationTable
  readonly #isKeptNowhere: boolean
  #protected: ProtectedActors
  readonly #emit: (event: Event) => void
  readonly #device: ((exchange: Exchange) => string | undefined) | undefined
  readonly #capacity: number
  readonly #longest: number
  readonly #clock: Clock
  readonly #random: RandomSource
  readonly #writer: RemediationWriter
  readonly #listeners = new Set<(change: RemediationChange) => void>()
  readonly #timers: NodeJS.Timeout[] = []
  /** Ids of imported remediations: they are in memory only. */
  readonly #imported = new Set<string>()
  /** Ids that changed since each reading under way began: what was read of them may be older. */
  readonly #changed = new Set<Set<string>>()
  #dropped = 0
  #loading: Promise<void> | undefined
  #reloadAgain = false
  /** A reading that fails is repeated; the watch that began before it goes on. */
  #isWatching = false
  /** Why the table could not be read yet. */
  #away: string | undefined

  private constructor(options: RemediationStoreOptions) {
    this.#capacity = options.capacity ?? 100_000
    this.#index = new RemediationIndex(this.#capacity)
    this.#isKeptNowhere = options.table === undefined
    this.#table = options.table ?? memoryRemediations()
    this.#protected = new ProtectedActors(options.protect)
    this.#emit = options.emit ?? (() => {})
    this.#device = options.device
    this.#longest = parseDuration(options.longest ?? '365d', 'remediations.longest')
    this.#clock = options.clock ?? systemClock
    this.#random = options.random ?? systemRandom
    this.#writer = new RemediationWriter(this.#table, options.onError ?? (() => {}))
  }

  /**
   * Loads what is in force and begins to watch the table.
   * @throws StoreError when the table cannot be read; ConfigError for a bad option
   */
  static async open(options: RemediationStoreOptions = {}): Promise<RemediationStore> {
    const store = new RemediationStore(options)
    try {
      await store.#follow()
    } catch (error) {
      if (options.whenAway !== 'start' || !(error instanceof StoreError) || !error.retryable) {
        await store.#table.close()
        throw error
      }
      store.#followLater(error)
    }
    if (store.#table.name !== 'memory')
      store.#timers.push(setInterval(() => store.#reloadSoon(), RECONCILE_MS).unref())
    store.#timers.push(setInterval(() => store.sweep(), SWEEP_MS).unref())
    return store
  }

  async #follow(): Promise<void> {
    await this.reload()
    if (!this.#isWatching) {
      await this.#table.watch(change => {
        if (change.kind === 'put') this.#adopt(change.remediation)
        else if (change.kind === 'removed') this.#forget(change.id, 'elsewhere')
        else this.#reloadSoon()
      })
      this.#isWatching = true
    }
    // What changed between the two.
    await this.reload()
  }

  /** Says once that the table is away, and tries until it is there. */
  #followLater(error: StoreError): void {
    this.#away = error.message
    this.#emit({ type: 'store.away', time: this.#clock.now(), actor: {}, data: { problem: error.message } })
    const timer = untilDone(RETRY_MS, async () => {
      await this.#follow()
      this.#away = undefined
      const data = { store: this.#table.name }
      this.#emit({ type: 'store.back', time: this.#clock.now(), actor: {}, data })
    })
    this.#timers.push(timer)
  }

  find(exchange: Exchange): Remediation | undefined {
    if (this.#index.size === 0) return undefined
    return this.strongest(this.actorsOf(exchange))
  }

  /** As `find`, for the actors known on arrival (address, device), or for those that were identified. */
  findStage(exchange: Exchange, stage: 'arrival' | 'identified'): Remediation | undefined {
    if (this.#index.size === 0) return undefined
    const { address, device, ...identified } = this.actorsOf(exchange)
    return this.strongest(stage === 'arrival' ? { address, device } : identified)
  }

  /**
   * Sets the actors that no remediation may apply to, besides loopback; existing ones of them are ignored,
   * and lifted for listeners, which enforce elsewhere.
   * @throws ConfigError for entries that are not an address or range; the previous actors stay protected then
   */
  protect(options: ProtectedOptions): void {
    const before = this.#protected
    this.#protected = new ProtectedActors(options)
    for (const change of this.#protected.changesFrom(before, this.#index.values())) this.#tell(change)
  }

  /** Whether no remediation may apply to this actor; a network counts when it holds a protected address. */
  isProtected(actor: Actor): boolean {
    return this.#protected.covers(actor)
  }

  /** The strongest active remediation of any of these actors; those of protected actors are ignored. */
  strongest(actors: ActorSet): Remediation | undefined {
    return this.#index.strongest(this.#protected.without(actors), this.#clock.now())
  }

  /** Every active remediation of any of these actors, strongest first: the answer to "why?". */
  why(actors: ActorSet): readonly Remediation[] {
    return this.#index.all(actors, this.#clock.now())
  }

  /** The actors of an exchange, as far as they are known by now. */
  actorsOf(exchange: Exchange): ActorSet {
    const { principal } = exchange
    return {
      address: exchange.client,
      principal: principal.id === '' ? undefined : principal.id,
      tenant: principal.tenant,
      device: this.#device?.(exchange),
      key: principal.kind === 'apiKey' ? principal.id : undefined,
    }
  }

  /**
   * Sets the remediation that a finding asks for, in memory at once and in the table soon. An IPv6 address is
   * widened to its /56, unless that would include a protected actor. The same scenario prolongs its
   * remediation of the same actor; a negligible prolongation (a guard and a scenario that saw one request)
   * changes nothing and is not reported again.
   */
  apply(finding: Finding): Remediation | undefined {
    if (finding.respond === undefined) return undefined
    let actor: Actor
    try {
      actor = this.#protected.widened(canonicalActor(finding.actor))
    } catch {
      // A scenario grouped by something that is not an actor; its finding is still recorded.
      return undefined
    }
    if (this.#protected.covers(actor)) return undefined
    const { measure, duration } = finding.respond
    const remediation = this.#make(actor, measure, duration, finding.title, finding.scenario)
    const twin = this.#index.get(remediation.id)
    if (twin !== undefined && isSame(twin, remediation, this.#clock.now(), duration)) return twin
    this.#take(remediation, 'here')
    this.#writer.put(remediation)
    return remediation
  }

  /**
   * Sets a remediation and waits until it is stored.
   * @throws ConfigError when it would apply to a protected actor or has no end;
   *   StoreError when it cannot be stored
   */
  async add(request: RemediationRequest): Promise<Remediation> {
    const actor = canonicalActor(request.actor)
    if (this.#protected.covers(actor)) {
      throw new ConfigError({
        place: formatActor(actor),
        problem: 'is protected: it is or holds loopback, a trusted proxy or an operator',
        hint: 'name a narrower network; protected are loopback, trustProxies, remediations.never and the addresses of operators',
      })
    }
    const duration = parseDuration(request.for, 'for')
    if (!(duration >= 1_000 && duration <= this.#longest)) {
      throw new ConfigError({
        place: 'for',
        problem: `${formatDuration(duration)} is out of range`,
        hint: `the duration must be between 1s and ${formatDuration(this.#longest)}`,
      })
    }
    const origin = request.origin ?? 'manual'
    const remediation = this.#make(actor, request.measure ?? 'block', duration, request.reason, origin)
    await this.#table.put(remediation)
    this.#take(remediation, 'here')
    return remediation
  }

  /**
   * Lifts remediations: one by its id, or all that name exactly this actor.
   * @returns those lifted
   * @throws StoreError when one cannot be removed
   */
  async remove(what: string | Actor): Promise<readonly Remediation[]> {
    const named =
      typeof what === 'string' ? [this.#index.get(what)] : this.#index.against(canonicalActor(what))
    const found = [...named].filter(remediation => remediation !== undefined)
    for (const remediation of found) {
      if (!this.#imported.delete(remediation.id)) await this.#table.remove(remediation.id)
      this.#writer.cancel(remediation.id)
      this.#forget(remediation.id, 'here')
    }
    return found
  }

  /**
   * Adopts remediations from a list that every process reads for itself (another system's decisions): in
   * memory only, without an event for each. Protected actors and expired ones are left out.
   * @returns how many were adopted
   */
  adopt(remediations: readonly Remediation[]): number {
    let taken = 0
    for (const remediation of remediations) {
      this.#imported.add(remediation.id)
      this.#adopt(remediation)
      if (this.#index.get(remediation.id) === undefined) this.#imported.delete(remediation.id)
      else taken++
    }
    return taken
  }

  /** Lifts adopted remediations by their ids. */
  disown(ids: readonly string[]): void {
    for (const id of ids) if (this.#imported.delete(id)) this.#forget(id, 'elsewhere')
  }

  /** Active remediations, those that expire last first. */
  list(limit = 1_000): readonly Remediation[] {
    const now = this.#clock.now()
    return [...this.#index.values()]
      .filter(remediation => remediation.expiresAt > now)
      .sort((a, b) => b.expiresAt - a.expiresAt)
      .slice(0, limit)
  }

  /** Calls back on every change from now on; the returned function unsubscribes. */
  listen(listener: (change: RemediationChange) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Removes what has expired; called each second, and by tests on a virtual clock. */
  sweep(): void {
    for (const remediation of this.#index.sweep(this.#clock.now())) {
      this.#imported.delete(remediation.id)
      this.#tell({ kind: 'removed', remediation, cause: 'ended' })
    }
  }

  /** Reads the whole table again and follows it. @throws StoreError when it cannot be read */
  async reload(): Promise<void> {
    if (this.#isKeptNowhere) return
    const changed = new Set<string>()
    this.#changed.add(changed)
    try {
      const when = { now: this.#clock.now(), limit: this.#capacity, restore: () => this.#restore() }
      const stored = await loadWhole(this.#table, when)
      const ids = new Set(stored.map(remediation => remediation.id))
      const isKnown = (id: string): boolean =>
        ids.has(id) || changed.has(id) || this.#imported.has(id) || this.#writer.isPending(id)
      for (const { id } of [...this.#index.values()]) if (!isKnown(id)) this.#forget(id, 'elsewhere')
      for (const remediation of stored) if (!changed.has(remediation.id)) this.#adopt(remediation)
    } finally {
      this.#changed.delete(changed)
    }
  }

  health(): Health {
    const { pending, failing } = this.#writer
    return {
      name: `remediations (${this.#table.name})`,
      ok: !failing && this.#away === undefined,
      required: false,
      detail: `${this.#away === undefined ? '' : `not read yet (${this.#away}); `}${this.#index.size} in force, ${pending} not stored yet, ${this.#dropped} evicted (capacity)`,
    }
  }

  /** Resolves when every remediation set so far is stored or dropped. */
  async flush(): Promise<void> {
    await this.#writer.drain()
  }

  async close(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer)
    await this.#writer.drain()
    this.#writer.close()
    await this.#table.close()
    await this.#loading
  }

  #make(actor: Actor, measure: Measure, duration: number, reason: string, origin: string): Remediation {
    return newRemediation(
      { actor, measure, reason, origin },
      {
        now: this.#clock.now(),
        duration: Math.min(duration, this.#longest),
        twin: this.#index.twin(actor, measure, origin),
        random: this.#random,
      },
    )
  }

  #restore(): void {
    for (const known of this.#index.values()) if (!this.#imported.has(known.id)) this.#writer.put(known)
  }

  #adopt(remediation: Remediation): void {
    const known = this.#index.get(remediation.id)
    if (known?.expiresAt === remediation.expiresAt) return
    if (remediation.expiresAt <= this.#clock.now() || this.#protected.covers(remediation.actor)) return
    this.#take(remediation, 'elsewhere')
  }

  #take(remediation: Remediation, cause: 'here' | 'elsewhere'): void {
    for (const changed of this.#changed) changed.add(remediation.id)
    const dropped = this.#index.put(remediation, this.#clock.now())
    this.#dropped += dropped.length
    this.#tell({ kind: 'added', remediation, cause })
    if (cause === 'here') this.#emit(remediationEvent('remediation.added', remediation, this.#clock.now()))
  }

  #forget(id: string, cause: 'here' | 'elsewhere'): void {
    for (const changed of this.#changed) changed.add(id)
    const remediation = this.#index.delete(id)
    if (remediation === undefined) return
    this.#tell({ kind: 'removed', remediation, cause })
    if (cause === 'here') this.#emit(remediationEvent('remediation.removed', remediation, this.#clock.now()))
  }

  #tell(change: RemediationChange): void {
    for (const listener of this.#listeners) listener(change)
  }

  /** One read at a time; a change during it requests one more. */
  #reloadSoon(): void {
    if (this.#loading !== undefined) {
      this.#reloadAgain = true
      return
    }
    this.#loading = this.reload()
      .catch((error: unknown) => this.#writer.report(error))
      .finally(() => {
        this.#loading = undefined
        if (!this.#reloadAgain) return
        this.#reloadAgain = false
        this.#reloadSoon()
      })
  }
}
