import type { Clock, Event, EventRecorder, RandomSource } from '@postern/core'
import { namedIn, type VerifiedCapability, verifyCapability } from '../split/capability.ts'
import { saltFrom } from '../split/contribution.ts'
import { Identities } from '../split/identity-statement.ts'
import type { OpenBatch } from '../split/open-batch.ts'
import { type HolderId, PARTS_OF, type Part } from '../split/part.ts'
import { AskedBudgets } from './asked-budgets.ts'
import { BatchInputs, placeOf } from './batch-inputs.ts'
import { VERSION_CHARACTERS } from './counted-records.ts'
import { hardenParts } from './harden-parts.ts'
import type { HolderAnswer, PartsAnswer, Refusal, TrustDomain } from './holder-answer.ts'
import type { HolderJournal } from './holder-journal.ts'
import type { HolderKeys } from './holder-keys.ts'
import { covers, coversAll, type HolderPolicy, type ServiceRights } from './holder-policy.ts'
import { parseServiceRequest, type SealItem, type ServiceRequest } from './holder-request.ts'
import { openedRows } from './opened-rows.ts'
import { OutstandingNonces } from './outstanding-nonces.ts'
import { SealingEpoch } from './sealing-epoch.ts'
import { SeenCapabilities } from './seen-capabilities.ts'
import { SteadyTime } from './steady-time.ts'
import { type BudgetUsage, longestWindow, WindowBudgets } from './window-budgets.ts'

/** Entries of the journal between two clearings of it. */
const CLEAR_EVERY = 256
/** Users whose guesses are counted at once: whoever may harden names as many as he likes. */
const MAX_GUESSED = 100_000
/** What is stored is written once per record, what is searched for by people: so many times as much. */
const STORED_PER_SEARCH = 100

/** The keys, policy and journal that a holder decides with, and where its acts are logged. */
export interface HolderCoreOptions {
  readonly keys: HolderKeys
  readonly policy: HolderPolicy
  readonly journal: HolderJournal
  readonly clock: Clock
  readonly random: RandomSource
  /** Where the holder writes down what it did: its own audit log. */
  readonly recorder: EventRecorder
  readonly domain?: TrustDomain
  /**
   * Nothing is opened before, epoch milliseconds: the file was restored, and does not know what was opened
   * since it was copied.
   */
  readonly closedUntil?: number
  /**
   * Runs work that no answer has to wait for once the answer has left. Default: at once. The work may throw.
   */
  readonly later?: (work: () => void) => void
  /** Called with every actor frozen here, so that the other holders freeze it too. */
  readonly onFreeze?: (actor: string, reason: string) => void
}

/**
 * What a holder decides, without a socket or a file: whether a service may have the parts of a record key.
 *
 * The order of questions in `open` is part of the design: rights, capability, freeze, canary,
 * budget; then the charge is written down, then the parts are computed. A crash between the
 * last two costs a unit and opens nothing.
 */
export class HolderCore {
  readonly id: HolderId
  readonly #options: HolderCoreOptions
  readonly #budgets: WindowBudgets
  readonly #nonces: OutstandingNonces
  readonly #seen: SeenCapabilities
  readonly #frozen = new Map<string, string>()
  readonly #canaries: Set<string>
  readonly #inputs = new BatchInputs()
  readonly #searches: AskedBudgets
  readonly #guesses: AskedBudgets
  readonly #identities: Identities
  readonly #time: SteadyTime
  #guessNumber = 0
  readonly #sealing: SealingEpoch
  #written = 0

  constructor(options: HolderCoreOptions) {
    this.#options = options
    this.id = options.keys.id
    const { policy, journal, clock, random } = options
    this.#sealing = new SealingEpoch(this.epoch)
    this.#budgets = new WindowBudgets(policy, random)
    const { window, searches, guesses, daily = {} } = policy
    this.#searches = new AskedBudgets({ window, limit: searches, daily: daily.searches, random })
    this.#guesses = new AskedBudgets({
      ...{ window, limit: guesses, daily: daily.guesses, random },
      scopes: MAX_GUESSED,
    })
    this.#nonces = new OutstandingNonces(random)
    this.#identities = new Identities(policy.enrollers)
    this.#canaries = new Set(journal.canaries())
    this.#time = new SteadyTime(clock)
    const now = this.#time.now()
    for (const { actor, reason } of journal.frozen()) this.#frozen.set(actor, reason)
    const since = now - longestWindow(policy)
    for (const entry of journal.openedSince(since)) this.#budgets.charge(entry, entry.time, now)
    for (const { scope, terms, time } of journal.searchedSince(since))
      this.#searches.charge(scope, terms, time, now)
    for (const { user, time } of journal.guessedSince(since))
      this.#guesses.charge(user, [this.#nextGuess()], time, now)
    this.#seen = SeenCapabilities.from(journal, Object.keys(policy.services).length, now)
  }

  /** Epoch that seals: the newest that is complete here. */
  get epoch(): number {
    return this.#options.keys.epochs.at(-1) ?? -1
  }

  /**
   * Answers one request of a service, whose name the transport has established.
   * @throws StoreError when the charge cannot be written down; nothing was opened then
   */
  answer(service: string, body: unknown): HolderAnswer {
    const request = parseServiceRequest(body)
    if (typeof request === 'string') return this.#refuse(service, { refused: 'malformed', detail: request })
    const { services } = this.#options.policy
    const rights = Object.hasOwn(services, service) ? services[service] : undefined
    if (rights === undefined) return this.#refuse(service, { refused: 'forbidden' })
    switch (request.op) {
      case 'ping':
        return { pong: true, epoch: this.epoch, ...this.#options.domain }
      case 'nonces': {
        const now = this.#time.now()
        this.#sealing.observe(this.epoch, now)
        return { nonces: this.#nonces.issue(service, request.count, now), epoch: this.epoch }
      }
      case 'seal':
        return this.#seal(service, rights, request.epoch, request.items)
      case 'open':
        return this.#open(service, rights, request.batch, request.capability)
      case 'term':
        return this.#term(service, rights, request)
      case 'harden':
        return this.#harden(service, rights, request)
    }
  }

  #seal(service: string, rights: ServiceRights, epoch: number, items: readonly SealItem[]): HolderAnswer {
    if (!items.every(({ context }) => covers(rights.seal, context.table, context.column)))
      return this.#refuse(service, { refused: 'forbidden' })
    if (!this.#sealing.allows(epoch, this.epoch, this.#time.now()))
      return { refused: 'epoch', current: this.epoch }
    const own: string[] = []
    for (const { contributions } of items) {
      const mine = contributions.find(({ holder }) => holder === this.id)
      if (mine === undefined) return this.#refuse(service, { refused: 'contribution' })
      own.push(Buffer.from(mine.nonce).toString('base64url'))
    }
    // Used up before anything is computed: a contribution that comes twice would
    // return the key of what it sealed.
    if (!this.#nonces.take(service, own)) return this.#refuse(service, { refused: 'contribution' })
    this.#inputs.clear()
    for (const { context, contributions } of items)
      this.#inputs.add(context, encoded => saltFrom(encoded, contributions))
    return this.#parts('record', () => epoch)
  }

  #open(
    service: string,
    rights: ServiceRights,
    batch: OpenBatch,
    capability: string | undefined,
  ): HolderAnswer {
    const { clock, journal, keys } = this.#options
    const { items } = batch
    const now = this.#time.now()
    if (!coversAll(rights.open, items)) return this.#refuse(service, { refused: 'forbidden' })
    let person: VerifiedCapability | undefined
    if (capability !== undefined) {
      // The later of two clocks: one that is set back makes no expired capability valid.
      const verified = this.#verify(service, capability, 'open', Math.max(now, clock.now()))
      if (verified === undefined) return { refused: 'capability' }
      person = verified
      const isNamed = namedIn(person.records)
      for (const { tenant, table, column, row } of items) {
        if (!isNamed(tenant, table, column, row))
          return this.#refuse(service, { refused: 'capability' }, person.actor, 'names other records')
      }
    }
    const actor = person === undefined ? `service ${service}` : `person ${person.actor}`
    // Who has a frozen service would go on with the capabilities that people send it, or that it makes up.
    if (this.#frozen.has(actor) || this.#frozen.has(`service ${service}`))
      return this.#refuse(service, { refused: 'frozen' }, person?.actor)
    if (items.some(({ epoch }) => !keys.epochs.includes(epoch)))
      return { refused: 'epoch', current: this.epoch }
    const inputs = this.#inputs
    inputs.use(batch)
    const records = new Map<string, string>()
    for (let index = 0; index < items.length; index++)
      records.set(inputs.version(index), items[index]?.table ?? '')
    for (let index = 0; this.#canaries.size > 0 && index < items.length; index++) {
      if (!this.#canaries.has(inputs.place(index))) continue
      this.freeze(actor, 'canary')
      this.#options.onFreeze?.(actor, 'canary')
      return this.#refuse(service, { refused: 'frozen' }, person?.actor, 'canary')
    }
    const closed = this.#closed(records.size, now)
    if (closed !== undefined) return this.#refuse(service, closed, person?.actor, 'restored')
    const charge = { person: person?.actor, service, records }
    const weighed = this.#budgets.weigh(charge, now)
    if ('shortage' in weighed) {
      const { shortage } = weighed
      return this.#refuse(service, { refused: 'budget', ...shortage }, person?.actor, shortage.budget)
    }
    const used = person && {
      ...{ service, actor: person.actor, nonce: person.nonce, expiresAt: person.expiresAt },
    }
    if (used !== undefined && !this.#seen.use(used, now))
      return this.#refuse(service, { refused: 'capability' }, person?.actor, 'used before')
    // What every budget has counted already is free, and need not be written again.
    const fresh = { ...charge, records: weighed.fresh }
    journal.opened({ ...fresh, time: now }, used)
    this.#budgets.charge(fresh, now)
    this.#recordOpened(service, person?.actor, items)
    this.#clear(now)
    return this.#parts('record', index => items[index]?.epoch ?? 0)
  }

  #term(
    service: string,
    rights: ServiceRights,
    { tenant, table, column, epoch, digests, purpose }: Extract<ServiceRequest, { op: 'term' }>,
  ): HolderAnswer {
    const { journal } = this.#options
    const now = this.#time.now()
    if (!covers(purpose === 'store' ? rights.seal : rights.search, table, column))
      return this.#refuse(service, { refused: 'forbidden' })
    const actor = `service ${service}`
    if (this.#frozen.has(actor)) return this.#refuse(service, { refused: 'frozen' })
    const context = { tenant, table, column, row: ['*'], version: 0 }
    this.#inputs.clear()
    for (const digest of digests) this.#inputs.add(context, digest)
    // To a thief who wants to read a search column, terms of either purpose are guesses: both are counted,
    // apart.
    const scope = `${purpose} ${service}`
    const versions = [...new Set(digests.map((_, index) => this.#inputs.version(index)))]
    const closed = this.#closed(versions.length, now)
    if (closed !== undefined) return this.#refuse(service, closed, undefined, 'restored')
    const times = purpose === 'store' ? STORED_PER_SEARCH : 1
    const weighed = this.#searches.weigh({ scope, versions, times }, now)
    if ('shortage' in weighed) return this.#refuse(service, { refused: 'budget', ...weighed.shortage })
    const { fresh } = weighed
    if (fresh.length > 0) journal.searched({ time: now, scope, terms: fresh })
    this.#searches.charge(scope, fresh, now)
    if (purpose === 'search')
      this.#record('vault.searched', service, undefined, { table, column, terms: digests.length })
    this.#clear(now)
    return this.#parts('term', () => epoch)
  }

  #harden(
    service: string,
    rights: ServiceRights,
    { user, epoch, blinded }: Extract<ServiceRequest, { op: 'harden' }>,
  ): HolderAnswer {
    const { journal, keys } = this.#options
    if (rights.harden !== true) return this.#refuse(service, { refused: 'forbidden' })
    if (this.#frozen.has(`service ${service}`)) return this.#refuse(service, { refused: 'frozen' }, user)
    if (!keys.epochs.includes(epoch)) return { refused: 'epoch', current: this.epoch }
    const now = this.#time.now()
    const closed = this.#closed(1, now)
    if (closed !== undefined) return this.#refuse(service, closed, user, 'restored')
    const guess = this.#nextGuess()
    const weighed = this.#guesses.weigh({ scope: user, versions: [guess], name: 'guesses' }, now)
    if ('shortage' in weighed) return this.#refuse(service, { refused: 'budget', ...weighed.shortage })
    journal.guessed(user, now)
    this.#guesses.charge(user, [guess], now)
    this.#record('vault.hardened', service, user, {})
    this.#clear(now)
    const parts: Partial<Record<Part, string>> = {}
    for (const part of PARTS_OF[this.id]) {
      const point = hardenParts(keys.prf(epoch, part, 'harden'), user, blinded)
      if (point === undefined)
        return this.#refuse(service, { refused: 'malformed', detail: 'blinded is not a group element' })
      parts[part] = Buffer.from(point).toString('base64url')
    }
    return { parts }
  }

  /** The refusal of a holder that was restored and cannot know what is left of any budget. */
  #closed(asked: number, now: number): Refusal | undefined {
    const retryAt = this.#options.closedUntil ?? 0
    return retryAt > now ? { refused: 'budget', budget: 'restored', allowed: 0, asked, retryAt } : undefined
  }

  /** Clears the journal of what has left the window, a little every so often. */
  #clear(now: number): void {
    if (++this.#written % CLEAR_EVERY !== 0) return
    const { journal, policy, later = work => work() } = this.#options
    later(() => journal.prune(now - longestWindow(policy)))
  }

  /** Every guess counts, also a repeated one. */
  #nextGuess(): string {
    return `${this.#guessNumber++}`.padStart(VERSION_CHARACTERS)
  }

  #verify(
    service: string,
    capability: string,
    action: 'open' | 'search',
    now: number,
  ): VerifiedCapability | undefined {
    const verified = verifyCapability(capability, { identities: this.#identities, service, action, now })
    if (typeof verified === 'object') return verified
    this.#refuse(service, { refused: 'capability' }, undefined, verified)
    return undefined
  }

  /** The keyed functions of what is in `#inputs`. */
  #parts(purpose: 'record' | 'term', epochOf: (index: number) => number): PartsAnswer | Refusal {
    const { keys } = this.#options
    const parts: Partial<Record<Part, string>> = {}
    for (let index = 0; index < this.#inputs.count; index++)
      if (!keys.epochs.includes(epochOf(index))) return { refused: 'epoch', current: this.epoch }
    for (const part of PARTS_OF[this.id])
      parts[part] = this.#inputs.outputs(index => keys.prf(epochOf(index), part, purpose))
    return { parts }
  }

  /**
   * Refuses an actor (`person NAME` or `service NAME`) everything but sealing until thawed; through a frozen
   * service nobody opens anything.
   */
  freeze(actor: string, reason: string): void {
    if (this.#frozen.has(actor)) return
    this.#options.journal.freeze(actor, reason, this.#options.clock.now())
    this.#frozen.set(actor, reason)
    this.#record('vault.frozen', '', actor, { reason })
  }

  /** Lets an actor open again. */
  thaw(actor: string): void {
    this.#options.journal.thaw(actor)
    this.#frozen.delete(actor)
    this.#record('vault.thawed', '', actor, {})
  }

  /** Actors that are frozen, and why. */
  get frozen(): ReadonlyMap<string, string> {
    return this.#frozen
  }

  /** Makes the record of this place one that nobody should open. Only a digest of the place is kept. */
  addCanary(encodedContext: Uint8Array): void {
    const place = placeOf(encodedContext)
    this.#options.journal.addCanary(place)
    this.#canaries.add(place)
    this.#record('vault.canary.added', '', undefined, {})
  }

  /** How many records nobody should open. */
  get canaries(): number {
    return this.#canaries.size
  }

  /** Units used of a scope: `all`, `person NAME`, `service NAME`, `table NAME`; of a day: `daily all`. */
  used(scope: string): number {
    return this.#budgets.used(scope, this.#time.now())
  }

  /** What is opened and may be, of everything. */
  get usage(): BudgetUsage {
    return this.#budgets.usage(this.#time.now())
  }

  #refuse(service: string, refusal: Refusal, person?: string, detail?: string): Refusal {
    this.#record('vault.refused', service, person, {
      refused: refusal.refused,
      ...(detail !== undefined && { detail }),
    })
    return refusal
  }

  #recordOpened(service: string, person: string | undefined, items: OpenBatch['items']): void {
    for (const opened of openedRows(items)) this.#record('vault.opened', service, person, opened)
  }

  #record(type: string, service: string, person: string | undefined, data: NonNullable<Event['data']>): void {
    this.#options.recorder.record({
      type,
      time: this.#options.clock.now(),
      actor: person === undefined ? { principal: `service:${service}` } : { principal: person },
      data: { holder: this.id, service, ...data },
    })
  }
}
