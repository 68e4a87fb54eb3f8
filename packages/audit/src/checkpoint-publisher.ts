import { setTimeout as pause } from 'node:timers/promises'
import { type Anchor, checkAnchors, pushToAnchors } from './anchor.ts'
import type { Cursor } from './cursor.ts'
import type { NoteVerifier } from './format/note.ts'
import type { LogReader } from './log-reader.ts'
import { askWitnesses } from './witness/ask-witnesses.ts'
import { WitnessClient, type WitnessClientOptions } from './witness/witness-client.ts'

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
  check(verifiers: readonly NoteVerifier[], origin: string): Promise<void> {
    return checkAnchors(this.#anchors, this.#reader, verifiers, origin)
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
        pushToAnchors(this.#anchors, checkpoint, this.#onError),
        askWitnesses(this.#witnesses, this.#reader, checkpoint, this.#onError),
      ])
      await this.#turn?.advance(size)
    } finally {
      await this.#turn?.release()
    }
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
