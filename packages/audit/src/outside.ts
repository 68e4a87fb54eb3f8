import { setTimeout as pause } from 'node:timers/promises'
import { type Anchor, checkAnchors, pushToAnchors } from './anchor.ts'
import type { Cursor } from './cursor.ts'
import type { NoteVerifier } from './format/note.ts'
import type { LogReader } from './log-reader.ts'
import { askWitnesses } from './witness/ask-witnesses.ts'
import { WitnessClient, type WitnessClientOptions } from './witness/witness-client.ts'

export interface OutsideOptions {
  /** Places outside this machine that keep checkpoints: compared on opening, told of new ones. */
  readonly anchors?: readonly Anchor[]
  /** Asked to cosign new checkpoints. Without one, whoever holds signing key and disk can rewrite everything unseen. */
  readonly witnesses?: readonly WitnessClientOptions[]
  /** Told when an anchor or witness cannot be reached, or contradicts the log; it never holds up the log. */
  readonly onOutsideError?: (error: unknown) => void
}

/** How long closing waits for anchors and witnesses that are being told. */
const PATIENCE = 10_000

/**
 * Those outside who remember the log: told of the newest checkpoint, one round at a time. An older one never reaches them after a newer
 * one, for a witness would take that for a roll-back.
 */
export class Outside {
  readonly #anchors: readonly Anchor[]
  readonly #witnesses: readonly WitnessClient[]
  readonly #reader: LogReader
  readonly #onError: (error: unknown) => void
  readonly #turn: Cursor | undefined
  #again = false
  #rounds: Promise<void> | undefined = undefined

  /**
   * @param turn the size they were told of last, shared by the instances of a log; this process is alone without
   * @throws ConfigError for a malformed witness key
   */
  constructor(options: OutsideOptions, reader: LogReader, turn?: Cursor) {
    this.#anchors = options.anchors ?? []
    this.#witnesses = (options.witnesses ?? []).map(witness => new WitnessClient(witness))
    this.#onError = options.onOutsideError ?? (() => {})
    this.#reader = reader
    this.#turn = turn
  }

  /** Whether there is anyone to tell. */
  get isEmpty(): boolean {
    return this.#anchors.length + this.#witnesses.length === 0
  }

  /**
   * Compares the log with what its anchors remember.
   * @throws IntegrityError when an anchor knows entries that the log has not, or other ones
   * @throws StoreError when an anchor cannot be asked
   */
  check(verifiers: readonly NoteVerifier[], origin: string): Promise<void> {
    return checkAnchors(this.#anchors, this.#reader, verifiers, origin)
  }

  /** Tells them of the newest checkpoint. Resolves when they were told of one not older than now. Never rejects. */
  tell(): Promise<void> {
    if (this.isEmpty) return Promise.resolve()
    this.#again = true
    this.#rounds ??= this.#tellAll().finally(() => {
      this.#rounds = undefined
    })
    return this.#rounds
  }

  async #tellAll(): Promise<void> {
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
    const told = this.#turn === undefined ? -1n : await this.#turn.take()
    // Another instance is at it. It, or the next look, finds what is newer.
    if (told === undefined) return
    try {
      const checkpoint = await this.#reader.checkpoint()
      const { size } = await this.#reader.head(checkpoint)
      if (size === told) return
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
