import { createHash } from 'node:crypto'
import type { Clock, Event, EventRecorder, RandomSource } from '@postern/core'
import { encodeContext } from '../record/record-context.ts'
import { recordPrf } from '../record/record-keys.ts'
import { names, type VerifiedCapability, verifyCapability } from '../split/capability.ts'
import { saltFrom } from '../split/contribution.ts'
import { type HolderId, PARTS_OF } from '../split/part.ts'
import { BudgetWindow } from './budget-window.ts'
import { Budgets, holderShare } from './budgets.ts'
import { hardenParts } from './harden-parts.ts'
import type { HolderAnswer, PartsAnswer, Refusal } from './holder-answer.ts'
import type { HolderJournal } from './holder-journal.ts'
import type { HolderKeys } from './holder-keys.ts'
import { covers, type HolderPolicy, type ServiceRights } from './holder-policy.ts'
import { type OpenItem, parseServiceRequest, type SealItem, type ServiceRequest } from './holder-request.ts'
import { OutstandingNonces } from './outstanding-nonces.ts'
import { SeenCapabilities } from './seen-capabilities.ts'

export interface HolderCoreOptions {
  readonly keys: HolderKeys
  readonly policy: HolderPolicy
  readonly journal: HolderJournal
  readonly clock: Clock
  readonly random: RandomSource
  /** Where the holder writes down what it did: its own audit log. */
  readonly recorder: EventRecorder
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
  readonly #budgets: Budgets
  readonly #nonces: OutstandingNonces
  readonly #seen = new SeenCapabilities()
  readonly #frozen = new Map<string, string>()
  readonly #canaries: Set<string>
  readonly #searches = new Map<string, BudgetWindow>()
  readonly #guesses = new Map<string, BudgetWindow>()
  readonly #enrollers: ReadonlySet<string>
  #sequence = 0

  constructor(options: HolderCoreOptions) {
    this.#options = options
    this.id = options.keys.id
    const { policy, journal, clock } = options
    this.#budgets = new Budgets(
      policy.budgets,
      policy.window,
      service => policy.services[service]?.budgets ?? {},
    )
    this.#nonces = new OutstandingNonces(options.random)
    this.#enrollers = new Set(policy.enrollers)
    this.#canaries = new Set(journal.canaries())
    const now = clock.now()
    for (const { actor, reason } of journal.frozen()) this.#frozen.set(actor, reason)
    for (const entry of journal.openedSince(now - policy.window)) this.#budgets.charge(entry, entry.time)
    for (const { user, time } of journal.guessedSince(now - policy.window)) this.#guess(user, time)
    for (const { capability, expiresAt } of journal.usedAfter(now)) this.#seen.use(capability, expiresAt, now)
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
        return { pong: true, epoch: this.epoch }
      case 'nonces':
        return {
          nonces: this.#nonces.issue(service, request.count, this.#options.clock.now()),
          epoch: this.epoch,
        }
      case 'seal':
        return this.#seal(service, rights, request.epoch, request.items)
      case 'open':
        return this.#open(service, rights, request.items, request.capability)
      case 'term':
        return this.#term(service, rights, request)
      case 'harden':
        return this.#harden(service, rights, request)
    }
  }

  #seal(service: string, rights: ServiceRights, epoch: number, items: readonly SealItem[]): HolderAnswer {
    if (!items.every(({ context }) => covers(rights.seal, context.table, context.column)))
      return this.#refuse(service, { refused: 'forbidden' })
    // The one before the newest too: while an epoch begins, not every holder has it yet.
    if (epoch > this.epoch || epoch < this.epoch - 1) return { refused: 'epoch', current: this.epoch }
    const own: string[] = []
    for (const { contributions } of items) {
      const mine = contributions.find(({ holder }) => holder === this.id)
      if (mine === undefined) return this.#refuse(service, { refused: 'contribution' })
      own.push(Buffer.from(mine.nonce).toString('base64url'))
    }
    // Used up before anything is computed: a contribution that comes twice would
    // return the key of what it sealed.
    if (!this.#nonces.take(service, own)) return this.#refuse(service, { refused: 'contribution' })
    return this.#parts(
      items.map(({ context, contributions }) => {
        const encoded = encodeContext(context)
        return { epoch, encoded, salt: saltFrom(encoded, contributions) }
      }),
    )
  }

  #open(
    service: string,
    rights: ServiceRights,
    items: readonly OpenItem[],
    capability: string | undefined,
  ): HolderAnswer {
    const { clock, journal, keys } = this.#options
    const now = clock.now()
    if (!items.every(({ context }) => covers(rights.open, context.table, context.column)))
      return this.#refuse(service, { refused: 'forbidden' })
    let person: VerifiedCapability | undefined
    if (capability !== undefined) {
      const verified = this.#verify(service, capability, 'open', now)
      if (verified === undefined) return { refused: 'capability' }
      person = verified
      for (const { context } of items) {
        if (!names(person.records, context.tenant, context.table, context.column, context.row))
          return this.#refuse(service, { refused: 'capability' }, person.actor, 'names other records')
      }
    }
    const actor = person === undefined ? `service ${service}` : `person ${person.actor}`
    if (this.#frozen.has(actor)) return this.#refuse(service, { refused: 'frozen' }, person?.actor)
    const encoded = items.map(({ context, epoch, salt }) => ({
      epoch,
      salt,
      encoded: encodeContext(context),
    }))
    if (encoded.some(({ epoch }) => !keys.epochs.includes(epoch)))
      return { refused: 'epoch', current: this.epoch }
    const records = new Map<string, string>()
    for (const [index, item] of encoded.entries())
      records.set(recordVersion(item.encoded, item.salt), items[index]?.context.table ?? '')
    for (const item of encoded) {
      if (!this.#canaries.has(recordPlace(item.encoded))) continue
      this.freeze(actor, 'canary')
      this.#options.onFreeze?.(actor, 'canary')
      return this.#refuse(service, { refused: 'frozen' }, person?.actor, 'canary')
    }
    const charge = { person: person?.actor, service, records }
    const shortage = this.#budgets.shortage(charge, now)
    if (shortage !== undefined)
      return this.#refuse(service, { refused: 'budget', ...shortage }, person?.actor, shortage.budget)
    if (person !== undefined) {
      const key = `${person.actor} ${person.nonce}`
      if (!this.#seen.use(key, person.expiresAt, now))
        return this.#refuse(service, { refused: 'capability' }, person.actor, 'used before')
      journal.used(key, person.expiresAt)
    }
    journal.opened({ ...charge, time: now })
    this.#budgets.charge(charge, now)
    this.#record('vault.opened', service, person?.actor, {
      records: items.length,
      tables: [...new Set(records.values())].slice(0, 20),
      rows: items.slice(0, 100).map(({ context }) => `${context.table}/${context.row.join('/')}`),
    })
    if (++this.#sequence % 10_000 === 0) this.prune()
    return this.#parts(encoded)
  }

  #term(
    service: string,
    rights: ServiceRights,
    { tenant, table, column, epoch, digests, purpose }: Extract<ServiceRequest, { op: 'term' }>,
  ): HolderAnswer {
    const now = this.#options.clock.now()
    if (!covers(purpose === 'store' ? rights.seal : rights.search, table, column))
      return this.#refuse(service, { refused: 'forbidden' })
    const actor = `service ${service}`
    if (this.#frozen.has(actor)) return this.#refuse(service, { refused: 'frozen' })
    const encoded = encodeContext({ tenant, table, column, row: ['*'], version: 0 })
    // Terms of either purpose are guesses to who wants to read a search column, so both are counted, apart.
    const scope = `${purpose} ${service}`
    const window = this.#searches.get(scope) ?? new BudgetWindow(this.#options.policy.window)
    const things = digests.map(digest => recordVersion(encoded, digest.subarray(0, 16)))
    const fresh = window.fresh(things, now)
    const limit = this.#searchLimit(purpose)
    if (window.used(now) + fresh.length > limit) {
      const allowed = Math.max(0, limit - window.used(now))
      const retryAt = window.freeAt(fresh.length, limit, now)
      return this.#refuse(service, {
        refused: 'budget',
        budget: scope,
        allowed,
        asked: fresh.length,
        retryAt,
      })
    }
    window.add(things, now)
    this.#searches.set(scope, window)
    if (purpose === 'search')
      this.#record('vault.searched', service, undefined, { table, column, terms: digests.length })
    const parts: Partial<Record<'a' | 'b' | 'c', readonly string[]>> = {}
    for (const part of PARTS_OF[this.id]) {
      const prf = this.#options.keys.prf(epoch, part, 'term')
      if (prf === undefined) return { refused: 'epoch', current: this.epoch }
      parts[part] = digests.map(digest => prf.digest(encoded, digest).toString('base64url'))
    }
    return { parts }
  }

  /**
   * What is stored is written once per record, what is searched for by people: two orders of magnitude apart.
   */
  #searchLimit(purpose: 'store' | 'search'): number {
    const { searches } = this.#options.policy
    return holderShare(purpose === 'store' ? searches * 100 : searches)
  }

  #harden(
    service: string,
    rights: ServiceRights,
    { user, epoch, blinded }: Extract<ServiceRequest, { op: 'harden' }>,
  ): HolderAnswer {
    const { clock, journal, keys, policy } = this.#options
    if (rights.harden !== true) return this.#refuse(service, { refused: 'forbidden' })
    const now = clock.now()
    const used = this.#guesses.get(user)?.used(now) ?? 0
    const limit = holderShare(policy.guesses)
    if (used >= limit) {
      const retryAt = this.#guesses.get(user)?.freeAt(1, limit, now) ?? now
      return this.#refuse(service, { refused: 'budget', budget: 'guesses', allowed: 0, asked: 1, retryAt })
    }
    journal.guessed(user, now)
    this.#guess(user, now)
    this.#record('vault.hardened', service, user, {})
    const parts: Partial<Record<'a' | 'b' | 'c', readonly string[]>> = {}
    for (const part of PARTS_OF[this.id]) {
      const prf = keys.prf(epoch, part, 'harden')
      if (prf === undefined) return { refused: 'epoch', current: this.epoch }
      const point = hardenParts(prf, user, blinded)
      if (point === undefined)
        return this.#refuse(service, { refused: 'malformed', detail: 'blinded is no group element' })
      parts[part] = [Buffer.from(point).toString('base64url')]
    }
    return { parts }
  }

  /** Every guess counts, also a repeated one. */
  #guess(user: string, time: number): void {
    const window = this.#guesses.get(user) ?? new BudgetWindow(this.#options.policy.window)
    window.add([`${time} ${this.#sequence++}`], time)
    this.#guesses.set(user, window)
  }

  #verify(
    service: string,
    capability: string,
    action: 'open' | 'search',
    now: number,
  ): VerifiedCapability | undefined {
    const verified = verifyCapability(capability, { enrollers: this.#enrollers, service, action, now })
    if (typeof verified === 'object') return verified
    this.#refuse(service, { refused: 'capability' }, undefined, verified)
    return undefined
  }

  #parts(
    items: readonly { readonly epoch: number; readonly encoded: Uint8Array; readonly salt: Uint8Array }[],
  ): PartsAnswer | Refusal {
    const parts: Partial<Record<'a' | 'b' | 'c', readonly string[]>> = {}
    for (const part of PARTS_OF[this.id]) {
      const outputs: string[] = []
      for (const { epoch, encoded, salt } of items) {
        const prf = this.#options.keys.prf(epoch, part, 'record')
        if (prf === undefined) return { refused: 'epoch', current: this.epoch }
        outputs.push(recordPrf(prf, encoded, salt).toString('base64url'))
      }
      parts[part] = outputs
    }
    return { parts }
  }

  /** Refuses everything to an actor (`person NAME` or `service NAME`) until thawed. */
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
    const place = recordPlace(encodedContext)
    this.#options.journal.addCanary(place)
    this.#canaries.add(place)
    this.#record('vault.canary.added', '', undefined, {})
  }

  /** Units used of a scope: `all`, `person NAME`, `service NAME`, `table NAME`. */
  used(scope: string): number {
    return this.#budgets.used(scope, this.#options.clock.now())
  }

  /** Forgets what has left the window. */
  prune(): void {
    const now = this.#options.clock.now()
    this.#options.journal.prune(now - this.#options.policy.window)
    this.#budgets.prune(now)
    for (const [user, window] of this.#guesses) if (window.used(now) === 0) this.#guesses.delete(user)
  }

  #refuse(service: string, refusal: Refusal, person?: string, detail?: string): Refusal {
    this.#record('vault.refused', service, person, {
      refused: refusal.refused,
      ...(detail !== undefined && { detail }),
    })
    return refusal
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

/** A record version as budgets count it: 16 bytes of a digest of its place and salt. */
function recordVersion(encoded: Uint8Array, salt: Uint8Array): string {
  return createHash('sha256').update(encoded).update(salt).digest('base64url').slice(0, 22)
}

/** A place, whatever its version: a canary stays one when it is written again. */
function recordPlace(encoded: Uint8Array): string {
  return createHash('sha256')
    .update('place')
    .update(encoded.subarray(0, encoded.length - 8))
    .digest('base64url')
}
