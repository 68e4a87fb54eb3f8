import {
  type Clock,
  type EventRecorder,
  IntegrityError,
  PosternError,
  type RandomSource,
} from '@postern/core'
import type { DirectoryLock } from '@postern/store'
import { identitySeed, selfSignedIdentity, type TlsIdentity } from '../primitive/certificate.ts'
import { seedOf, signingKeyOf } from '../primitive/ed25519.ts'
import { unwrapKey, wrapKey } from '../primitive/key-wrap.ts'
import { encodeContext } from '../record/record-context.ts'
import { DEALERS, HOLDERS, type HolderId, PARTS_OF, type Part } from '../split/part.ts'
import type { HolderAnswer, TrustDomain } from './holder-answer.ts'
import type { HolderConfig } from './holder-config.ts'
import { HolderCore } from './holder-core.ts'
import { HolderFaults } from './holder-faults.ts'
import { PART_KEY_BYTES } from './holder-keys.ts'
import { type Listening, listenTls, listenUnix } from './holder-listener.ts'
import { lockHolder } from './holder-lock.ts'
import { bytes, isActor, isEpoch, isObject, parseContext } from './holder-request.ts'
import { HolderStore, TLS_KEY } from './holder-store.ts'
import { LaterRecorder } from './later-recorder.ts'
import { PeerOutbox } from './peer-outbox.ts'
import { judgePeerPart } from './peer-parts.ts'
import { type Unlock, unlockKey, unlockTag } from './unlock.ts'
import { longestWindow } from './window-budgets.ts'

/** Actors that one other holder may have frozen here: a dishonest one names as many as it likes. */
const MAX_FROZEN_BY_PEER = 10_000
/** Frozen actors that the status names, the newest: all of them may not fit into one message. */
const MAX_SHOWN = 1_000

const NO_ACTOR = { refused: 'malformed', detail: 'name an actor: "person anne" or "service shop"' }
const NO_PLACE = {
  refused: 'malformed',
  detail: 'context: needs tenant, table, column, a list of key values as texts, and version',
}

/** The configuration of a holder, what unlocks it, and where its acts are logged. */
export interface StartHolderOptions {
  readonly config: HolderConfig
  readonly unlock: Unlock
  /** The holder's own audit log. */
  readonly recorder: EventRecorder
  readonly clock: Clock
  readonly random: RandomSource
}

/** A holder that runs in this process. */
export interface RunningHolder {
  readonly core: HolderCore
  /** Fingerprint that services and peers pin. */
  readonly fingerprint: string
  /** The TLS port, when it listens on one. */
  readonly port: number
  close(): Promise<void>
}

/** The holder's TLS identity, made on first use and kept in its file under the unlocking key. */
export function holderIdentity(
  store: HolderStore,
  id: HolderId,
  kek: Uint8Array,
  options: Pick<StartHolderOptions, 'clock' | 'random'>,
): TlsIdentity {
  const wrapped = store.setting(TLS_KEY)
  const key = signingKeyOf(wrapped === undefined ? identitySeed(options.random) : unwrapKey(kek, wrapped))
  if (wrapped === undefined) store.setSettings({ [TLS_KEY]: wrapKey(kek, seedOf(key)) })
  const identity = selfSignedIdentity(`postern holder ${id}`, key, options.random, options.clock.now())
  // Public, and asked for before the holder is unlocked.
  store.setSettings({ 'tls.fingerprint': Buffer.from(identity.fingerprint) })
  return identity
}

/**
 * Opens a holder's file, unlocks it and accepts connections.
 * @throws CredentialError when it does not unlock, ConfigError, StoreError, IntegrityError; StoreError when
 *   another process runs the same holder
 */
export async function startHolder(options: StartHolderOptions): Promise<RunningHolder> {
  const { config } = options
  const lock = lockHolder(config.data)
  try {
    return await openHolder(options, lock)
  } catch (error) {
    lock.release()
    throw error
  }
}

async function openHolder(options: StartHolderOptions, lock: DirectoryLock): Promise<RunningHolder> {
  const { config, random } = options
  const store = HolderStore.open(config.data)
  try {
    const kek = await unlockKey(store, options.unlock, random)
    if (store.id === undefined) store.setSettings({ id: Uint8Array.of(config.id) })
    if (store.id !== config.id)
      throw new IntegrityError(
        `holder: ${config.data} belongs to holder ${store.id}, and the configuration says ${config.id}`,
      )
    const identity = holderIdentity(store, config.id, kek, options)
    return await new Holder(options, store, kek, identity, lock).start()
  } catch (error) {
    store.close()
    throw error
  }
}

/** The edges of one holder around its core: listeners, peers, and what its operator asks. */
class Holder implements RunningHolder {
  readonly core: HolderCore
  readonly fingerprint: string
  port = 0
  readonly #options: StartHolderOptions
  readonly #store: HolderStore
  readonly #kek: Uint8Array
  readonly #identity: TlsIdentity
  readonly #keys: ReturnType<HolderStore['keys']>
  readonly #peers = new Map<HolderId, PeerOutbox>()
  readonly #listeners: Listening[] = []
  readonly #closedUntil: number
  readonly #recorder: LaterRecorder
  readonly #lock: DirectoryLock
  readonly #faults: HolderFaults

  constructor(
    options: StartHolderOptions,
    store: HolderStore,
    kek: Uint8Array,
    identity: TlsIdentity,
    lock: DirectoryLock,
  ) {
    this.#lock = lock
    this.#faults = new HolderFaults(options.config.id, options.clock)
    this.#options = options
    this.#store = store
    this.#kek = kek
    this.#identity = identity
    this.fingerprint = identity.fingerprint
    this.#keys = store.keys(options.config.id, kek)
    this.#recorder = new LaterRecorder(options.recorder)
    this.#closedUntil = store.closedUntil(options.clock.now(), longestWindow(options.config.policy))
    this.core = new HolderCore({
      keys: this.#keys,
      journal: store,
      policy: options.config.policy,
      clock: options.clock,
      random: options.random,
      recorder: this.#recorder,
      domain: domainOf(options),
      closedUntil: this.#closedUntil,
      later: afterAnswers,
      onFreeze: (actor, reason) => this.#tellFrozen(actor, reason),
    })
  }

  async start(): Promise<this> {
    const { config } = this.#options
    const services = Object.entries(config.services)
    if (config.tls !== undefined) {
      const listening = await listenTls(config.tls, this.#identity, fingerprint => {
        const service = services.find(([, { fingerprint: known }]) => known === fingerprint)?.[0]
        if (service !== undefined) return body => this.#answerService(service, body)
        const peer = HOLDERS.find(id => config.peers[id]?.fingerprint === fingerprint)
        return peer === undefined ? undefined : body => this.#faults.watch(() => this.#answerPeer(peer, body))
      })
      this.port = listening.port
      this.#listeners.push(listening)
    }
    for (const [name, { unix }] of services)
      if (unix !== undefined)
        this.#listeners.push(await listenUnix(unix, 0o660, body => this.#answerService(name, body)))
    this.#listeners.push(await listenUnix(config.operator, 0o600, body => this.#answerOperator(body)))
    for (const id of HOLDERS) {
      const address = config.peers[id]
      if (address === undefined) continue
      const greeting = (): readonly object[] =>
        [...this.core.frozen].map(([actor, reason]) => ({ op: 'freeze', actor, reason }))
      this.#peers.set(id, new PeerOutbox(id, address, { identity: this.#identity, greeting }))
    }
    return this
  }

  async close(): Promise<void> {
    for (const peer of this.#peers.values()) peer.close()
    await Promise.all(this.#listeners.map(listening => listening.close()))
    this.#recorder.flush()
    this.#store.close()
    this.#lock.release()
  }

  /** An answer leaves once a power failure would take only a little of what was opened. */
  #answerService(service: string, body: unknown): HolderAnswer | Promise<HolderAnswer> {
    return this.#faults.watch(() => {
      const answer = this.core.answer(service, body)
      return this.#store.settled()?.then(() => answer) ?? answer
    })
  }

  #tellFrozen(actor: string, reason: string): void {
    for (const peer of this.#peers.values()) peer.send({ op: 'freeze', actor, reason })
  }

  /** Another holder: it may freeze an actor, and hand over a part that is ours. It may ask for nothing. */
  #answerPeer(peer: HolderId, body: unknown): object {
    if (!isObject(body)) return { refused: 'malformed' }
    if (body['op'] === 'ping') return { pong: true }
    if (body['op'] === 'freeze' && isActor(body['actor']))
      return this.#freezeFor(peer, body['actor'], body['reason'])
    const { epoch } = body
    const part = PARTS_OF[this.core.id].find(name => name === body['part'])
    const key = bytes(body['key'], PART_KEY_BYTES)
    if (body['op'] !== 'part' || part === undefined || key === undefined || !isEpoch(epoch))
      return { refused: 'forbidden' }
    const wasRestored = this.#closedUntil > this.#options.clock.now()
    const judged = judgePeerPart(this.#keys, peer, { epoch, part, key }, wasRestored)
    if (judged === 'refuse') return { refused: 'forbidden' }
    if (judged === 'removed') return { refused: 'epoch', current: this.core.epoch }
    if (judged === 'replace') {
      this.#keys.forget(epoch)
      this.#store.forgetPart(epoch, part)
    }
    this.#take(epoch, part, key)
    return { done: true }
  }

  /**
   * Freezes an actor because another holder says so. What it passes on for the third is counted apart: a
   * dishonest holder that names actors without end to one must not use up what that one may freeze here.
   */
  #freezeFor(peer: HolderId, actor: string, given: unknown): object {
    if (this.core.frozen.has(actor)) return { done: true }
    const direct = `holder ${peer}: `
    const passedOn = `${direct}holder `
    const reason = `${direct}${String(given).slice(0, 40)}`
    let count = 0
    for (const known of this.core.frozen.values())
      if (known.startsWith(direct) && known.startsWith(passedOn) === reason.startsWith(passedOn)) count++
    if (count >= MAX_FROZEN_BY_PEER) return { refused: 'busy' }
    this.core.freeze(actor, reason)
    return { done: true }
  }

  /** Keeps a part, first in memory, where another key under the same name is refused, then on the disk. */
  #take(epoch: number, part: Part, key: Uint8Array): void {
    this.#keys.add(epoch, part, key)
    this.#store.addPart(epoch, part, key, this.#kek)
    this.#recorder.record({
      type: 'vault.part.taken',
      time: this.#options.clock.now(),
      actor: { principal: `holder:${this.core.id}` },
      data: { epoch, part },
    })
  }

  /** An operator who reads of a lost connection does not know what was done: what failed says why. */
  async #answerOperator(body: unknown): Promise<object> {
    if (!isObject(body)) return { refused: 'malformed' }
    try {
      return await this.#operate(body)
    } catch (error) {
      if (error instanceof PosternError) return { refused: 'failed', detail: error.message }
      throw error
    }
  }

  async #operate(body: Readonly<Record<string, unknown>>): Promise<object> {
    const { actor, epoch } = body
    switch (body['op']) {
      case 'status':
        return this.#status()
      case 'freeze':
        if (!isActor(actor)) return NO_ACTOR
        this.core.freeze(actor, 'operator')
        this.#tellFrozen(actor, 'operator')
        return { done: true }
      case 'thaw':
        if (!isActor(actor)) return NO_ACTOR
        // A name that was mistyped would be said to be thawed, and the actor stay frozen.
        if (!this.core.frozen.has(actor))
          return { refused: 'malformed', detail: 'this actor is not frozen here' }
        this.core.thaw(actor)
        return { done: true }
      case 'canary': {
        const context = parseContext(body['context'])
        // One that is somewhere else than was meant watches over nothing, and nobody would see it.
        if (context === undefined) return NO_PLACE
        this.core.addCanary(encodeContext(context))
        return { done: true }
      }
      case 'epoch.begin':
        // Not beyond the next one: 256 epochs are all there are, and a slip of the finger would use up most.
        return isEpoch(epoch) && epoch <= this.core.epoch + 1
          ? this.#beginEpoch(epoch)
          : { refused: 'malformed', detail: `the next epoch is ${this.core.epoch + 1}` }
      case 'epoch.remove':
        if (!isEpoch(epoch) || epoch >= this.core.epoch)
          return { refused: 'malformed', detail: 'only an earlier epoch can be removed' }
        this.#store.removeEpoch(epoch)
        this.#keys.remove(epoch)
        return { done: true }
      case 'give': {
        const to = HOLDERS.find(id => id === body['holder'] && id !== this.core.id)
        return to === undefined ? { refused: 'malformed' } : this.#give(to)
      }
      case 'backup':
        if (typeof body['path'] !== 'string') return { refused: 'malformed' }
        await this.#store.backup(body['path'])
        return { done: true }
      default:
        return {
          refused: 'malformed',
          detail: 'op: status, freeze, thaw, canary, epoch.begin, epoch.remove, give, backup',
        }
    }
  }

  #status(): object {
    return {
      holder: this.core.id,
      fingerprint: this.fingerprint,
      epochs: this.#keys.epochs,
      frozen: Object.fromEntries([...this.core.frozen].slice(-MAX_SHOWN)),
      frozenCount: this.core.frozen.size,
      ...this.core.usage,
      ...(this.#closedUntil > this.#options.clock.now() && {
        closedUntil: new Date(this.#closedUntil).toISOString(),
      }),
      ...(this.#faults.last !== undefined && { lastFault: this.#faults.last }),
      canaries: this.core.canaries,
      peers: Object.fromEntries([...this.#peers].map(([id, peer]) => [id, peer.isUp ? 'up' : 'down'])),
    }
  }

  /**
   * Makes the part that this holder deals and gives it to the one that shares it.
   * Repeating it changes nothing.
   */
  async #beginEpoch(epoch: number): Promise<object> {
    // What peers left for later epochs before this holder had any is theirs, and may be known to others.
    if (epoch > this.core.epoch) {
      this.#keys.forgetAfter(epoch)
      this.#store.forgetAfter(epoch)
    }
    const part = (['a', 'b', 'c'] as const).find(name => DEALERS[name].from === this.core.id) as Part
    const key = this.#keys.secret(epoch, part) ?? this.#options.random.bytes(PART_KEY_BYTES)
    this.#take(epoch, part, key)
    await this.#hand(DEALERS[part].to, epoch, part)
    return { done: true, epochs: this.#keys.epochs }
  }

  /** Gives another holder every part that both should have: after it was lost and set up again. */
  async #give(to: HolderId): Promise<object> {
    const shared = PARTS_OF[this.core.id].find(part => PARTS_OF[to].includes(part)) as Part
    for (const epoch of this.#keys.epochs) await this.#hand(to, epoch, shared)
    return { done: true, epochs: this.#keys.epochs }
  }

  async #hand(to: HolderId, epoch: number, part: Part): Promise<void> {
    const peer = this.#peers.get(to)
    const key = this.#keys.secret(epoch, part)
    if (peer === undefined || key === undefined)
      throw new IntegrityError(`holder ${this.core.id}: holder ${to} is not configured as a peer`)
    const answer = await peer.request({
      op: 'part',
      epoch,
      part,
      key: Buffer.from(key).toString('base64url'),
    })
    // It was removed there: rotated out, and not to be brought back.
    if (isObject(answer) && answer['refused'] === 'epoch') return
    if (!isObject(answer) || answer['done'] !== true)
      throw new IntegrityError(
        `holder ${this.core.id}: holder ${to} did not take part ${part} of epoch ${epoch}`,
      )
  }
}

/** Clearing the journal takes milliseconds once there is something to clear: no answer waits for it. */
function afterAnswers(work: () => void): void {
  setImmediate(() => {
    try {
      work()
    } catch {
      // The next clearing takes what is left. A disk that refuses refuses the next charge, too.
    }
  })
}

function domainOf({ config: { administrator }, unlock }: StartHolderOptions): TrustDomain {
  const unlockedBy = unlockTag(unlock)
  return {
    ...(administrator !== undefined && { administrator }),
    ...(unlockedBy !== undefined && { unlockedBy }),
  }
}
