import { setTimeout as pause } from 'node:timers/promises'
import type { NoteVerifier } from '../format/note.ts'
import { parseVerifierKey } from '../format/note-key.ts'
import type { Cursor } from '../log/cursor.ts'
import type { LogReader } from '../reader/log-reader.ts'
import { type Anchor, checkAnchor } from './anchor.ts'
import { askWitnesses } from './ask-witnesses.ts'
import { WitnessClient, type WitnessClientOptions } from './witness-client.ts'

export interface PublisherOptions {
  /** Places outside this machine that keep checkpoints: compared on opening, and sent every new one. */
  readonly anchors?: readonly Anchor[]
  /**
   * Asked to cosign new checkpoints. Without one, whoever holds signing key and disk
   * can rewrite everything undetected.
   */
  readonly witnesses?: readonly WitnessClientOptions[]
  /**
   * Called when an anchor or witness cannot be reached, or contradicts the log; this never delays the log.
   */
  readonly onOutsideError?: (error: unknown) => void
}

/** How long closing waits for a round of publishing that is under way. */
const PATIENCE = 10_000

/**
 * Publishes the newest checkpoint to anchors and witnesses, one round at a time. An older one never reaches
 * them after a newer one, because a witness would report that as a rollback.
 */
export class CheckpointPublisher {
  readonly #anchors: readonly Anchor[]
  readonly #witnesses: readonly WitnessClient[]
  readonly #reader: LogReader
  readonly #onError: (error: unknown) => void
  readonly #turn: Cursor | undefined
  #trust: { readonly verifiers: readonly NoteVerifier[]; readonly origin: string } | undefined
  /** What each anchor was sent last. */
  readonly #pushed = new Map<Anchor, string>()
  /** Anchors that are ahead by the operator's word: the next checkpoint takes the place of what they have. */
  readonly #overruled = new Set<Anchor>()
  #again = false
  #rounds: Promise<void> | undefined = undefined

  /**
   * @param turn the size published last, shared by the instances of a log. Default:
   *   this process is the only one
   * @throws ConfigError for a malformed witness key
   */
  constructor(options: PublisherOptions, reader: LogReader, turn?: Cursor) {
    this.#anchors = options.anchors ?? []
    this.#witnesses = (options.witnesses ?? []).map(witness => new WitnessClient(witness))
    this.#onError = options.onOutsideError ?? (() => {})
    this.#reader = reader
    this.#turn = turn
  }

  /** Whether there is an anchor or witness. */
  get isEmpty(): boolean {
    return this.#anchors.length + this.#witnesses.length === 0
  }

  /**
   * Compares the log with the checkpoints that its anchors keep.
   * @throws IntegrityError when an anchor has seen entries that the log lacks, or different ones
   * @throws StoreError when an anchor cannot be reached
   */
  async check(verifiers: readonly NoteVerifier[], origin: string): Promise<void> {
    this.#trust = { verifiers, origin }
    for (const anchor of this.#anchors) {
      const known = await anchor.latest()
      if (known !== undefined) await checkAnchor(anchor, known, this.#reader, verifiers, origin)
    }
  }

  /** Instead of `check`, where the operator says that the log was rolled back on purpose. */
  overrule(verifiers: readonly NoteVerifier[], origin: string): void {
    this.#trust = { verifiers, origin }
    for (const anchor of this.#anchors) this.#overruled.add(anchor)
  }

  /**
   * Publishes the newest checkpoint. Resolves when one that is not older than this
   * call was published. Never rejects.
   */
  publish(): Promise<void> {
    if (this.isEmpty) return Promise.resolve()
    this.#again = true
    this.#rounds ??= this.#publishAll().finally(() => {
      this.#rounds = undefined
    })
    return this.#rounds
  }

  async #publishAll(): Promise<void> {
    while (this.#again) {
      this.#again = false
      try {
        await this.#round()
      } catch (error) {
        this.#onError(error)
      }
    }
  }

  async #round(): Promise<void> {
    const published = this.#turn === undefined ? -1n : await this.#turn.take()
    // Another instance is publishing. It, or the next round, finds newer checkpoints.
    if (published === undefined) return
    try {
      const checkpoint = await this.#reader.checkpoint()
      const { size } = await this.#reader.head(checkpoint)
      if (size === published) return
      await Promise.all([
        ...this.#anchors.map(anchor => this.#push(anchor, checkpoint).catch(this.#onError)),
        askWitnesses(this.#witnesses, this.#reader, checkpoint, this.#onError),
      ])
      await this.#turn?.advance(size)
    } finally {
      await this.#turn?.release()
    }
  }

  /**
   * Sends a checkpoint to an anchor, unless that has one of another log by now: a copy of this one that goes
   * on elsewhere has the same name and key, and only here do the two meet.
   */
  async #push(anchor: Anchor, checkpoint: string): Promise<void> {
    const known = await anchor.latest()
    const isOwn = known === undefined || known.trimEnd() === this.#pushed.get(anchor)?.trimEnd()
    if (!isOwn && this.#trust !== undefined && !this.#overruled.has(anchor)) {
      const { verifiers, origin } = this.#trust
      // A new log has made its key since it was opened.
      const keys =
        verifiers.length > 0
          ? verifiers
          : (await this.#reader.verifierKeys()).map((key, i) => parseVerifierKey(key, `key ${i + 1}`))
      await checkAnchor(anchor, known, this.#reader, keys, origin)
    }
    await anchor.push(checkpoint)
    this.#pushed.set(anchor, checkpoint)
    this.#overruled.delete(anchor)
  }

  /** Resolves when the round under way is over, or after 10 seconds. */
  async settled(): Promise<void> {
    if (this.#rounds === undefined) return
    const patience = new AbortController()
    await Promise.race([
      this.#rounds,
      pause(PATIENCE, undefined, { ref: false, signal: patience.signal }).catch(() => {}),
    ])
    patience.abort()
  }
}
